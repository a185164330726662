import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256, tagOf } from "../../src/bpf/digest.js";
import { BpfObject, factsOfObject } from "../../src/bpf/object.js";
import type { ObjectProgram } from "../../src/bpf/program.js";
import { embeddedObjects, type InstalledObject, objectFiles } from "../support/debian-objects.js";
import { kernelTags } from "../support/kernel-tags.js";
import { dumpedPrograms } from "../support/objdump.js";

const EXAMPLES = join(import.meta.dirname, "../../examples");

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-objects-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examples: InstalledObject[] = readdirSync(EXAMPLES)
  .filter((name) => name.endsWith(".o") && !name.endsWith(".be.o"))
  .map((name) => ({ name: `examples/${name}`, bytes: readFileSync(join(EXAMPLES, name)) }));

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
    const compared: string[] = [];
    for (const [index, { name, bytes }] of objects.entries()) {
      const object = new BpfObject(bytes);
      for (const of of object.functions) {
        const tag = tags.get(paths[index]!)?.get(of.name);
        const program = object.program(of);
        if (tag === undefined || changesWhenLoaded(program)) continue;
        expect({ name, program: of.name, tag: tagOf(sha256(program.linked.insns)) }).toEqual({
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

/** Whether CO-RE, a kernel symbol or a kfunc changes its instructions while it is loaded. */
function changesWhenLoaded(program: ObjectProgram): boolean {
  if (program.rewrittenSlots().length > 0) return true;
  return [...program.linked.references.values()].some(({ to }) => to === "kfunc" || to === "ksym");
}

function byName(a: { readonly name: string; readonly section?: string | null }, b: typeof a): number {
  return a.name === b.name ? 0 : a.name < b.name ? -1 : 1;
}
