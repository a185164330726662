import { bpf, type KernelMap, mapInfo } from "./bpf.js";
import { addressOf, keepAlive, syscall } from "./libc.js";
import { NR } from "./numbers.js";

const MAP_LOOKUP_ELEM = 1;
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

/** An element of an array map; null if it cannot be read. `size` is the map's value size. */
export function elementAt(fd: number, index: number, size: number): Buffer | null {
  const key = Uint32Array.of(index);
  const value = Buffer.alloc(Math.ceil(size / 8) * 8);
  const attr = new DataView(new ArrayBuffer(32));
  attr.setUint32(0, fd, true);
  attr.setBigUint64(8, BigInt(addressOf(key)), true);
  attr.setBigUint64(16, BigInt(addressOf(value)), true);
  return bpf(MAP_LOOKUP_ELEM, keepAlive(new Uint8Array(attr.buffer), key)) < 0 ? null : value.subarray(0, size);
}
