import { spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256, tagOf } from "../../src/bpf/insn/digest.js";
import type { Evidence, MapFacts } from "../../src/bpf/model/facts.js";
import type { ObjectProgram } from "../../src/bpf/object/program.js";
import { BpfObject, factsOfObject } from "../../src/bpf/object.js";
import { factsOfLoad } from "../../src/bpf/prog-load.js";
import { programDetailsOf } from "../../src/bpf/report/program-details.js";
import { kernelStacks, kernelTags } from "../support/kernel-tags.js";
import { liveLoad } from "../support/live-load.js";
import { dumpedPrograms } from "../support/objdump.js";
import { embeddedObjects, exampleObjects, objectFiles } from "../support/real-objects.js";
import { changesWhenLoaded } from "../support/relocation.js";

const EXAMPLES = join(import.meta.dirname, "../../examples");

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-objects-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examples = exampleObjects();

describe.each([
  ["examples", () => examples],
  ["xdp-tools and libxdp1", () => objectFiles("xdp-tools", "libxdp1")],
  ["libbpf-tools", () => embeddedObjects("libbpf-tools")],
  ["programs of xdp-tools", () => embeddedObjects("xdp-tools")],
])("the objects of %s", (_, installed) => {
  it("have the programs, sizes, helpers, kfuncs and maps that llvm-objdump, readelf and bpftool see", () => {
    const objects = installed();
    expect(objects.length).toBeGreaterThan(5);
    for (const { name, bytes } of objects) {
      const path = join(folder, "object.o");
      writeFileSync(path, bytes);
      const legacy = name.includes("legacy");
      const seen = dumpedPrograms(path).sort(byName);
      const found = factsOfObject(bytes)
        .programs.map((program) => ({
          name: program.name,
          section: program.section,
          insn_cnt: program.insn_cnt,
          helpers: program.helpers,
          kfuncs: program.kfuncs,
          maps: program.maps
            .map(({ name: map, type, key_size, value_size, max_entries }) => ({
              name: map,
              type,
              key_size,
              value_size: map === ".kconfig" ? null : value_size,
              max_entries,
            }))
            .sort(byName),
        }))
        .sort(byName);
      // no tool reads definitions in the older section
      const without = <T extends object>(programs: readonly T[]) => programs.map((each) => ({ ...each, maps: [] }));
      if (legacy) expect(without(found), name).toEqual(without(seen));
      else expect(found, name).toEqual(seen);
    }
  });
});

describe("a live load made of a program", () => {
  it("has the facts of its object, its section and target aside", () => {
    const objects = [...examples, ...objectFiles("xdp-tools", "libxdp1"), ...embeddedObjects("libbpf-tools")];
    let compared = 0;
    for (const { name, bytes } of objects) {
      const object = new BpfObject(bytes);
      const facts = factsOfObject(bytes).programs;
      for (const [index, of] of object.functions.entries()) {
        const program = object.program(of);
        // numbers of the running kernel's are given to kernel symbols and kfuncs, and struct_ops programs to members
        if (changesNumbers(program)) continue;
        const file = facts[index]!;
        const live = factsOfLoad(liveLoad(object, program));
        const { raw_insns: _, evidence, ...same } = file;
        const where = { name, program: of.name };
        expect({ ...where, ...live, evidence: live.evidence.map(told), raw_insns: null }).toEqual({
          ...where,
          ...same,
          section: null,
          attach_to: null,
          evidence: evidence.map(told),
          raw_insns: null,
        });
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(400);
  });
});

/** Evidence without the text of its instructions, which shows the numbers of maps. */
function told({ effect, insn, source }: Evidence) {
  return { effect, insn, source };
}

function changesNumbers(program: ObjectProgram): boolean {
  const fills = [...program.linked.references.values()].some(({ to }) => to === "kfunc" || to === "ksym");
  return fills || program.type === "unknown";
}

describe("an object that libbpf's linker made of others", () => {
  it("has the programs of them all", () => {
    const inputs = ["drop-telnet", "exec-log", "rate-limit", "kill-writer", "switch-watch"];
    const output = join(folder, "linked.o");
    const linked = spawnSync("bpftool", [
      "gen",
      "object",
      output,
      ...inputs.map((name) => join(EXAMPLES, `${name}.o`)),
    ]);
    expect(linked.stderr.toString()).toBe("");
    const programs = (bytes: Uint8Array) =>
      factsOfObject(bytes).programs.map(({ name, tag, maps, effects }) => ({
        name,
        tag,
        maps: maps.map(shapeOf),
        effects,
      }));
    const apart = inputs.flatMap((name) => programs(readFileSync(join(EXAMPLES, `${name}.o`))));
    expect(programs(readFileSync(output)).sort(byName)).toEqual(apart.sort(byName));
  });
});

/** The sections with global data are joined, so that their size and contents are others. */
function shapeOf({ name, type }: MapFacts) {
  return { name, type };
}

describe("the tag of a program that needs no relocation by the kernel's own numbers", () => {
  it("is the one that the kernel gives it", (context) => {
    const objects = [
      ...examples,
      ...objectFiles("xdp-tools", "libxdp1"),
      ...embeddedObjects("libbpf-tools"),
      ...embeddedObjects("xdp-tools"),
    ];
    const paths = objects.map(({ bytes }, index) => {
      const path = join(folder, `tags${index}.o`);
      writeFileSync(path, bytes);
      return path;
    });
    const tags = kernelTags(paths);
    if (typeof tags === "string") return context.skip(tags);
    // before 6.18 the kernel took SHA-1
    const telnet = examples.findIndex(({ name }) => name.endsWith("drop-telnet.o"));
    const legacy =
      tags.get(paths[telnet]!)?.get("drop_telnet") !== factsOfObject(examples[telnet]!.bytes).programs[0]!.tag;
    const kernelTag = (insns: Uint8Array) => (legacy ? tagOf(hash("sha1", insns, "hex")) : tagOf(sha256(insns)));
    const compared: string[] = [];
    for (const [index, { name, bytes }] of objects.entries()) {
      const object = new BpfObject(bytes);
      for (const of of object.functions) {
        const tag = tags.get(paths[index]!)?.get(of.name);
        const program = object.program(of);
        if (tag === undefined || changesWhenLoaded(program)) continue;
        expect({ name, program: of.name, tag: kernelTag(program.linked.insns) }).toEqual({
          name,
          program: of.name,
          tag,
        });
        compared.push(`${name}: ${of.name}`);
      }
    }
    // maps, global data, subprograms and callbacks are all among them
    expect(compared).toEqual(
      expect.arrayContaining([
        "examples/rate-limit.o: limit",
        "examples/xdp-steer.o: drop_blocked",
        "libxdp1/xdp-dispatcher.o: xdp_dispatcher",
        "libxdp1/xdpfilt_dny_all.o: xdpfilt_dny_all",
      ]),
    );
    expect(compared.length).toBeGreaterThan(75);
  });
});

describe("the stack that a program takes", () => {
  it("is at least what the verifier finds it to take", (context) => {
    const objects = [...examples, ...objectFiles("xdp-tools", "libxdp1"), ...embeddedObjects("libbpf-tools")];
    const paths = objects.map(({ bytes }, index) => {
      const path = join(folder, `stack${index}.o`);
      writeFileSync(path, bytes);
      return path;
    });
    if (typeof kernelTags(paths.slice(0, 2)) === "string")
      return context.skip("needs a kernel that lets root load BPF");
    const stacks = kernelStacks(paths);
    let compared = 0;
    for (const [index, { name, bytes }] of objects.entries()) {
      const object = new BpfObject(bytes);
      for (const of of object.functions) {
        const depths = stacks.get(paths[index]!)?.get(of.name);
        if (depths === undefined) continue;
        const { functions, stack_depth } = programDetailsOf(object.program(of));
        // the verifier leaves out functions that only dead code calls
        expect(functions.length, `${name}: ${of.name}`).toBeGreaterThanOrEqual(depths.length);
        expect(stack_depth, `${name}: ${of.name}: ${depths.join("+")}`).toBeGreaterThanOrEqual(Math.max(...depths));
        // one function: no more than its rounded frame
        if (depths.length === 1)
          expect(stack_depth).toBeLessThanOrEqual(32 * Math.max(1, Math.ceil(depths[0]! / 32)) + 32);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(150);
  });
});

function byName(a: { readonly name: string; readonly section?: string | null }, b: typeof a): number {
  return a.name === b.name ? 0 : a.name < b.name ? -1 : 1;
}
