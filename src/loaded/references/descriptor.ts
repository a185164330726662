import { readlinkSync } from "node:fs";
import { objectReport } from "../../sys/bpf-objects.js";
import type { ObjectName } from "../model/references.js";
import { fdinfoOf } from "../reads/object-results.js";
import type { Raw } from "../reads/reads.js";
import { fileResult } from "../reads/values.js";

/**
 * Whether the target of a link in /proc/PID/fd is a program, map or link: the names of anonymous inodes in
 * kernel/bpf/syscall.c. The kernel names links in two ways.
 */
export function isBpfObject(target: string): boolean {
  return /^anon_inode:bpf[-_](?:prog|map|link)$/.test(target);
}

/** Whether it is a link. */
export function isLink(target: string): boolean {
  return /^anon_inode:bpf[-_]link$/.test(target);
}

/**
 * What the kernel tells of a descriptor of this thread, as {@link describedObject} reads it: its fdinfo, or for a link
 * only the line with its id. Linux 6.18 reads an address of 0 where it makes the fdinfo of a kprobe_multi link without
 * cookies (bpf_kprobe_multi_show_fdinfo of kernel/trace/bpf_trace.c), which ends the task that reads it, and can stop
 * the machine. So the fdinfo of a link is never read.
 */
export function descriptionOfFd(fd: number): Raw {
  const target = fileResult(() => readlinkSync(`/proc/thread-self/fd/${fd}`, "buffer"));
  if (typeof target === "number") return target;
  if (!isLink(target.toString("latin1"))) return fdinfoOf(fd);
  const info = objectReport(fd, LINK_HEAD);
  return typeof info === "number" ? info : Buffer.from(`link_id:\t${info.getUint32(LINK_ID, true)}\n`);
}

/** struct bpf_link_info of linux/bpf.h: type u32 0 · id 4. */
const LINK_HEAD = 8;
const LINK_ID = 4;

/** The line of fdinfo that has the object's own id, by kind. A link's fdinfo also has the id of its program. */
const ID_LINES = [
  ["link", /^link_id:[\t ]*(\d+)$/m],
  ["map", /^map_id:[\t ]*(\d+)$/m],
  ["program", /^prog_id:[\t ]*(\d+)$/m],
] as const;

/** The object of a descriptor, from its fdinfo; null if it has none with an id. */
export function describedObject(fdinfo: string): ObjectName | null {
  for (const [kind, line] of ID_LINES) {
    const id = Number(line.exec(fdinfo)?.[1] ?? 0);
    if (id > 0 && id <= MAX_ID) return { kind, id };
  }
  return null;
}

/** Ids are positive numbers of 32 bits (idr_alloc_cyclic in kernel/bpf/syscall.c). */
const MAX_ID = 0x7fffffff;
