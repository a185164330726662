import { isDeepStrictEqual } from "node:util";
import { INSN_SIZE } from "../insn/insn.js";
import type { ProgramPart, StatedMap, StatedProgram } from "./content.js";

/** The first property in which two program parts say different things of a program. */
export interface PartDifference {
  readonly property: string;
  readonly expected: string;
  readonly found: string;
}

/**
 * How a program of an object file differs from what a statement says of a program with this name. `found` is the
 * program part of the file. Null if they say the same of it.
 */
export function partDifference(stated: ProgramPart, found: ProgramPart, name: string): PartDifference | null {
  const [expected, its] = [programIn(stated, name), programIn(found, name)];
  if (expected === undefined || its === undefined)
    return { property: "name", expected: nameIn(expected), found: nameIn(its) };
  const sides = [
    { object: stated.object, program: expected },
    { object: found.object, program: its },
  ] as const;
  for (const [property, read] of Object.entries(PROPERTIES)) {
    const [wanted, value] = sides.map((side) => text(read(side))) as [string, string];
    if (wanted !== value) return between(property, wanted, value);
  }
  return instructionDifference(expected, its) ?? mapDifference(stated.object.maps, found.object.maps) ?? other(sides);
}

type Side = { readonly object: ProgramPart["object"]; readonly program: StatedProgram };

/** By the name that a mismatch has, which is that of the gate's mismatches where it has one. */
const PROPERTIES: Readonly<Record<string, (side: Side) => unknown>> = {
  insn_cnt: ({ program }) => lengthOf(program.insns) / INSN_SIZE,
  type: ({ program }) => program.type,
  expected_attach_type: ({ program }) => program.expected_attach_type,
  attach_target: ({ program }) => program.attach_target,
  license: ({ object }) => object.license,
  prog_flags: ({ program }) => program.flags,
};

const MAP_FIELDS = [
  ...(["kind", "type", "key_size", "value_size", "max_entries", "map_flags", "map_extra", "numa_node"] as const),
  ...(["pinning", "autocreate"] as const),
] satisfies readonly (keyof StatedMap)[];

/** Properties that are too long for a message: a difference has their name, and not their values. */
const OTHERS: Readonly<Record<string, (side: Side) => unknown>> = {
  core_relos: ({ program }) => program.relocations,
  func_info: ({ program }) => program.functions,
  map: ({ program }) => program.map_references,
  externs: ({ object, program }) => [object.externs, program.extern_references],
  btf: ({ object: { btf, sections, hidden_functions } }) => [btf, sections, hidden_functions],
  object: ({ object }) => object,
  program: ({ program }) => program,
};

function programIn({ programs }: ProgramPart, name: string): StatedProgram | undefined {
  return programs.find((program) => program.name === name);
}

function nameIn(program: StatedProgram | undefined): string {
  return program === undefined ? "none" : program.name;
}

function instructionDifference(expected: StatedProgram, found: StatedProgram): PartDifference | null {
  const [wanted, its] = [Buffer.from(expected.insns, "base64"), Buffer.from(found.insns, "base64")];
  for (let at = 0; at < wanted.length; at += INSN_SIZE) {
    const [one, other] = [wanted, its].map((insns) => insns.subarray(at, at + INSN_SIZE).toString("hex"));
    if (one !== other)
      return { property: "insns", expected: `${one} at instruction ${at / INSN_SIZE}`, found: String(other) };
  }
  return null;
}

function mapDifference(stated: readonly StatedMap[], found: readonly StatedMap[]): PartDifference | null {
  for (const map of stated) {
    const its = found.find(({ name }) => name === map.name);
    if (its === undefined) return between(`${map.name}.map`, "a map", "none");
    for (const field of MAP_FIELDS)
      if (map[field] !== its[field]) return between(`${map.name}.${field}`, text(map[field]), text(its[field]));
    if (map.data !== its.data) return between(`${map.name}.contents`, "the stated contents", "other contents");
  }
  return null;
}

function other([stated, found]: readonly [Side, Side]): PartDifference | null {
  for (const [property, read] of Object.entries(OTHERS))
    if (!isDeepStrictEqual(read(stated), read(found)))
      return property === "object"
        ? between(property, stated.object.sha256, found.object.sha256)
        : between(property, "as stated", "something else");
  return null;
}

function between(property: string, expected: string, found: string): PartDifference {
  return { property, expected, found };
}

function text(value: unknown): string {
  return value === null ? "none" : String(value);
}

function lengthOf(base64: string): number {
  return Buffer.byteLength(base64, "base64");
}
