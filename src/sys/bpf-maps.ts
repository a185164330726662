import { bpf, type KernelMap, mapInfo } from "./bpf.js";
import { syscall } from "./libc.js";
import { NR } from "./numbers.js";

const MAP_GET_NEXT_ID = 12;
const MAP_GET_FD_BY_ID = 14;
/** BPF_F_RDONLY of linux/bpf.h. */
const RDONLY = 1 << 3;

/** The id of the map after this one, or a negative errno: ENOENT at the end, EPERM without CAP_SYS_ADMIN. */
export function nextMapId(id: number): number {
  const attr = new Uint32Array([id, 0, 0]);
  const result = bpf(MAP_GET_NEXT_ID, new Uint8Array(attr.buffer));
  return result < 0 ? result : attr[1]!;
}

/** Opens a map by its id. Returns an fd, which the caller closes by {@link closeMap}, or a negative errno. */
export function openMap(id: number, access: "read" | "read and write"): number {
  return bpf(MAP_GET_FD_BY_ID, new Uint8Array(Uint32Array.of(id, 0, access === "read" ? RDONLY : 0).buffer));
}

export function closeMap(fd: number): void {
  syscall(NR.close, fd);
}

/** What the kernel reports about a map that may only be read; a negative errno if there is none with this id. */
export function mapReportById(id: number): KernelMap | number {
  const fd = openMap(id, "read");
  if (fd < 0) return fd;
  const report = mapInfo(fd);
  closeMap(fd);
  return report;
}
