/** A known program as it is to be loaded again: plain data, which is sent to the process that loads it. */
export interface LoadAgain {
  /** Numbers of linux/bpf.h. */
  readonly type: number;
  readonly attachType: number;
  readonly flags: number;
  readonly license: string;
  /** struct bpf_insn[] with zeroed references to maps. */
  readonly insns: Uint8Array;
  /** The first slot of each reference to a map, the map's id, and the offset in its value; null for the map itself. */
  readonly references: readonly { readonly slot: number; readonly map: number; readonly offset: number | null }[];
  /** The id of the loaded program's BTF, and struct bpf_func_info[] by it; null for none. */
  readonly functions: { readonly btf: number; readonly records: Uint8Array } | null;
}

/** What the kernel made of it, or the negative errno of what failed. */
export interface LoadedAgain {
  readonly translated: Uint8Array | number;
  /** What failed, as a verb with its object; empty if nothing did. */
  readonly failed: string;
}

/** The name of programs that are loaded again. */
export const NAME = "cs_verify";
