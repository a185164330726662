import { VARIANTS } from "../../bpf/core/variant.js";
import type { CodeMap } from "../../bpf/model/code.js";
import type { ObjectProgram } from "../../bpf/object/program.js";
import { sectionNumbers } from "../../bpf/object/section.js";
import { BpfObject, linkedPrograms } from "../../bpf/object.js";
import type { Kernel } from "../../bpf/relocate.js";
import { resolvePrograms } from "../../bpf/resolved-object.js";
import { programPartOf } from "../../bpf/statement.js";
import { CountersignError } from "../../error.js";
import { statedKnownMaps } from "./known-maps.js";
import type { KnownMap, KnownPlace, KnownProgram, KnownReference } from "./known-program.js";

/**
 * The programs of a BPF object as loaders pass them to a kernel; without those whose instructions differ between loads
 * or are not known. Programs that loaders relocate differently are there once for each way. Throws the errors of
 * BpfObject.
 */
export function knownPrograms(bytes: Uint8Array, place: KnownPlace, kernel: Kernel): readonly KnownProgram[] {
  const object = new BpfObject(bytes);
  const linked = linkedPrograms(object);
  const { license } = object;
  const maps = mapsOf(bytes);
  const found = new Map<string, KnownProgram>();
  for (const variant of VARIANTS)
    resolvePrograms(object, linked, kernel, variant).programs.forEach(({ name, relocated, tag }, index) => {
      if (relocated === null || tag === null) return;
      const [of, program] = linked[index]!;
      const { type, expectedAttachType: attachType } = program;
      const { digest, insns } = relocated;
      const references = referencesOf(program, relocated.slots, maps);
      const loaded = {
        flags: sectionNumbers(of.section.name)?.flags ?? 0,
        functions: functionsOf(program, relocated.slots),
      };
      found.set(`${index} ${digest}`, {
        ...{ ...place, name, type, attachType, license, digest, tag, references, insns, ...loaded },
      });
    });
  return [...found.values()];
}

function functionsOf({ functions }: ObjectProgram, slots: Uint32Array | null): KnownProgram["functions"] {
  const moved = functions.map(({ start, btfId }) => ({ start: slots?.[start] ?? start, btfId }));
  return moved.sort((a, b) => a.start - b.start);
}

/** `slots` are the places of the instructions if the loader changes their order. */
function referencesOf(
  program: ObjectProgram,
  slots: Uint32Array | null,
  maps: (map: CodeMap) => KnownMap,
): readonly KnownReference[] {
  const found: KnownReference[] = [];
  for (let from = 0; from < program.insns.count; from++) {
    const reference = program.mapAt(from);
    if (reference === null) continue;
    found.push({ slot: slots?.[from] ?? from, map: maps(reference.map), offset: reference.offset });
  }
  return found.sort((a, b) => a.slot - b.slot);
}

/** The known map of each map of an object, always the same one. */
function mapsOf(bytes: Uint8Array): (map: CodeMap) => KnownMap {
  const stated = new Map<string, KnownMap | null>();
  for (const map of statedMapsOf(bytes)) stated.set(map.name, stated.has(map.name) ? null : map);
  const known = new Map<CodeMap, KnownMap>();
  return (map) => {
    let its = known.get(map);
    if (its === undefined) {
      const { name, type, data, frozen } = map;
      const fixed = frozen && data !== null ? { bytes: data, settings: [] } : null;
      // an inner map, or one of an object that has no statement
      its = stated.get(name) ?? { name, type, index: null, fixed };
      known.set(map, its);
    }
    return its;
  };
}

/** None for an object that libbpf cannot load. */
function statedMapsOf(bytes: Uint8Array): readonly KnownMap[] {
  try {
    return statedKnownMaps(programPartOf(bytes, []));
  } catch (error) {
    if (error instanceof CountersignError) return [];
    throw error;
  }
}
