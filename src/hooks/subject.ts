import type { MapFacts, ProgramFacts } from "../bpf/facts.js";
import type { HOOKS, HookName } from "./catalogue.js";
import type { CommandSubject } from "./command.js";

/**
 * What a hook is about. Only the engine makes one. Every subject has a `digest` (SHA-256, lower-case hex, of what was
 * looked at) and a `name` for people.
 */
export interface ProgramSubject extends ProgramFacts {
  /** Detached, over `insns`: from the signature store or beside the file. */
  readonly signature: Uint8Array | null;
  /** From bpf_attr, over `raw_insns`. */
  readonly kernel_signature: Uint8Array | null;
  /** The configuration's keyring for the one that bpf_attr names for `kernel_signature`; null where it has none. */
  readonly kernel_keyring: string | null;
  /** The object file that the program came from; null for a live load. */
  readonly object: FileFacts | null;
  /** What the kernel made of it; null where it is not loaded, which it is at a live gate's `bpf_prog` alone. */
  readonly loaded: LoadedFacts | null;
  /** Whether the kernel loaded other instructions than those that were judged (bpf_core_apply of kernel/bpf/btf.c). */
  readonly rewritten: boolean;
}

/** What the kernel reports about a loaded program (struct bpf_prog_info of linux/bpf.h). */
export interface LoadedFacts {
  /** 8 bytes, lower-case hex; of SHA-1 before Linux 6.18. */
  readonly tag: string;
  /**
   * Instructions that the verifier walked, each as often as it came by: its work at load, not the program's run time.
   */
  readonly verified_insns: number;
  /** Bytes after the verifier's rewriting; */
  readonly xlated_size: number;
  /** and of machine code: 0 where it is interpreted. */
  readonly jited_size: number;
  readonly map_ids: readonly number[];
}

export interface FileFacts {
  readonly path: string;
  readonly sha256: string;
  readonly data: Uint8Array;
  readonly signature: Uint8Array | null;
}

export interface MapSubject extends MapFacts {
  readonly digest: string;
  /** `r`, `w` or `rw`: with which access the fd is handed out; null when the map is being created. */
  readonly access: string | null;
}

export interface TokenSubject {
  readonly name: string;
  readonly digest: string;
}

export interface FileSubject extends FileFacts {
  readonly name: string;
  readonly digest: string;
  /** What the file is read for: `exec`, `module`. */
  readonly purpose: string;
  /** A kernel module's parameters; null for anything else. */
  readonly parameters: string | null;
}

export interface BlobSubject {
  readonly name: string;
  readonly digest: string;
  readonly data: Uint8Array;
  readonly signature: Uint8Array | null;
}

interface Subjects {
  program: ProgramSubject;
  map: MapSubject;
  command: CommandSubject;
  token: TokenSubject;
  file: FileSubject;
  blob: BlobSubject;
}

export type SubjectOf<H extends HookName> = Subjects[(typeof HOOKS)[H]["subject"]];
export type Subject = Subjects[keyof Subjects];
