import { ERRNO } from "../../errno.js";
import type { NamespaceScope } from "../sys/credentials.js";

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
   * A pointer to input of the kernel. `length` is the offset of the number of elements, of `each` bytes (default 1). If
   * there are more than `most` elements, the task gets `errno`.
   */
  | {
      readonly is: "in";
      readonly at: number;
      readonly length: number;
      readonly each?: number;
      readonly most: number;
      readonly errno: number;
    }
  /**
   * A pointer to a buffer for output of the kernel, of which at most `most` bytes are used. A text ends at its NUL; for
   * other output the kernel updates the length field.
   */
  | { readonly is: "out"; readonly at: number; readonly length: number; readonly most: number; readonly text?: true }
  /** Four bytes of attr that the kernel writes. */
  | { readonly is: "result"; readonly at: number }
  /** A pointer to a text that ends with a NUL, of which at most `most` bytes are copied. It may be NULL. */
  | { readonly is: "text"; readonly at: number; readonly most: number }
  /** A pointer to an array of pointers to texts. `count` is the offset of their number. */
  | { readonly is: "texts"; readonly at: number; readonly count: number };

/**
 * The role of an fd: the program or map that the command uses, the attach target, the program or map that it replaces,
 * or the link that it updates.
 */
export type Role = "object" | "target" | "replaced" | "link";

/** When an fd field has no fd: if it is 0, or if `bit` of the flags at offset `flags` is not set. */
export type None = "zero" | { readonly flags: number; readonly bit: number };

/** The attr of a command that is decided on a copy. */
export interface Layout {
  /** Size in bytes of the part of attr that the command uses. */
  readonly size: number;
  readonly fields: readonly Field[];
  /** The errno for an fd that the task does not have, if it is not EBADF. */
  readonly noObject?: number;
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

const KIB = 1024;
const MIB = 1024 * KIB;

/** PATH_MAX of linux/limits.h, with its NUL. */
export const PATH_MAX = 4096;
/** MAX_KPROBE_MULTI_CNT and MAX_UPROBE_MULTI_CNT of kernel/trace/bpf_trace.c. */
export const MAX_PROBES = 1 << 20;
/** Larger than any packet or context that the kernel accepts (net/bpf/test_run.c, bpf_prog_test_run_syscall). */
const MAX_RUN_BYTES = MIB;
/** Limit of repetitions in a test run, because the gate waits until the run ends. */
const MAX_REPEAT = 1 << 16;

/**
 * Layouts by command number. A {@link Plan} adds fields that depend on the attach type: the target of BPF_LINK_CREATE,
 * BPF_PROG_ATTACH and BPF_PROG_DETACH, and the fields of BPF_LINK_CREATE after `flags`.
 */
export const LAYOUTS: Readonly<Record<number, Layout>> = {
  /** BPF_OBJ_PIN: pathname 0 · bpf_fd 8 · file_flags 12 · path_fd 16. {@link openNewName} looks the path up. */
  6: {
    size: 24,
    namespaces: "cgroup",
    noObject: -ERRNO.EINVAL,
    fields: [
      { is: "fd", at: 8, role: "object" },
      { is: "value", at: 12 },
    ],
  },
  /**
   * BPF_PROG_ATTACH: target_fd 0 · attach_bpf_fd 4 · attach_type 8 · attach_flags 12 · replace_bpf_fd 16 · relative 20
   * · revision 24.
   */
  8: {
    size: 32,
    namespaces: "cgroup",
    fields: [
      { is: "fd", at: 4, role: "object" },
      { is: "value", at: 8 },
      { is: "value", at: 12 },
      { is: "fd", at: 16, role: "replaced", none: { flags: 12, bit: REPLACE } },
      { is: "relative", at: 20, flags: 12 },
      { is: "value", at: 24, size: 8 },
    ],
  },
  /**
   * BPF_PROG_DETACH: offsets as in BPF_PROG_ATTACH. If attach_bpf_fd is 0, the kernel detaches whatever program is
   * attached; libbpf's bpf_prog_detach uses this. For cgroups the kernel treats any fd that is not a program like 0,
   * but the gate returns an error for it.
   */
  9: {
    size: 32,
    namespaces: "cgroup",
    fields: [
      { is: "fd", at: 4, role: "object", none: "zero" },
      { is: "value", at: 8 },
      { is: "value", at: 12 },
      { is: "relative", at: 20, flags: 12 },
      { is: "value", at: 24, size: 8 },
    ],
  },
  /**
   * BPF_PROG_RUN: prog_fd 0 · retval 4 · data_size_in 8 · data_size_out 12 · data_in 16 · data_out 24 · repeat 32 ·
   * duration 36 · ctx_size_in 40 · ctx_size_out 44 · ctx_in 48 · ctx_out 56 · flags 64 · cpu 68 · batch_size 72.
   */
  10: {
    size: 80,
    writesOn: [-ERRNO.ENOSPC],
    fields: [
      { is: "fd", at: 0, role: "object" },
      { is: "result", at: 4 },
      { is: "in", at: 16, length: 8, most: MAX_RUN_BYTES, errno: ERRNO.EINVAL },
      { is: "out", at: 24, length: 12, most: MAX_RUN_BYTES },
      { is: "result", at: 12 },
      { is: "value", at: 32, most: MAX_REPEAT },
      { is: "result", at: 36 },
      { is: "in", at: 48, length: 40, most: MAX_RUN_BYTES, errno: ERRNO.EINVAL },
      { is: "out", at: 56, length: 44, most: MAX_RUN_BYTES },
      { is: "result", at: 44 },
      { is: "value", at: 64 },
      { is: "value", at: 68 },
      { is: "value", at: 72 },
    ],
  },
  /**
   * BPF_RAW_TRACEPOINT_OPEN: name 0 · prog_fd 8 · cookie 16. The kernel reads at most 127 bytes of the name
   * (bpf_raw_tp_link_attach of kernel/bpf/syscall.c).
   */
  17: {
    size: 24,
    givesFd: true,
    fields: [
      { is: "text", at: 0, most: 127 },
      { is: "fd", at: 8, role: "object" },
      { is: "value", at: 16, size: 8 },
    ],
  },
  /**
   * BPF_BTF_LOAD: btf 0 · btf_log_buf 8 · btf_size 16 · btf_log_size 20 · btf_log_level 24 · btf_log_true_size 28 ·
   * btf_flags 32 · btf_token_fd 36. BTF_MAX_SIZE of linux/btf.h is 16 MiB.
   */
  18: {
    size: 40,
    givesFd: true,
    writesOn: null,
    fields: [
      { is: "in", at: 0, length: 16, most: 16 * MIB, errno: ERRNO.E2BIG },
      { is: "out", at: 8, length: 20, most: 16 * MIB, text: true },
      { is: "value", at: 24 },
      { is: "result", at: 28 },
      { is: "value", at: 32 },
    ],
  },
  /** BPF_LINK_CREATE: prog_fd or map_fd 0 · target 4 · attach_type 8 · flags 12 · fields of the target from 16. */
  28: {
    size: 64,
    namespaces: "cgroup",
    givesFd: true,
    fields: [
      { is: "fd", at: 0, role: "object" },
      { is: "value", at: 8 },
      { is: "value", at: 12 },
    ],
  },
  /** BPF_LINK_UPDATE: link_fd 0 · new_prog_fd or new_map_fd 4 · flags 8 · old_prog_fd or old_map_fd 12. */
  29: {
    size: 16,
    fields: [
      { is: "fd", at: 0, role: "link" },
      { is: "fd", at: 4, role: "object" },
      { is: "value", at: 8 },
      { is: "fd", at: 12, role: "replaced", none: { flags: 8, bit: REPLACE } },
    ],
  },
};
