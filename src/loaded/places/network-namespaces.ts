import { fstatSync } from "node:fs";
import { ERRNO } from "../../errno.js";
import { openFile } from "../../sys/file.js";
import { syscall } from "../../sys/libc.js";
import { NR } from "../../sys/numbers.js";
import { close, openProcess, takeFd } from "../../sys/pidfd.js";
import { type MountNamespace, mountsOf } from "../mounts/mount-namespaces.js";
import type { Reads } from "../reads/reads.js";
import { namespaceRead } from "../reads/values.js";

/** The number in the target of a link to a network namespace, or in the root of its mount; null for other texts. */
export function netnsNumber(text: string): number | null {
  const number = /^net:\[(\d+)\]$/.exec(text)?.[1];
  return number === undefined ? null : Number(number);
}

/** By what a network namespace can be opened: a path that leads to it, or a socket of a process. */
export type NetworkHolder = string | SocketDescriptor;

/** A descriptor of a socket or of a TUN device: both keep the network namespace in which they were opened. */
export interface SocketDescriptor {
  readonly pid: number;
  readonly fd: number;
}

/**
 * By what network namespaces can be opened, by their inode numbers: processes, mounts (`ip netns add`), and
 * descriptors, which are in `held`. That of this process is the first.
 */
export function networkNamespaces(
  reads: Reads,
  pids: readonly number[],
  mounts: readonly MountNamespace[],
  held: ReadonlyMap<number, NetworkHolder>,
): ReadonlyMap<number, NetworkHolder> {
  const found = new Map<number, NetworkHolder>([[namespaceRead(reads, "self", "net"), "/proc/self/ns/net"]]);
  const add = (number: number | null, holder: NetworkHolder) => {
    if (number !== null && number !== 0 && !found.has(number)) found.set(number, holder);
  };
  for (const pid of pids) add(namespaceRead(reads, pid, "net"), `/proc/${pid}/ns/net`);
  for (const namespace of mounts)
    for (const { root, path } of mountsOf(namespace, "nsfs")) add(netnsNumber(root), `${namespace.root}${path}`);
  for (const [number, holder] of held) add(number, holder);
  return found;
}

/**
 * Opens a network namespace. Returns an fd, which the caller closes; a negative errno if the holder no longer leads to
 * it. A link in another root folder can lead elsewhere, and a descriptor can be another one by now, so that the inode
 * number is compared.
 */
export function openNetns(number: number, holder: NetworkHolder): number {
  const fd = typeof holder === "string" ? openFile(holder) : openOfSocket(holder);
  if (fd < 0 || fstatSync(fd).ino === number) return fd;
  close(fd);
  return -ERRNO.ENOENT;
}

function openOfSocket({ pid, fd }: SocketDescriptor): number {
  const task = openProcess(pid);
  if (task < 0) return task;
  const network = openOfCopy(task, fd);
  close(task);
  return network;
}

/** SIOCGSKNS of linux/sockios.h, which needs CAP_NET_ADMIN in the user namespace of the network namespace. */
const SIOCGSKNS = 0x894c;

/** Opens the network namespace of a socket of another process, of which `task` is a pidfd, by a copy of the socket. */
function openOfCopy(task: number, fd: number): number {
  const copy = takeFd(task, fd);
  if (copy < 0) return copy;
  const network = syscall(NR.ioctl, copy, SIOCGSKNS);
  close(copy);
  return network;
}

/**
 * The inode numbers of the network namespaces of these sockets of a process, each once with one of its descriptors.
 * The number 0 stands for one that may not be asked. Returns a negative errno if the process has gone. Sockets that
 * are closed meanwhile are left out.
 */
export function networksOfSockets(
  pid: number,
  fds: readonly number[],
): readonly (readonly [number, number])[] | number {
  const task = openProcess(pid);
  if (task < 0) return task;
  const found = new Map<number, number>();
  for (const fd of fds) {
    const network = openOfCopy(task, fd);
    const number = network >= 0 ? fstatSync(network).ino : DENIED.has(-network) ? 0 : null;
    if (number !== null && !found.has(number)) found.set(number, fd);
    close(network);
  }
  close(task);
  return [...found];
}

const DENIED: ReadonlySet<number> = new Set([ERRNO.EPERM, ERRNO.EACCES]);
