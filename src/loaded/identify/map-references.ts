import { decodeInsns, LD_SRC, OP } from "../../bpf/insn/insn.js";
import type { KnownMap, KnownReference } from "./known-program.js";

/** A reference to a map in translated instructions. */
export interface LoadedReference {
  /** The map's id. */
  readonly map: number;
  /** Offset in bytes into the map's value; null if the reference is to the map itself. */
  readonly offset: number | null;
}

/**
 * The references to maps in translated instructions, in their order. The kernel shows the id of a map in `imm`, and the
 * offset in the second slot (bpf_insn_prepare_dump of kernel/bpf/syscall.c). Throws INSN_MALFORMED.
 */
export function loadedReferences(translated: Uint8Array): readonly LoadedReference[] {
  const insns = decodeInsns(translated);
  const found: LoadedReference[] = [];
  for (let slot = 0; slot + 1 < insns.count; slot++) {
    if (insns.opcode[slot] !== OP.LD_IMM64) continue;
    const [kind, map, offset] = [insns.src[slot], insns.imm[slot]!, insns.imm[slot + 1]!];
    if (kind === LD_SRC.MAP_FD) found.push({ map, offset: null });
    else if (kind === LD_SRC.MAP_VALUE) found.push({ map, offset });
    slot++;
  }
  return found;
}

/** More than the references of real programs need, which are compared once. */
const STEPS = 4_000_000;

/**
 * The known map for which each loaded map stands, by the loaded map's id, if a loaded program refers to maps as a known
 * one does; otherwise null. A tag and a digest leave out which maps instructions refer to, and where in a value they
 * point. The verifier removes instructions that never run, so the loaded references must be a part of the known ones,
 * in their order, with the same offsets; each loaded map must stand for one known map that it `fits`, and no two for
 * the same. Tools change other properties of maps before they create them.
 */
export function assignedMaps(
  loaded: readonly LoadedReference[],
  known: readonly KnownReference[],
  fits: (map: number, known: KnownMap) => boolean,
): ReadonlyMap<number, KnownMap> | null {
  const assigned = new Map<number, KnownMap>();
  const taken = new Set<KnownMap>();
  const isSame = ({ map, offset }: LoadedReference, reference: KnownReference): boolean => {
    if (offset !== reference.offset) return false;
    const other = assigned.get(map);
    if (other !== undefined) return other === reference.map;
    return !taken.has(reference.map) && fits(map, reference.map);
  };
  /** The place of each loaded reference so far, and whether it was the first one to its map. */
  const chosen: { readonly place: number; readonly isFirst: boolean }[] = [];
  let from = 0;
  for (let steps = 0; steps < STEPS; steps++) {
    const wanted = loaded[chosen.length];
    if (wanted === undefined) return assigned;
    const reference = known[from];
    if (reference === undefined) {
      // another choice for the first reference to a map; later places of other references leave fewer of them
      let last = chosen.pop();
      while (last !== undefined && !last.isFirst) last = chosen.pop();
      if (last === undefined) return null;
      const { map } = loaded[chosen.length]!;
      taken.delete(assigned.get(map)!);
      assigned.delete(map);
      from = last.place + 1;
    } else {
      if (isSame(wanted, reference)) {
        const isFirst = !assigned.has(wanted.map);
        assigned.set(wanted.map, reference.map);
        taken.add(reference.map);
        chosen.push({ place: from, isFirst });
      }
      from++;
    }
  }
  return null;
}
