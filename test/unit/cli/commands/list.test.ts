import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { setHeader } from "../../../support/elf-patch.js";
import { example } from "../../../support/examples.js";
import { gzippedImage, kernelElf } from "../../../support/kernel-files.js";
import { switchKernel } from "../../../support/switch-kernel.js";

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-list-"));
  mkdirSync(path("tools/below"), { recursive: true });
  const host = setHeader(example("drop-telnet"), "machine", 62);
  const files: Readonly<Record<string, Uint8Array>> = {
    "old.btf": switchKernel({ at: 8 }).bytes(),
    "vmlinuz-new": gzippedImage(kernelElf(switchKernel({ at: 16 }).bytes()), "7.2.13"),
    "tools/switch-watch.o": example("switch-watch"),
    "tools/below/rate-limit.o": example("rate-limit"),
    "tools/below/loader": Buffer.concat([host, example("rate-limit")]),
    "tools/no-bpf": host,
    "tools/README": Buffer.from("text\n"),
    "broken/broken.o": example("rate-limit").subarray(0, 500),
  };
  mkdirSync(path("broken"));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(path(name), bytes);
  symlinkSync(path("tools/switch-watch.o"), path("tools/link.o"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Row {
  readonly name: string;
  readonly type: string;
  readonly object: string;
  readonly kernels: readonly string[];
}

const rowsOf = (text: string) => Object.entries<Row[]>(JSON.parse(text));

describe("list", () => {
  it("lists each digest of the files in a folder once, with the programs and kernels that have it", async () => {
    const kernels = ["--btf", path("old.btf"), "--btf", path("vmlinuz-new")];
    const { code, out, err } = await runCommand("list", ...kernels, path("tools"));
    expect(code).toBe(0);
    const rows = rowsOf(out);
    expect(rows.map(([digest]) => digest)).toEqual(rows.map(([digest]) => digest).sort());
    const by = (name: string) => rows.filter(([, programs]) => programs.some((program) => program.name === name));
    expect(by("watch_switch").map(([, programs]) => programs)).toEqual(
      expect.arrayContaining([
        [{ name: "watch_switch", type: "tracing", object: path("tools/switch-watch.o"), kernels: [path("old.btf")] }],
        [{ name: "watch_switch", type: "tracing", object: path("tools/switch-watch.o"), kernels: ["7.2.13"] }],
      ]),
    );
    const [[, limit]] = by("limit") as [[string, Row[]]];
    expect(limit.map(({ object }) => object)).toEqual([path("tools/below/loader"), path("tools/below/rate-limit.o")]);
    expect(limit[0]!.kernels).toEqual([path("old.btf"), "7.2.13"]);
    expect(rows.length).toBe(4);
    expect(err).toBe(
      `${path("old.btf")} without its modules: 5 programs, 3 digests\n7.2.13 without its modules: 5 programs, 3 digests\n`,
    );
  });

  it("lists a digest once for loaders that agree", async () => {
    const variants = ["--variant", "libbpf-1.5", "--variant", "libbpf-1.6"];
    const words = ["--btf", path("old.btf"), path("tools/switch-watch.o")];
    expect((await runCommand("list", ...variants, ...words)).out).toBe((await runCommand("list", ...words)).out);
  });

  it("writes to a file", async () => {
    const out = path("maps/allowed.json");
    const listed = await runCommand("list", "--btf", path("old.btf"), "--out", out, path("tools"));
    expect([listed.code, listed.out]).toEqual([0, ""]);
    expect(rowsOf(readFileSync(out, "utf8")).length).toBe(3);
  });

  it("exits with 2 where a file is broken, and lists the others", async () => {
    const { code, out, err } = await runCommand("list", "--btf", path("old.btf"), path("broken"), path("tools"));
    expect([code, rowsOf(out).length]).toEqual([2, 3]);
    expect(err).toMatch(/broken\.o: .*\[ELF_MALFORMED\]/);
  });

  it("rejects a file that is named and contains no BPF, and a path that is not there", async () => {
    const named = await runCommand("list", "--btf", path("old.btf"), path("tools/no-bpf"));
    expect([named.code, named.out]).toEqual([2, "{}\n"]);
    expect(named.err).toMatch(/no-bpf: there is no BPF object in it \[ELF_NO_PROGRAMS\]/);
    expect((await runCommand("list", "--btf", path("old.btf"), path("missing"))).err).toMatch(/\[FILE_UNREADABLE\]/);
  });

  it("takes the symbols of one kernel only", async () => {
    const kernels = ["--btf", path("old.btf"), "--btf", path("vmlinuz-new"), "--kallsyms", path("tools/README")];
    expect((await runCommand("list", ...kernels, path("tools"))).err).toContain(
      "--kallsyms is of one kernel, and 2 are named [USAGE]",
    );
  });

  it("names the loaders that there are", async () => {
    const { code, err } = await runCommand("list", "--variant", "libbpf-0.1", path("tools"));
    expect(code).toBe(2);
    expect(err).toMatch(/there is no loader `libbpf-0\.1` \[USAGE\]; use libbpf-1\.5 or libbpf-1\.6/);
  });
});
