import type { MapFacts, ProgramFacts } from "../bpf/facts.js";
import type { HOOKS, HookName } from "./catalogue.js";
import type { CommandSubject } from "./command.js";

/**
 * What a decision is about. Only the engine makes subjects. Every subject has a `digest` (SHA-256 of the judged bytes
 * in lower-case hex) and a `name` for people.
 */
export interface ProgramSubject extends ProgramFacts {
  /** Detached signature over `insns`, from the signature store or from a file beside the object. */
  readonly signature: Uint8Array | null;
  /** Signature over `raw_insns` from bpf_attr (`signature`). */
  readonly kernel_signature: Uint8Array | null;
  /** The keyring of the configuration for `keyring_id` of bpf_attr; null if the configuration maps that id to none. */
  readonly kernel_keyring: string | null;
  /** The object file that the program came from; null for a live load. */
  readonly object: FileFacts | null;
  /** What the kernel reports about the loaded program. Only hook `bpf_prog` at a live gate has it; null otherwise. */
  readonly loaded: LoadedFacts | null;
  /** Whether the kernel loaded instructions other than those that were judged (bpf_core_apply, kernel/bpf/btf.c). */
  readonly rewritten: boolean;
}

/** What the kernel reports about a loaded program (struct bpf_prog_info of linux/bpf.h). */
export interface LoadedFacts {
  /** 8 bytes in lower-case hex: truncated SHA-256, or SHA-1 before Linux 6.18. */
  readonly tag: string;
  /**
   * Instructions that the verifier processed, counting repetitions: the verifier's work, not the run time of the
   * program.
   */
  readonly verified_insns: number;
  /** Size in bytes of the instructions after the verifier rewrote them. */
  readonly xlated_size: number;
  /** Size in bytes of the machine code; 0 if the kernel interprets the program. */
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
  /** The access that the fd gives: `r`, `w` or `rw`; null while the map is being created. */
  readonly access: string | null;
}

export interface TokenSubject {
  readonly name: string;
  readonly digest: string;
}

export interface FileSubject extends FileFacts {
  readonly name: string;
  readonly digest: string;
  /** Why the kernel reads the file: `exec` or `module`. */
  readonly purpose: string;
  /** Parameters of a kernel module; null for any other file. */
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
