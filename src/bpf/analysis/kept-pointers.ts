import type { Code } from "../model/code.js";
import { KIND } from "./values/kinds.js";

/** Type tags of fields that hold a pointer to a kernel object (btf_get_field_type of kernel/bpf/btf.c, 6.1 to 7.3). */
const TAGS: ReadonlySet<string> = new Set(["kptr", "kptr_untrusted", "kptr_ref", "percpu_kptr"]);

/**
 * Which memory may keep addresses of the kernel that a load gives back as pointers (bpf_kptr_xchg): the BTF of a map
 * says so by a type tag. Maps of the program's object have the same BTF as the program. Of a map of others it is not
 * known, unless the program's BTF lacks the tags, as it does for maps that an object declares again.
 */
export class KeptPointers {
  #isTagged: boolean | undefined;

  constructor(
    readonly code: Pick<Code, "btf" | "translation">,
    /** Bits of the maps that the program did not create (maps.ts). */
    readonly shared: () => number,
  ) {}

  /** ADDRESS if eight bytes of memory of these kinds and maps may be an address; otherwise 0. */
  in(kinds: number, maps: number): number {
    const { btf, translation } = this.code;
    if (translation?.keepsPointers === true) return KIND.ADDRESS;
    if (btf === null) return (kinds & KIND.MEMORY) === 0 && (maps & this.shared()) !== 0 ? KIND.ADDRESS : 0;
    this.#isTagged ??= btf.names("type_tag", TAGS);
    return this.#isTagged ? KIND.ADDRESS : 0;
  }
}
