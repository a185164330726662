import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sha256 } from "../../src/bpf/insn/digest.js";
import type { ProgramSubject } from "../../src/bpf/model/facts.js";
import { EFFECTS } from "../../src/bpf/model/facts.js";
import { factsOfObject } from "../../src/bpf/object.js";
import { loadQuestions } from "../../src/engine/files/load-questions.js";
import { BpfCompiler } from "../support/compile-bpf.js";
import { NO_SIGNATURES } from "../support/file-subjects.js";
import { amount } from "./nightly.js";

const FOLDER = join(import.meta.dirname, "programs/precise");
/** What tracers in the field do; these sources declare kfuncs themselves. */
const TRACERS = join(import.meta.dirname, "programs/tracers");
const NEIGHBOURS = join(import.meta.dirname, "programs/neighbours");
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

/** The short form compiles for two processors of BPF: the default one, and that with all instructions. */
const FLAGS: readonly (readonly [string, readonly string[]])[] = [
  ["-O2", ["-O2"]],
  ["-O2 -mcpu=v4", ["-O2", "-mcpu=v4"]],
  ["-O1", ["-O1"]],
  ["-O2 -mcpu=v1", ["-O2", "-mcpu=v1"]],
];

describe.each(FLAGS.slice(0, amount(1, 4)))(
  "compiled with %s, programs that change nothing are read-only:",
  (_, flags) => {
    it.for([
      ...SOURCES.map((name) => ({ name, folder: FOLDER, more: [] as string[] })),
      ...readdirSync(TRACERS).map((name) => ({ name, folder: TRACERS, more: ["-DBPF_NO_KFUNC_PROTOTYPES"] })),
    ])("$name", ({ name: file, folder: from, more }, context) => {
      const bytes = compiler.compile(join(from, file), [...flags, ...more, "-Wno-everything"]);
      if (typeof bytes === "string") return context.skip(bytes);
      const { programs } = factsOfObject(bytes);
      const found = programs.map(({ name, effects }) => [
        name,
        effects.read_only ? "read-only" : EFFECTS.filter((effect) => effects[effect]),
      ]);
      expect(found).toEqual(programs.map(({ name }) => [name, "read-only"]));
    });
  },
);

describe.each([
  ["-O2", ["-O2"]],
  ["-O1 -mcpu=v4", ["-O1", "-mcpu=v4"]],
])("compiled with %s, the nearest programs that change something are not:", (_, flags) => {
  it.for(readdirSync(NEIGHBOURS))("%s", (file, context) => {
    const source = join(NEIGHBOURS, file);
    const bytes = compiler.compile(source, [...flags, "-Wno-everything"]);
    if (typeof bytes === "string") return context.skip(bytes);
    const programs = new Map(factsOfObject(bytes).programs.map((program) => [program.name, program]));
    const expected = [...readFileSync(source, "utf8").matchAll(/^\/\/ may (\w+): (.+)$/gm)];
    expect(expected.length).toBeGreaterThan(2);
    for (const [, name, effects] of expected) {
      const found = programs.get(name!)!.effects;
      expect(found.read_only, name).toBe(false);
      expect(
        EFFECTS.filter((effect) => found[effect]),
        name,
      ).toEqual(expect.arrayContaining(effects!.split(" ")));
    }
  });
});

it("`check` says that a live load has other effects where an object's declarations spare some", (context) => {
  const unknownOf = (name: string) => {
    const bytes = compiler.compile(join(FOLDER, name), ["-O2", "-mcpu=v4", "-Wno-everything"]);
    if (typeof bytes === "string") return context.skip(bytes);
    const file = { path: name, sha256: sha256(bytes), data: bytes, signature: null };
    return loadQuestions([{ offset: 0, bytes }], file, NO_SIGNATURES)
      .filter(({ hook }) => hook === "bpf_prog_load")
      .map(({ subject, unknown }) => [(subject as ProgramSubject).name, unknown.includes("effects")])
      .sort();
  };
  expect(unknownOf("tail_calls.bpf.c")).toEqual([
    ["filter", true],
    ["send", true],
    ["start", true],
    ["start_any", true],
    ["start_none", true],
  ]);
  expect(unknownOf("fp_ringbufs.bpf.c")).toEqual([["f", true]]);
  expect(unknownOf("fp_len.bpf.c")).toEqual([["f", false]]);
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
    if (rejection === undefined) expect(said).not.toMatch(/failed to (?:load|create)/);
    else expect(said).toContain(rejection);
  });
});
