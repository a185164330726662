import { fstatSync, readdirSync, readlinkSync } from "node:fs";

/** Whether a number is an open fd of this process. */
export function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

/**
 * What the fds of a process are of, as /proc shows it, in order: each thread of node's has some of its own, which come
 * and go with it, and are left out.
 */
export function openFiles(pid: number | "self" = "self"): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  const targets = readdirSync(folder).map((fd) => targetOf(`${folder}/${fd}`));
  return targets.filter((target) => target !== null && !OF_THREADS.test(target)).sort() as string[];
}

const OF_THREADS = /^(anon_inode:\[(eventpoll|eventfd|io_uring)\]|pipe:.*|\/proc\/\d+\/fd)$/;

/** Null if the fd was closed meanwhile. */
function targetOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
