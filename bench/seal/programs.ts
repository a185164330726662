import { createHash } from "node:crypto";
import { BpfObject, linkedPrograms } from "../../src/bpf/object.js";
import type { Kernel } from "../../src/bpf/relocate.js";
import { resolvePrograms } from "../../src/bpf/resolved-object.js";
import { programPartOf, type StatedMap, type StatedProgram } from "../../src/bpf/statement.js";
import { programMaps } from "../../src/seal/build/program-maps.js";
import type { ListEntry } from "../../src/seal/list.js";

/** A real program on a kernel: as load-times.c reads it, and as a list has it. */
export interface MeasuredProgram {
  readonly name: string;
  readonly insns: number;
  readonly encoded: Uint8Array;
  readonly entry: ListEntry;
}

const GPL: ReadonlySet<string> = new Set([
  "GPL",
  "GPL v2",
  "Dual BSD/GPL",
  "Dual MIT/GPL",
  "GPL and additional rights",
]);
const RING_BUFFER = 27;
const PERF_EVENT_ARRAY = 4;
/** The guest has one CPU. */
const CPUS = 1;

/** The programs of an object with `from` to `to` instructions that need no BTF of their own to load. */
export function measuredPrograms(
  object: { readonly name: string; readonly bytes: Uint8Array },
  kernel: Kernel,
  from: number,
  to: number,
): readonly MeasuredProgram[] {
  const bpf = new BpfObject(object.bytes);
  const linked = linkedPrograms(bpf);
  const part = programPartOf(object.bytes);
  const content = { version: 1, program: part, rules: { fixed: [], open: [] } } as const;
  const resolved = resolvePrograms(bpf, linked, kernel, "libbpf-1.5").programs;
  return part.programs.flatMap((program, index) => {
    const { relocated, error } = resolved[index]!;
    const maps = programMaps(content, program, false);
    if (relocated === null || error !== null || "why" in maps) return [];
    const insns = relocated.insns.length / 8;
    const own = part.object.maps.filter((_, map) => program.map_references.some((each) => each.map === map));
    if (insns < from || insns > to || own.some((map) => !isPlain(map))) return [];
    const attachBtfId = relocated.attachTarget?.found?.id ?? 0;
    const gpl = GPL.has(part.object.license);
    const entry: ListEntry = {
      digest: createHash("sha256").update(relocated.insns).digest("hex"),
      progType: program.type,
      expectedAttachType: program.expected_attach_type,
      attachBtfId,
      progFlags: program.flags,
      gplCompatible: gpl,
      maps: maps.maps,
    };
    const encoded = encode(program, relocated.insns, { attachBtfId, gpl, maps: part.object.maps });
    return [{ name: `${object.name}: ${program.name}`, insns, encoded, entry }];
  });
}

/** Maps that load-times.c can create: no maps in maps, and no `.kconfig`. */
function isPlain({ kind, inner }: StatedMap): boolean {
  return inner === null && kind !== "kconfig" && kind !== "struct_ops";
}

function encode(
  program: StatedProgram,
  relocated: Uint8Array,
  given: { readonly attachBtfId: number; readonly gpl: boolean; readonly maps: readonly StatedMap[] },
): Uint8Array {
  const numbers = new Map<number, number>();
  for (const { map } of program.map_references) if (!numbers.has(map)) numbers.set(map, numbers.size);
  const insns = Buffer.from(relocated);
  for (const { slot, offset } of program.map_references)
    if (offset !== null) insns.writeUInt32LE(offset, 8 * (slot + 1) + 4);
  return Buffer.concat([
    words(
      ...[program.type, program.expected_attach_type, given.attachBtfId, program.flags, Number(given.gpl)],
      ...[insns.length / 8, numbers.size, program.map_references.length],
    ),
    insns,
    ...[...numbers.keys()].map((map) => encodeMap(given.maps[map]!)),
    ...program.map_references.map(({ slot, map }) => words(slot, numbers.get(map)!)),
  ]);
}

function encodeMap(map: StatedMap): Uint8Array {
  const contents = map.data === null ? Buffer.alloc(0) : Buffer.from(map.data, "base64");
  const padded = Buffer.concat([contents, Buffer.alloc(-contents.length & 3)]);
  const numbers = [map.type, map.key_size, map.value_size, entriesOf(map), map.map_flags, padded.length / 4];
  return Buffer.concat([words(...numbers), padded]);
}

/**
 * What libbpf makes of the definition: 0 entries of a perf event array are one for each CPU, ring buffers are whole
 * pages.
 */
function entriesOf({ type, max_entries }: StatedMap): number {
  if (type === PERF_EVENT_ARRAY && max_entries === 0) return CPUS;
  return type === RING_BUFFER ? 2 ** Math.ceil(Math.log2(Math.max(max_entries, 4096))) : max_entries;
}

function words(...numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers).buffer);
}

/** Entries that no program has. */
export function otherEntries(count: number): readonly ListEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    digest: createHash("sha256").update(`entry ${index}`).digest("hex"),
    progType: 1,
    expectedAttachType: 0,
    attachBtfId: 0,
    progFlags: 0,
    gplCompatible: true,
    maps: { references: 0, digest: "00".repeat(32), maps: [] },
  }));
}
