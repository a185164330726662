import type { PackageOfFile } from "../packages/package-file.js";

/** Where a known program is. */
export interface KnownPlace {
  /**
   * `file`: a BPF object, or what embeds one. `statement`: a statement of the configuration. `list`: a map of the
   * configuration with digests. `recorded`: instructions that a gate kept (`log.programs`).
   */
  readonly source: "file" | "statement" | "list" | "recorded";
  /** The path of the file; the SHA-256 of a statement. */
  readonly file: string;
  /** Offset of the object in bytes in the file; null if the file is the object, or has none. */
  readonly offset: number | null;
  /** The package that the file is a part of; null if it is none, or packages were not asked for. */
  readonly package: PackageOfFile | null;
}

/** A file as a place, outside of packages. */
export function filePlace(file: string, offset: number | null): KnownPlace {
  return { source: "file", file, offset, package: null };
}

/** A map that instructions of a known program refer to. */
export interface KnownMap {
  /** Empty if it is not known. */
  readonly name: string;
  /** Null if it is not known. */
  readonly type: string | null;
  /** Its index among the maps that libbpf creates for the object; null if it is not known. */
  readonly index: number | null;
  /** What its only value must be; null if it can be anything. */
  readonly fixed: FixedContents | null;
}

/** The contents of read-only data, in which a loader may change settings (`const volatile`). */
export interface FixedContents {
  readonly bytes: Uint8Array;
  /** Ranges in bytes. */
  readonly settings: readonly { readonly offset: number; readonly size: number }[];
}

/** A reference of an instruction to a map of the object. */
export interface KnownReference {
  readonly map: KnownMap;
  /** Offset in bytes into the map's value; null if the reference is to the map itself. */
  readonly offset: number | null;
  /** The first of the two slots of its instruction. */
  readonly slot: number;
}

/** A program whose instructions before the load, or their digest, are known. */
export interface KnownProgram extends KnownPlace {
  /** Empty if it is not known. */
  readonly name: string;
  /** Null if it is not known. */
  readonly type: string | null;
  /** As bpftool spells it; null if it has none, the loader chooses it, or it is not known. */
  readonly attachType: string | null;
  /** Null if it is not known. */
  readonly license: string | null;
  /** SHA-256 of its instructions on this kernel, in lower-case hex: the fact `digest` of policies. */
  readonly digest: string;
  /** The tag that this kernel reports for it: 8 bytes in hex; null if only the digest is known. */
  readonly tag: string | null;
  /** The references to maps in its instructions, in their order; null if they are not known. */
  readonly references: readonly KnownReference[] | null;
  /** Its instructions on this kernel with zeroed references to maps; null if they are not known. */
  readonly insns: Uint8Array | null;
  /** The flags with which a loader loads it (`prog_flags`). */
  readonly flags: number;
  /** The first slot of each function, and its type in the object's BTF; null if they are not known. */
  readonly functions: readonly { readonly start: number; readonly btfId: number | null }[] | null;
}
