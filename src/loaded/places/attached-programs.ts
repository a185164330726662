import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import { queryPrograms } from "../../sys/bpf-objects.js";
import type { Reads } from "../reads/reads.js";
import { pairsRead } from "../reads/values.js";

/** A program that a target has. */
export interface AttachedProgram {
  readonly attachType: string;
  readonly program: number;
}

/** The numbers of attach types, by their names. */
export function attachTypes(...names: readonly string[]): readonly number[] {
  return names.map((name) => ATTACH_TYPES.indexOf(name));
}

/**
 * Asks a target for the programs of each of these attach types: pairs of an attach type and the id of a program. An
 * attach type that this kernel or this kind of target does not have has no programs.
 */
export function attachedPrograms(
  target: number,
  types: readonly number[],
): readonly (readonly [type: number, program: number])[] {
  return types.flatMap((type) => {
    const programs = queryPrograms(target, type);
    return typeof programs === "number" ? [] : programs.map((program) => [type, program] as const);
  });
}

/** What {@link attachedPrograms} returned, or a negative errno. */
export function attachedRead(
  reads: Reads,
  name: string,
  read: () => readonly (readonly [number, number])[] | number,
): readonly AttachedProgram[] | number {
  const pairs = pairsRead(reads, name, read);
  return typeof pairs === "number"
    ? pairs
    : pairs.map(([type, program]) => ({ attachType: ATTACH_TYPES[type] ?? "unknown", program }));
}
