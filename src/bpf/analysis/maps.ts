import type { CodeMap } from "../code.js";
import type { Findings } from "../findings.js";

/** Bits 0 to 29 stand for one map each. */
const NAMED = 30;
/** The maps that the program brings along and that have no bit of their own. */
const OTHER_OWN = 1 << 30;
/** A map that it did not bring along, or that is not known. */
export const FOREIGN = 1 << 31;

/** Types whose values are maps or sockets (include/uapi/linux/bpf.h, enum bpf_map_type), by what a lookup gives. */
const HOLDS: Readonly<Record<string, "maps" | "sockets">> = {
  array_of_maps: "maps",
  hash_of_maps: "maps",
  sockmap: "sockets",
  sockhash: "sockets",
  xskmap: "sockets",
  reuseport_sockarray: "sockets",
};

/** The maps of one program as bits of a word. */
export class Maps {
  readonly #bits = new Map<CodeMap, number>();
  readonly #named: CodeMap[] = [];
  readonly #inner = new Map<CodeMap, number>();

  constructor(readonly findings: Findings) {}

  /** Maps whose values are maps, whose values are sockets, whose values may hold pointers to user memory, arenas. */
  ofMaps = FOREIGN;
  ofSockets = FOREIGN;
  ofUserMemory = FOREIGN;
  arenas = 0;
  shared = FOREIGN;

  bit(map: CodeMap): number {
    const known = this.#bits.get(map);
    if (known !== undefined) return known;
    const named = this.#named.length < NAMED;
    const bit = named ? 1 << this.#named.length : map.own ? OTHER_OWN : FOREIGN;
    if (named) this.#named.push(map);
    this.#bits.set(map, bit);
    if (HOLDS[map.type] === "maps") this.ofMaps |= bit;
    if (HOLDS[map.type] === "sockets") this.ofSockets |= bit;
    if (map.type === "task_storage" || map.type === "unknown") this.ofUserMemory |= bit;
    if (map.type === "arena") this.arenas |= bit;
    if (!map.own) this.shared |= bit;
    return bit;
  }

  /**
   * What one of these maps holds, where it holds maps. Programs cannot put a map into another
   * (check_map_func_compatibility of kernel/bpf/verifier.c leaves them bpf_map_lookup_elem alone): who loads the
   * program does. An object says which kind of map its loader makes; of a live load that is not known, as user space
   * may put other maps into it at any time.
   */
  innerOf(bits: number): number {
    const outer = this.only(bits);
    if (outer === null || outer.inner === null) return FOREIGN;
    let inner = this.#inner.get(outer);
    if (inner === undefined) {
      const own = outer.own && outer.ownInner === true;
      if (own) this.findings.asDeclared = true;
      inner = this.bit({ ...outer.inner, own });
      this.#inner.set(outer, inner);
    }
    return inner;
  }

  /** The one map that these bits stand for; null where they stand for more or for one that is not known. */
  only(bits: number): CodeMap | null {
    const index = 31 - Math.clz32(bits);
    return bits !== 0 && (bits & (bits - 1)) === 0 && index < NAMED ? (this.#named[index] ?? null) : null;
  }

  /** For people: the first of these maps that the program did not bring along. */
  nameShared(bits: number): string {
    const map = this.#named.find((_, index) => (bits & this.shared & (1 << index)) !== 0);
    return map === undefined ? "a map that is not known" : `map \`${map.name}\``;
  }
}
