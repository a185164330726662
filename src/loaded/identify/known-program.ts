import type { CodeMap } from "../../bpf/model/code.js";

/** Where a known program is. */
export interface KnownPlace {
  /** The file that is the BPF object, or embeds it. */
  readonly file: string;
  /** Offset of the object in bytes in the file; null if the file is the object. */
  readonly offset: number | null;
}

/** A reference of an instruction to a map of the object. */
export interface KnownReference {
  readonly map: CodeMap;
  /** Offset in bytes into the map's value; null if the reference is to the map itself. */
  readonly offset: number | null;
}

/** A program whose instructions before the load are known. */
export interface KnownProgram extends KnownPlace {
  readonly name: string;
  readonly type: string;
  /** As bpftool spells it; null if it has none, or the loader chooses it. */
  readonly attachType: string | null;
  /** SHA-256 of its instructions on this kernel, in lower-case hex: the fact `digest` of policies. */
  readonly digest: string;
  /** The tag that this kernel reports for it: 8 bytes in hex. */
  readonly tag: string;
  /** The references to maps in its instructions, in their order. */
  readonly references: readonly KnownReference[];
}
