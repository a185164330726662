import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { Btf } from "../../../src/bpf/btf/btf.js";
import { openArchive } from "../../../src/loaded/reads/archive.js";
import type { Raw, Reads } from "../../../src/loaded/reads/reads.js";
import { Attached, type Line, needsScan } from "./scan-site.js";

const BIN = fileURLToPath(new URL("../../../bin/countersign.js", import.meta.url));
const NOBODY = 65534;

const folder = mkdtempSync(join(tmpdir(), "countersign-archive-"));
chmodSync(folder, 0o755);
const [before, after] = [join(folder, "before.tar"), join(folder, "after.tar")];
const attached = new Attached();
/** What the scans printed that saved the archives. */
const printed = { before: "", after: "" };

function scan(words: readonly string[], options: object = {}) {
  return spawnSync(process.execPath, [BIN, "scan", ...words], { encoding: "utf8", maxBuffer: 1 << 28, ...options });
}

/** A command in a process that may do nothing: another user, whose every bpf(2) fails. */
const elsewhere = { uid: NOBODY, gid: NOBODY, env: { PATH: process.env.PATH, HOME: "/nonexistent" } };

function linesOf(stdout: string): readonly Line[] {
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
}

beforeEach(async (context) => {
  needsScan(context, "gcc", "unshare", "tar");
  if (existsSync(after)) return;
  printed.before = scan(["--save", before]).stdout;
  await attached.start();
  printed.after = scan(["--save", after]).stdout;
});
afterAll(async () => {
  await attached.stop();
  rmSync(folder, { recursive: true });
});

describe("an archive of a scan", () => {
  it("shows what the scan printed that saved it, as another user without BPF", () => {
    expect(statSync(after).mode & 0o777).toBe(0o600);
    expect(printed.after).toContain("scan_pinned");
    for (const [file, text] of [[before, printed.before] as const, [after, printed.after] as const]) {
      chmodSync(file, 0o644);
      const { stdout, stderr, status } = scan(["--from", file], elsewhere);
      expect([stdout, stderr, status]).toEqual([text, "", 0]);
    }
    expect(scan([], elsewhere).stderr).toContain("SCAN_NO_ACCESS");
  });

  it("shows the same lines of JSON, also after the programs have gone", () => {
    const file = join(folder, "json.tar");
    const saved = scan(["--json", "--save", file]);
    chmodSync(file, 0o644);
    const shown = scan(["--json", "--from", file], elsewhere);
    expect([shown.stdout, shown.status]).toEqual([saved.stdout, saved.status]);
    expect(linesOf(shown.stdout).some(({ name }) => name === "scan_held")).toBe(true);
  });

  it("shows objects in full as the running kernel does, with the number of a map's elements", () => {
    const { maps } = linesOf(scan(["--json", "--from", after]).stdout).find(({ name }) => name === "scan_held");
    const names = [`program:${attached.ids.get("scan_held")}`, `map:${maps[0]}`];
    const live = scan(["--json", ...names]);
    expect([live.stderr, live.status]).toEqual(["", 0]);
    const [program, map] = linesOf(live.stdout);
    expect(program.instructions.slice(-2).map(({ text }: Line) => text)).toEqual(["r0 = 0x0", "exit"]);
    expect(program.instructions[0].refers).toBe(`map ${maps[0]} scan_map`);
    expect(map).toMatchObject({ kind: "map", name: "scan_map", elements: 0 });
    chmodSync(after, 0o644);
    expect(scan(["--json", "--from", after, ...names], elsewhere).stdout).toBe(live.stdout);
    expect(scan(["--from", after, ...names], elsewhere).stdout).toBe(scan(names).stdout);
    const gone = scan(["--from", after, "program:4294967295"], elsewhere);
    expect([gone.status, gone.stdout]).toEqual([2, ""]);
    expect(gone.stderr).toContain("SCAN_NO_OBJECT");
  });

  it("is the same page as that of the scan that saved it", () => {
    const [live, later] = [join(folder, "live.html"), join(folder, "later.html")];
    const file = join(folder, "page.tar");
    const saved = scan(["--save", file, "--html", live]);
    const shown = scan(["--from", file, "--html", later]);
    expect([saved.stdout, saved.status, shown.stdout, shown.status]).toEqual(["", 0, "", 0]);
    expect(readFileSync(later, "utf8")).toBe(readFileSync(live, "utf8"));
    expect(readFileSync(live, "utf8")).toMatch(/<summary>program \d+ scan_held<\/summary>/);
  });

  it("goes to standard output", () => {
    const { stdout, status } = scan(["--save", "-"], { encoding: "buffer" });
    const file = join(folder, "stdout.tar");
    writeFileSync(file, stdout as unknown as Buffer);
    expect(status).toBe(0);
    expect(scan(["--from", file]).stdout).toContain("scan_pinned");
  });

  it("has what another question may need: code, BTF, contents of maps, symbols, the log", async () => {
    const archive = await openArchive(after);
    const bytesOf = (name: string) => {
      const raw = rawOf(archive, name);
      expect([name, typeof raw]).toEqual([name, "object"]);
      return Buffer.from(raw as Uint8Array);
    };
    const name = `@bpf/program/${attached.ids.get("scan_held")}`;
    // ld_imm64 of the map, which translated programs have by its id; then r0 = 0, exit
    const translated = bytesOf(`${name}/translated`);
    expect(translated.subarray(16).toString("hex")).toBe("b7000000000000009500000000000000");
    const { maps } = linesOf(scan(["--json", "--from", after]).stdout).find(({ name: held }) => held === "scan_held");
    expect([translated[0], translated.readUInt32LE(4)]).toEqual([0x18, maps[0]]);
    expect(bytesOf(`${name}/info`).byteLength).toBeGreaterThan(200);
    if (readFileSync("/proc/sys/net/core/bpf_jit_enable", "utf8").trim() === "1") {
      expect(bytesOf(`${name}/jited`).byteLength).toBe(bytesOf(`${name}/sizes`).readUInt32LE(0));
      expect(bytesOf(`${name}/symbols`).byteLength).toBe(8);
    }
    expect(bytesOf(`${name}/tags`).byteLength).toBe(8);
    expect(bytesOf(`@bpf/map/${maps[0]}/contents`).byteLength).toBe(0);
    const element = attached.ids.get("scan_element")!;
    const arrays = linesOf(scan(["--json", "--from", after]).stdout).filter(
      ({ kind, program }) => kind === "place" && program === element,
    );
    const contents = bytesOf(`@bpf/map/${arrays[0].map}/contents`);
    expect([...new Uint32Array(contents.buffer, contents.byteOffset, contents.byteLength / 4)]).toEqual([1, element]);
    expect(bytesOf("proc/kallsyms").toString("latin1")).toMatch(/ bpf_prog_put\n/);
    if (existsSync("/sys/kernel/btf/vmlinux")) {
      expect(bytesOf("@bpf/btf/1/name").toString()).toBe("vmlinux");
      const own = new Btf(readFileSync("/sys/kernel/btf/vmlinux"));
      expect(new Btf(bytesOf("@bpf/btf/1/bytes")).count).toBe(own.count);
    }
    if (existsSync("/dev/kmsg")) expect(bytesOf("@kernel/log").toString("latin1")).toMatch(/^\d+,\d+,\d+,/);
  });

  it("is a tar that other programs unpack", () => {
    const { stdout, status } = spawnSync("tar", ["-tf", after], { encoding: "utf8", maxBuffer: 1 << 26 });
    expect(status).toBe(0);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("manifest.jsonl");
  });
});

describe("a comparison with an archive", () => {
  it("finds what was loaded since, and nothing in what has stayed", () => {
    const { stdout, status } = scan(["--compare", before, "--from", after, "--json"]);
    const lines = linesOf(stdout);
    const fresh = lines.filter(({ change, after: is }) => change === "new" && is.object === "program");
    expect(fresh.map(({ after: is }) => is.id)).toEqual(expect.arrayContaining([...attached.ids.values()]));
    expect(status).toBe(1);
    const pinned = fresh.find(({ after: is }) => is.name === "scan_pinned");
    expect(pinned.after.pins).toEqual([expect.objectContaining({ path: attached.pinned("scan_pinned") })]);
    const same = scan(["--compare", after, "--from", after]);
    expect([same.stdout, same.status]).toEqual(["0 new, 0 moved, 0 gone\n", 0]);
  });

  it("finds a pin that has moved in the running kernel", () => {
    const move = ["--mount", "--target", String(attached.pid), "mv"];
    const [path, elsewherePath] = [attached.pinned("scan_pinned"), attached.pinned("scan_elsewhere")];
    expect(spawnSync("nsenter", [...move, path, elsewherePath]).status).toBe(0);
    const { stdout, status } = scan(["--compare", after, "--json"]);
    spawnSync("nsenter", [...move, elsewherePath, path]);
    const moved = linesOf(stdout).filter(({ change }) => change === "moved");
    expect(moved.map(({ after: is }) => [is.name, is.pins[0].path])).toEqual([["scan_pinned", elsewherePath]]);
    expect(status).toBe(1);
  });

  it("finds what is gone, which is no failure", () => {
    const { stdout, status } = scan(["--compare", after, "--from", before]);
    expect(stdout).toMatch(/^gone +program \d+ +scan_held /m);
    expect(status).toBe(0);
  });
});

it("says that an archive cannot be written, and leaves nothing behind", () => {
  const nowhere = scan(["--save", join(folder, "none", "a.tar")]);
  expect([nowhere.status, nowhere.stderr]).toEqual([2, expect.stringContaining("[FILE_UNREADABLE]")]);
  const denied = scan(["--save", join(tmpdir(), "countersign-denied.tar")], elsewhere);
  expect([denied.status, denied.stderr]).toEqual([2, expect.stringContaining("[SCAN_NO_ACCESS]")]);
  expect(existsSync(join(tmpdir(), "countersign-denied.tar"))).toBe(false);
  for (const words of [
    ["--save", "a", "--from", after],
    ["--save", "-", "--json"],
    ["--save", "-", "--compare", after],
  ])
    expect(scan(words).stderr).toContain("[USAGE]");
});

function rawOf(archive: Reads, name: string): Raw {
  return archive.bytes(name, () => {
    throw new Error("an archive does not ask the kernel");
  });
}
