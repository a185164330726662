/** map_flags of include/uapi/linux/bpf.h. */
const RDONLY = 1 << 3;
const WRONLY = 1 << 4;
const RDONLY_PROG = 1 << 7;

/** What the kernel adds to the flags of some types (dev_map_init_map, kernel/bpf/devmap.c). */
const ADDED: Readonly<Record<string, number>> = { devmap: RDONLY_PROG, devmap_hash: RDONLY_PROG };

/**
 * The flags that the kernel reports for a map created with these flags. BPF_F_RDONLY and BPF_F_WRONLY belong to the fd
 * and not to the map (bpf_map_flags_retain_permanent, kernel/bpf/syscall.c).
 */
export function reportedMapFlags(type: string, flags: number): number {
  return ((flags & ~(RDONLY | WRONLY)) | (ADDED[type] ?? 0)) >>> 0;
}
