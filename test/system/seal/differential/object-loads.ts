import { loadedBtf } from "../../../../src/bpf/recognition/loaded-btf.js";
import type { Kernel } from "../../../../src/bpf/relocate.js";
import { type ResolvedProgram, resolveObject } from "../../../../src/bpf/resolved-object.js";
import { type ProgramPart, programPartOf, type StatedMap, type StatedProgram } from "../../../../src/bpf/statement.js";
import { CountersignError } from "../../../../src/error.js";
import type { ReplayedLoad, ReplayedMap } from "./load-file.js";

/** A program of an object, and the bpf(2) calls by which libbpf would load it on a kernel. */
export interface ObjectLoad {
  readonly object: string;
  readonly program: StatedProgram;
  readonly part: ProgramPart;
  readonly load: ReplayedLoad;
}

/** The loads of the programs of an object that a kernel has what they need for. */
export function objectLoads(object: string, bytes: Uint8Array, kernel: Kernel): readonly ObjectLoad[] {
  let part: ProgramPart;
  try {
    part = programPartOf(bytes);
  } catch (error) {
    if (error instanceof CountersignError) return [];
    throw error;
  }
  if (part.object.byte_order === "big") return [];
  return resolveObject(bytes, kernel, "libbpf-1.5").programs.flatMap((resolved) => {
    const program = part.programs.find(({ name }) => name === resolved.name)!;
    if (resolved.error !== null || resolved.relocated === null || resolved.relocated.tag === null) return [];
    return [{ object, program, part, load: loadOf(part, program, resolved) }];
  });
}

const STRUCT_OPS = 27;
/** What libbpf takes for sizes that the object leaves open: perf_event_array gets one entry for each CPU. */
const OPEN_ENTRIES = 2;

function loadOf(part: ProgramPart, program: StatedProgram, { relocated }: ResolvedProgram): ReplayedLoad {
  const { object } = part;
  const maps: ReplayedMap[] = [];
  const numbers = new Map<number, number>();
  for (const { map } of program.map_references) {
    if (numbers.has(map)) continue;
    const stated = object.maps[map]!;
    if (stated.inner !== null) maps.push(mapOf({ ...stated.inner, name: `${stated.name}.inner` }, null));
    const inner = stated.inner === null ? null : maps.length - 1;
    numbers.set(map, maps.length);
    maps.push(mapOf(stated, inner));
  }
  const insns = Buffer.from(relocated!.insns);
  for (const { slot, offset } of program.map_references) insns.writeUInt32LE(offset ?? 0, 8 * slot + 12);
  const found = relocated!.attachTarget?.found ?? null;
  const functions = program.functions[0]?.btf_id == null ? [] : program.functions;
  return {
    btf: object.btf === null ? null : loadedBtf(Buffer.from(object.btf, "base64"), object),
    maps,
    type: program.type,
    expectedAttachType: program.type === STRUCT_OPS ? found!.member! : program.expected_attach_type,
    attachBtfId: found?.id ?? 0,
    flags: program.flags,
    relocation: false,
    license: object.license,
    name: program.name,
    insns,
    funcInfo: Buffer.from(
      Uint32Array.from(functions.flatMap(({ start, btf_id }) => (btf_id === null ? [] : [start, btf_id]))).buffer,
    ),
    references: program.map_references.map(({ slot, map }) => ({ slot, map: numbers.get(map)! })),
  };
}

/** Map types for which libbpf passes no BTF, as in bpf/recognition/maps.ts: perf_event_array, and maps of maps. */
const WITHOUT_BTF: ReadonlySet<number> = new Set([4, 12, 13]);

function mapOf(stated: StatedMap, inner: number | null): ReplayedMap {
  const withBtf = !WITHOUT_BTF.has(stated.type);
  const isData = stated.kind !== "definition";
  return {
    name: stated.name,
    kind: stated.kind,
    type: stated.type,
    keySize: stated.key_size,
    valueSize: stated.value_size,
    maxEntries: stated.max_entries === 0 ? OPEN_ENTRIES : stated.max_entries,
    flags: stated.map_flags,
    extra: Number(stated.map_extra),
    keyTypeId: withBtf ? stated.key_type_id : 0,
    valueTypeId: withBtf ? stated.value_type_id : 0,
    inner,
    frozen: stated.kind === "rodata" || stated.kind === "kconfig",
    contents:
      stated.data !== null ? Buffer.from(stated.data, "base64") : isData ? Buffer.alloc(stated.value_size) : null,
  };
}
