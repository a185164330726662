import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { EFFECTS } from "../../src/bpf/facts.js";
import { factsOfObject } from "../../src/bpf/object.js";
import { BpfCompiler } from "../support/compile-bpf.js";

const FOLDER = join(import.meta.dirname, "programs/precise");
const SOURCES = readdirSync(FOLDER).filter((name) => name.endsWith(".bpf.c"));
/** Programs with a store that the verifier rejects, and the line in which it says so. */
const REJECTED: Readonly<Record<string, string>> = {
  "ctx_store.bpf.c": "invalid bpf_context access",
  "kobj_store.bpf.c": "only read is supported",
};

const compiler = new BpfCompiler();
const folder = mkdtempSync(join(tmpdir(), "countersign-precise-"));
afterAll(() => {
  compiler.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each([
  ["-O2", ["-O2"]],
  ["-O1", ["-O1"]],
  ["-O2 -mcpu=v1", ["-O2", "-mcpu=v1"]],
  ["-O2 -mcpu=v4", ["-O2", "-mcpu=v4"]],
])("compiled with %s, programs that change nothing are read-only:", (_, flags) => {
  it.for(SOURCES)("%s", (file, context) => {
    const bytes = compiler.compile(join(FOLDER, file), [...flags, "-Wno-everything"]);
    if (typeof bytes === "string") return context.skip(bytes);
    const { programs } = factsOfObject(bytes);
    const found = programs.map(({ name, effects }) => [
      name,
      effects.read_only ? "read-only" : EFFECTS.filter((effect) => effects[effect]),
    ]);
    expect(found).toEqual(programs.map(({ name }) => [name, "read-only"]));
  });
});

describe("this kernel", () => {
  it.for(SOURCES)("loads or rejects it as the analysis takes for granted: %s", (file, context) => {
    if (process.getuid?.() !== 0) return context.skip("needs root to load BPF");
    if (spawnSync("unshare", ["-m", "mount", "-t", "bpf", "bpf", "/sys/fs/bpf"]).status !== 0)
      return context.skip("needs a kernel with bpffs");
    const bytes = compiler.compile(join(FOLDER, file), ["-O2", "-mcpu=v4", "-Wno-everything"]);
    if (typeof bytes === "string") return context.skip(bytes);
    const object = join(folder, "object.o");
    writeFileSync(object, bytes);
    const command = `mount -t bpf bpf /sys/fs/bpf && bpftool prog loadall ${object} /sys/fs/bpf/it 2>&1 || true`;
    const said = execFileSync("unshare", ["-m", "sh", "-c", command], { encoding: "utf8" });
    const rejection = REJECTED[file];
    if (rejection === undefined) expect(said).not.toContain("failed to load");
    else expect(said).toContain(rejection);
  });
});
