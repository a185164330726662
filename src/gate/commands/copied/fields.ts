import type { NamespaceScope } from "../../../sys/credentials.js";

/**
 * How the gate handles a field of `union bpf_attr` (linux/bpf.h) when it makes a call for a task. `at`, `length`,
 * `count` and `flags` are byte offsets in attr; lengths and counts are u32 fields.
 */
export type Field =
  /**
   * A number that is copied unchanged, of 4 bytes or of `size` bytes. `most` is the largest value that the gate
   * accepts.
   */
  | { readonly is: "value"; readonly at: number; readonly size?: 8; readonly most?: number }
  /** An fd of the task. */
  | { readonly is: "fd"; readonly at: number; readonly role: Role; readonly none?: None }
  /**
   * relative_fd or relative_id: an id if the flags have BPF_F_ID, else an fd; of a link if they have BPF_F_LINK, else
   * of a program.
   */
  | { readonly is: "relative"; readonly at: number; readonly flags: number }
  /**
   * A pointer to input of the kernel. `length` is the offset of the number of elements, of `each` bytes (default 1).
   * `most` is the largest number that the kernel accepts.
   */
  | {
      readonly is: "in";
      readonly at: number;
      readonly length: number;
      readonly each?: number;
      readonly most: number;
    }
  /**
   * A pointer to a buffer for output of the kernel, of which at most `most` bytes are used. A text ends at its NUL; for
   * other output the kernel updates the length field. `unbounded`: with a length of 0 the kernel has no limit.
   */
  | {
      readonly is: "out";
      readonly at: number;
      readonly length: number;
      readonly most: number;
      readonly text?: true;
      readonly unbounded?: true;
    }
  /** Four bytes of attr that the kernel writes. Some commands reject a value other than 0 there. */
  | { readonly is: "result"; readonly at: number }
  /** A pointer to a text that ends with a NUL, of which at most `most` bytes are copied. It may be NULL. */
  | { readonly is: "text"; readonly at: number; readonly most: number }
  /** A pointer to an array of pointers to texts. `count` is the offset of their number. */
  | { readonly is: "texts"; readonly at: number; readonly count: number };

/**
 * The role of an fd: the program or map that the command uses, the attach target, the program or map that it replaces,
 * the link that it updates, a BPF token, or none, in a field that the kernel ignores or rejects.
 */
export type Role = "object" | "target" | "replaced" | "link" | "token" | "none";

/** When an fd field has no fd: if it is 0, or if `bit` of the flags at offset `flags` is not set. */
export type None = "zero" | { readonly flags: number; readonly bit: number };

/**
 * Byte offsets of fields in attr, by their names in linux/bpf.h in camel case. `size` is the size of the part of attr
 * that the command uses. A test compares each offset with the header.
 */
export interface Offsets {
  readonly size: number;
  readonly [field: string]: number;
}

/** The attr of a command that is decided on a copy. */
export interface Layout {
  readonly attr: Offsets;
  readonly fields: readonly Field[];
  /** The errno for an fd that the task does not have, if it is not EBADF. */
  readonly noObject?: number;
  /** Whether the kernel decides on a call whose object is not a program, map or link. */
  readonly anyObject?: true;
  /**
   * The task's namespaces that the gate enters for the call, because the command names files, cgroups or network
   * interfaces. Reading them takes time, so other commands do not set this.
   */
  readonly namespaces?: NamespaceScope;
  /** Whether the command returns an fd. */
  readonly givesFd?: true;
  /** Errnos (negative) with which the kernel also writes its output; null means all of them. */
  readonly writesOn?: readonly number[] | null;
}

/** BPF_F_REPLACE, BPF_F_ID and BPF_F_LINK of linux/bpf.h. */
export const REPLACE = 1 << 2;
export const BY_ID = 1 << 5;
export const BY_LINK = 1 << 13;

/** PATH_MAX of linux/limits.h, with its NUL. */
export const PATH_MAX = 4096;
/** MAX_KPROBE_MULTI_CNT and MAX_UPROBE_MULTI_CNT of kernel/trace/bpf_trace.c. */
export const MAX_PROBES = 1 << 20;

/** An array of `uint64_t` with one element for each probe. `length` is the offset of the number of probes. */
export function counted(at: number, length: number): Field {
  return { is: "in", at, length, each: 8, most: MAX_PROBES };
}
