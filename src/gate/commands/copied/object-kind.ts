import { readLink } from "../../../sys/file.js";

/** The kind of an fd that bpf(2) returned. */
export type ObjectKind = "program" | "map" | "link" | "btf" | "iterator" | "statistics" | "token";

/**
 * The kind of an fd by the name that the kernel gives to its file. One kind can have several names: a link's file is
 * called `bpf_link` by the command that creates it, and `bpf-link` by BPF_OBJ_GET and BPF_LINK_GET_FD_BY_ID. A test
 * compares this table with each way to get an fd.
 */
export const FILE_NAMES: Readonly<Record<string, ObjectKind>> = {
  "anon_inode:bpf-prog": "program", // bpf_prog_new_fd, kernel/bpf/syscall.c
  "anon_inode:bpf-map": "map", // bpf_map_new_fd, kernel/bpf/syscall.c
  "anon_inode:bpf_link": "link", // bpf_link_prime, kernel/bpf/syscall.c
  "anon_inode:bpf-link": "link", // bpf_link_new_fd, kernel/bpf/syscall.c
  "anon_inode:btf": "btf", // __btf_new_fd, kernel/bpf/btf.c
  "anon_inode:bpf_iter": "iterator", // bpf_iter_new_fd, kernel/bpf/bpf_iter.c
  "anon_inode:bpf-stats": "statistics", // bpf_enable_runtime_stats, kernel/bpf/syscall.c
  // bpf_token_create, kernel/bpf/token.c: a file of a BPF file system without a directory entry (simple_dname,
  // fs/d_path.c)
  "/bpf-token (deleted)": "token",
};

/** The name of the file of an fd of this thread; empty if there is no such fd. */
export function fileNameOf(fd: number): string {
  return readLink(`/proc/thread-self/fd/${fd}`) ?? "";
}
