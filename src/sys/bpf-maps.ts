import { type KernelMap, mapInfo, nextObjectId, openObject } from "./bpf.js";
import { syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** The id of the map after this one, or a negative errno: ENOENT at the end, EPERM without CAP_SYS_ADMIN. */
export function nextMapId(id: number): number {
  return nextObjectId("map", id);
}

/** Opens a map by its id. Returns an fd, which the caller closes by {@link closeMap}, or a negative errno. */
export function openMap(id: number, access: "read" | "read and write"): number {
  return openObject("map", id, access === "read and write");
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
