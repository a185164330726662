import type { ObjectName } from "../model/references.js";

/**
 * Whether the target of a link in /proc/PID/fd is a program, map or link: the names of anonymous inodes in
 * kernel/bpf/syscall.c. The kernel names links in two ways.
 */
export function isBpfObject(target: string): boolean {
  return /^anon_inode:bpf[-_](?:prog|map|link)$/.test(target);
}

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
