import { ERRNO } from "../../errno.js";
import type { NamespaceScope } from "../sys/credentials.js";

/**
 * What a field of `union bpf_attr` is to whoever carries a command out for another task (linux/bpf.h). `at` and every
 * other number named so is a byte offset. Lengths and counts stand in attr themselves, as u32.
 */
export type Field =
  /** Goes as it is: 4 bytes unless `size` says more. `most` is the largest that the gate takes. */
  | { readonly is: "value"; readonly at: number; readonly size?: 8; readonly most?: number }
  /** One of the task's fds. */
  | { readonly is: "fd"; readonly at: number; readonly role: Role; readonly none?: None }
  /** An id or, without the flag that says so, an fd; of a program, or of a link with another flag. */
  | { readonly is: "relative"; readonly at: number; readonly flags: number }
  /** Bytes to be copied in: `each` for one of what is counted. `errno` is what more than `most` of them come to. */
  | {
      readonly is: "in";
      readonly at: number;
      readonly length: number;
      readonly each?: number;
      readonly most: number;
      readonly errno: number;
    }
  /** Room that the kernel writes to, at most `most` bytes of it: a text up to its NUL, or as much as it then says. */
  | { readonly is: "out"; readonly at: number; readonly length: number; readonly most: number; readonly text?: true }
  /** Four bytes that the kernel writes. */
  | { readonly is: "result"; readonly at: number }
  /** A text that ends with a NUL, at most so many bytes of it; null where there is none. */
  | { readonly is: "text"; readonly at: number; readonly most: number }
  /** As many texts as are counted. */
  | { readonly is: "texts"; readonly at: number; readonly count: number };

/** What an fd is of: the program or map that is put to use, what it is put to, and what stood there before. */
export type Role = "object" | "target" | "replaced" | "link";

/** When an fd field holds none: where it is 0, or where a bit of the flags at an offset is not set. */
export type None = "zero" | { readonly flags: number; readonly bit: number };

/** A command that is decided on a copy. */
export interface Layout {
  /** Bytes of attr that its fields take. */
  readonly size: number;
  readonly fields: readonly Field[];
  /** What comes of an fd that the task does not have, where that is not EBADF. */
  readonly noObject?: number;
  /**
   * How far it goes where it names files, cgroups or networks: what that needs of the task's identity takes time to
   * find out.
   */
  readonly namespaces?: NamespaceScope;
  /** Whether it answers with an fd. */
  readonly givesFd?: true;
  /** Negative results with which the kernel has written to the task all the same; null for any. */
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
/** What the kernel takes of a packet or a context is less (net/bpf/test_run.c, bpf_prog_test_run_syscall). */
const MAX_RUN_BYTES = MIB;
/** The gate waits for the runs, and all others for the gate. */
const MAX_REPEAT = 1 << 16;

/**
 * By command number. BPF_LINK_CREATE goes on behind `flags` as its target says ({@link TARGETS}), and PROG_ATTACH
 * before.
 */
export const LAYOUTS: Readonly<Record<number, Layout>> = {
  /** BPF_OBJ_PIN: pathname 0 · bpf_fd 8 · file_flags 12 · path_fd 16. The path is looked up by {@link openPlace}. */
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
   * BPF_PROG_DETACH: as PROG_ATTACH. Where attach_bpf_fd is 0 whatever is there is meant, as libbpf's bpf_prog_detach
   * has it; another number that is no program means that to cgroups as well, which is an error here.
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
   * BPF_RAW_TRACEPOINT_OPEN: name 0 · prog_fd 8 · cookie 16. The kernel takes 127 bytes of the name
   * (bpf_raw_tp_link_attach).
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
  /** BPF_LINK_CREATE: prog_fd or map_fd 0 · target 4 · attach_type 8 · flags 12, and what the target asks for. */
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
