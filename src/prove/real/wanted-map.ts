import type { CodeMap } from "../../bpf/model/code.js";
import type { MapFacts } from "../../bpf/model/facts.js";
import { factsOfMap } from "../../bpf/model/map-memory.js";
import type { Unmet } from "./program-object.js";
import { mapsLike } from "./program-object.js";

/** BPF_F_RDONLY and BPF_F_WRONLY of linux/bpf.h: they say which access the fd of a map gives. */
const ACCESS_FLAGS: readonly (readonly [access: string, flags: number])[] = [
  ["rw", 0],
  ["r", 1 << 3],
  ["w", 1 << 4],
];

/** Types and sizes that are tried if those of the model do not do: its memory follows from them. */
const TYPES = ["hash", "array", "ringbuf"] as const;
const ENTRIES = [1, 4_096, 1 << 16, 1 << 20, 1 << 26] as const;

/** The definition of a map with facts that satisfy conditions, or with the fewest that do not hold. */
export function wantedMap(wanted: MapFacts, unmet: Unmet): CodeMap {
  let best: { readonly map: CodeMap; readonly count: number } | null = null;
  for (const { access, ...facts } of candidates(wanted)) {
    const [map] = mapsLike([facts]);
    const count = unmet({ ...factsOfMap(map!), access }).length;
    if (best === null || count < best.count) best = { map: map!, count };
    if (count === 0) break;
  }
  return best!.map;
}

function* candidates(wanted: MapFacts): Generator<MapFacts & { readonly access: string }> {
  const sized = ENTRIES.map((max_entries) => ({ key_size: 4, value_size: 8, max_entries }));
  for (const sizes of [{}, ...sized])
    for (const type of [wanted.type, ...TYPES])
      for (const [access, flags] of ACCESS_FLAGS)
        yield { ...wanted, ...sizes, type, flags: wanted.flags | flags, access };
}
