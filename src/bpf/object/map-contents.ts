import type { Btf } from "../btf/btf.js";
import { ELF, type Elf, type ElfSection } from "../elf/elf.js";
import { MAX_RELOCATIONS } from "../elf/limits.js";
import type { CodeMap } from "../model/code.js";

/** A map of section `.maps`, and the byte offset of its member `values`; null if it has none. */
export interface DefinedMap {
  readonly map: CodeMap;
  readonly values: number | null;
}

/** Byte offset of the member `values` in a map's definition; null if it has none. */
export function valuesOffset(btf: Btf, definition: number): number | null {
  const member = btf.members(btf.resolve(definition)).find(({ name }) => name === "values");
  return member === undefined ? null : member.bit / 8;
}

/**
 * Adds to each map the contents that the object gives it: `.values = { [0] = (void *)&program }` of a program array,
 * and the inner maps of a map of maps (libbpf's bpf_object__collect_map_relos). Contents that libbpf would reject are
 * left out and so count as unknown, as do all contents if there are too many. Maps are identified by their offset in
 * the section.
 */
export function withContents(
  elf: Elf,
  section: ElfSection,
  defined: ReadonlyMap<number, DefinedMap>,
): Map<number, CodeMap> {
  const programs = new Map<number, Map<number, string>>();
  const foreign = new Set<number>();
  const starts = [...defined.keys()].sort((a, b) => a - b);
  const addends = elf.sections.some(({ type, info }) => type === ELF.SHT_RELA && info === section.index);
  if (addends || elf.relocationCount(section) > MAX_RELOCATIONS)
    return new Map([...defined].map(([at, { map }]) => [at, unknownContents(map)]));
  for (const { offset, symbol: index } of elf.relocationsOf(section)) {
    const start = lastAtMost(starts, offset);
    const values = start === undefined ? null : defined.get(start)!.values;
    if (start === undefined || values === null) continue;
    const slot = (offset - start - values) / 8;
    const symbol = elf.symbol(index);
    const held = symbol.section === section.index ? defined.get(symbol.value) : undefined;
    const isProgram = symbol.type === ELF.STT_FUNC && defined.get(start)!.map.type === "prog_array";
    if (isProgram && Number.isInteger(slot) && slot >= 0) {
      const known = programs.get(start);
      if (known === undefined) programs.set(start, new Map([[slot, symbol.name]]));
      else known.set(slot, symbol.name);
    } else if (held === undefined || !held.map.own) foreign.add(start);
  }
  return new Map(
    [...defined].map(([at, { map }]) => {
      const its = programs.get(at);
      if (foreign.has(at)) return [at, unknownContents(map)];
      return [at, its === undefined || map.type !== "prog_array" || !map.own ? map : { ...map, programs: its }];
    }),
  );
}

/** The last of ascending numbers that is not greater than `bound`; undefined if there is none. */
function lastAtMost(ascending: readonly number[], bound: number): number | undefined {
  let low = 0;
  for (let high = ascending.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= bound) low = middle + 1;
    else high = middle;
  }
  return ascending[low - 1];
}

/** The map with unknown contents: the object puts something into it that it does not define, or that is not known. */
function unknownContents(map: CodeMap): CodeMap {
  return map.ownInner === undefined ? map : { ...map, ownInner: false };
}
