import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { EFFECTS } from "../../../../src/bpf/model/facts.js";
import { programFactsFrom } from "../../../../src/bpf/model/program-fields.js";
import { runCommand } from "../../../support/command-line.js";
import { setHeader } from "../../../support/elf-patch.js";
import { example } from "../../../support/examples.js";
import { switchKernel } from "../../../support/switch-kernel.js";

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-inspect-"));
  for (const name of ["rate-limit", "exec-log", "xdp-steer.be"]) writeFileSync(path(`${name}.o`), example(name));
  writeFileSync(path("text.o"), "no object\n");
  const host = setHeader(example("drop-telnet"), "machine", 62);
  writeFileSync(path("loader"), Buffer.concat([host, example("exec-log"), example("drop-telnet")]));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("inspect --json", () => {
  it("writes one object for one file, with exactly the facts that are documented", async () => {
    const { code, out, err } = await runCommand("inspect", "--json", path("exec-log.o"));
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const facts = JSON.parse(out);
    expect(Object.keys(facts)).toEqual(["file", "sha256", "programs"]);
    const fromCode = programFactsFrom("load", "code").filter((name) => !["insns", "raw_insns"].includes(name));
    expect(Object.keys(facts.programs[0])).toEqual(fromCode);
    expect(Object.keys(facts.programs[0].effects).sort()).toEqual([...EFFECTS, "read_only"].sort());
    expect(facts.programs[0]).toMatchObject({ name: "log_exec", tag: "1394853c4f490a48", insn_cnt: 34 });
    expect(facts.programs[0].evidence).toContainEqual(
      expect.objectContaining({ effect: "reads_user_memory", source: expect.stringMatching(/^exec-log\.bpf\.c:\d+$/) }),
    );
  });

  it("writes an array for several files, in their order", async () => {
    const { out } = await runCommand("inspect", "--json", path("rate-limit.o"), path("exec-log.o"));
    expect(JSON.parse(out).map(({ file }: { file: string }) => file)).toEqual([
      path("rate-limit.o"),
      path("exec-log.o"),
    ]);
  });

  it("finds the objects that a program embeds", async () => {
    const { out } = await runCommand("inspect", "--json", path("loader"));
    expect(JSON.parse(out).programs.map(({ name }: { name: string }) => name)).toEqual(["log_exec", "drop_telnet"]);
  });
});

describe("inspect --json --details", () => {
  it("adds each program's details", async () => {
    const { out } = await runCommand("inspect", "--json", "--details", path("rate-limit.o"));
    expect(JSON.parse(out).programs[1]).toMatchObject({
      name: "measure",
      attach_to: null,
      gpl_compatible: true,
      loops: 0,
      tail_calls: 0,
      stack_depth: 96,
      max_executed: 50,
      relocations: [],
    });
  });
});

describe("inspect --btf", () => {
  it("says what a kernel does not have", async () => {
    writeFileSync(path("switch-watch.o"), example("switch-watch"));
    writeFileSync(path("kernel.btf"), new BtfWriter().bytes());
    const { out } = await runCommand("inspect", "--btf", path("kernel.btf"), path("switch-watch.o"));
    expect(out).toContain(`missing  target sched_switch, looked for in ${path("kernel.btf")}`);
    expect(out).toContain("type struct task_struct");
  });

  it("shows programs as they are on the kernel, and why one is not known there", async () => {
    writeFileSync(path("kernel.btf"), switchKernel({ at: 32 }).bytes());
    const guarded = fileURLToPath(new URL("../../bpf/fixtures/guarded.o", import.meta.url));
    const words = ["--btf", path("kernel.btf"), guarded];
    const { code, out } = await runCommand("inspect", ...words);
    expect(code).toBe(0);
    expect(out).toContain(`kernel   as on ${path("kernel.btf")}, by libbpf-1.5`);
    expect(out).toContain(`kernel   not known on ${path("kernel.btf")}: kernel symbol \`new_symbol\``);
    const json = JSON.parse((await runCommand("inspect", "--json", "--variant", "libbpf-1.6", ...words)).out);
    expect(json).toMatchObject({ kernel: { file: path("kernel.btf"), release: null }, variant: "libbpf-1.6" });
    const shown = json.programs.map(({ effects, error }: { effects: { sends_signal: boolean }; error: object }) => [
      effects.sends_signal,
      error === null,
    ]);
    expect(shown).toEqual([...Array(4).fill([false, true]), [true, false]]);
  });

  it("compares two files as they are on the kernel", async () => {
    writeFileSync(path("switch-watch.o"), example("switch-watch"));
    writeFileSync(path("kernel.btf"), switchKernel({ at: 32 }).bytes());
    const words = ["inspect", "--diff", "--btf", path("kernel.btf"), path("switch-watch.o"), path("switch-watch.o")];
    expect((await runCommand(...words)).code).toBe(0);
  });

  it("refuses a file that is no kernel", async () => {
    const { code, err } = await runCommand("inspect", "--btf", path("text.o"), path("exec-log.o"));
    expect(code).toBe(2);
    expect(err).toMatch(/text\.o: .*\[KERNEL_UNSUPPORTED\]/);
  });
});

describe("inspect --diff", () => {
  it("exits with 0 and says so where nothing changed", async () => {
    const { code, out } = await runCommand("inspect", "--diff", path("exec-log.o"), path("exec-log.o"));
    expect(code).toBe(0);
    expect(out).toContain("1 program is as before");
  });

  it("exits with 1 and lists what did", async () => {
    const { code, out } = await runCommand("inspect", "--diff", path("exec-log.o"), path("loader"));
    expect(code).toBe(1);
    expect(out).toContain("+ program drop_telnet (sched_cls, section tc)");
    expect(out).toContain("1 program is as before");
  });

  it("writes the same as JSON", async () => {
    const { out } = await runCommand("inspect", "--diff", "--json", path("loader"), path("exec-log.o"));
    expect(JSON.parse(out)).toMatchObject({
      before: { file: path("loader") },
      after: { file: path("exec-log.o") },
      added: [],
      removed: [{ name: "drop_telnet", section: "tc", type: "sched_cls" }],
      changed: [],
    });
  });

  it("wants two files", async () => {
    const { code, err } = await runCommand("inspect", "--diff", path("exec-log.o"));
    expect(code).toBe(2);
    expect(err).toContain("--diff compares two files, not 1 [USAGE]");
  });
});

describe("inspect", () => {
  it("shows each program with its facts and the evidence for its effects", async () => {
    const { code, out } = await runCommand("inspect", path("rate-limit.o"));
    expect(code).toBe(0);
    expect(out).toMatch(/limit {2}section tc/);
    expect(out).toMatch(/82 instructions, tag 22b82fc527351dac, licence GPL/);
    expect(out).toMatch(/buckets: hash 4 to 16 bytes, up to 1024/);
    expect(out).toMatch(/not read_only, may:\n/);
  });

  it("says that an object is big-endian", async () => {
    expect((await runCommand("inspect", path("xdp-steer.be.o"))).out).toContain("3 programs, big-endian");
  });

  it("continues after a file that it cannot read, and exits with 2", async () => {
    const { code, out, err } = await runCommand(
      "inspect",
      "--json",
      path("text.o"),
      path("missing.o"),
      path("exec-log.o"),
    );
    expect(code).toBe(2);
    expect(JSON.parse(out)).toEqual([
      { file: path("text.o"), error: expect.objectContaining({ code: "ELF_MALFORMED" }) },
      {
        file: path("missing.o"),
        error: expect.objectContaining({ code: "FILE_UNREADABLE", message: "cannot be read: ENOENT" }),
      },
      expect.objectContaining({ file: path("exec-log.o"), programs: expect.any(Array) }),
    ]);
    expect(err.trim().split("\n")).toEqual([
      expect.stringMatching(/text\.o: .*\[ELF_MALFORMED\]/),
      expect.stringMatching(/missing\.o: cannot be read: ENOENT \[FILE_UNREADABLE\]/),
    ]);
  });

  it("says of a single file in JSON why it cannot be read", async () => {
    const { code, out } = await runCommand("inspect", "--json", path("text.o"));
    expect(code).toBe(2);
    expect(JSON.parse(out)).toEqual({
      file: path("text.o"),
      error: expect.objectContaining({ code: "ELF_MALFORMED" }),
    });
    expect(await runCommand("inspect", path("text.o"))).toMatchObject({ code: 2, out: "" });
  });
});
