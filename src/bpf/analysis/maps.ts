import type { EvidenceCollector } from "../evidence/evidence-collector.js";
import type { CodeMap } from "../model/code.js";
import { KIND } from "./values/kinds.js";

/** Bits 0 to 29 stand for one map each. */
const NAMED = 30;
/** The program's own maps that have no bit of their own. */
const OTHER_OWN = 1 << 30;
/** A map that the program did not create, or an unknown one. */
export const FOREIGN = 1 << 31;

/** Map types that hold maps or sockets instead of values (include/uapi/linux/bpf.h, enum bpf_map_type). */
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

  constructor(readonly findings: EvidenceCollector) {}

  /** Maps that hold maps; maps that hold sockets; maps whose values may contain pointers to user memory; arenas. */
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
   * The inner maps of a map of maps. Programs cannot put a map into another one (check_map_func_compatibility of
   * kernel/bpf/verifier.c allows only bpf_map_lookup_elem); the loader does. An object declares which kind of map its
   * loader creates. In a live load that is not known, since user space may insert other maps at any time.
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

  /**
   * What a pointer to one of these maps points to after the kernel has added to it, in place of a lookup: the value of
   * an array, and a pointer to it in a map of another type (`map_gen_lookup` of struct bpf_map_ops).
   */
  insideOf(bits: number): number {
    const map = this.only(bits);
    return map === null ? KIND.MAP_VALUE | KIND.ELEMENT : map.type === "array" ? KIND.MAP_VALUE : KIND.ELEMENT;
  }

  /** The only map in these bits; null if there are several, or if it is unknown. */
  only(bits: number): CodeMap | null {
    const index = 31 - Math.clz32(bits);
    return bits !== 0 && (bits & (bits - 1)) === 0 && index < NAMED ? (this.#named[index] ?? null) : null;
  }

  /** All maps in these bits; null if one of them is unknown or has no bit of its own. */
  all(bits: number): readonly CodeMap[] | null {
    if (bits === 0 || (bits & (OTHER_OWN | FOREIGN)) !== 0) return null;
    return this.#named.filter((_, index) => (bits & (1 << index)) !== 0);
  }

  /** For messages: the first of these maps that the program did not create. */
  nameShared(bits: number): string {
    const map = this.#named.find((_, index) => (bits & this.shared & (1 << index)) !== 0);
    return map === undefined ? "a map that is not known" : `map \`${map.name}\``;
  }
}
