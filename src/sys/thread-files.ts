import { Fixed, must, syscall } from "./libc.js";
import { namespaceNumber, namespaceOf } from "./namespace.js";
import { NR } from "./numbers.js";
import { close, moveTo } from "./pidfd.js";
import { eventFd } from "./poll.js";

const AT_FDCWD = -100;
const O_CLOEXEC = 0o2000000;
const O_NOFOLLOW = 0o400000;
const O_PATH = 0o10000000;
/** Opens a symbolic link itself, so that readlinkat(2) with an empty path reads it. */
const LINK = O_PATH | O_NOFOLLOW | O_CLOEXEC;

/** Kinds of namespaces that a thread can change. Its pid namespace is that of its thread id for its whole life. */
const CHANGEABLE = ["cgroup", "ipc", "mnt", "net", "user", "uts"] as const;
export type NamespaceKind = (typeof CHANGEABLE)[number] | "pid";

/** The files in /proc/TID that are kept open, with the flags of open(2). */
const FILES = [["comm", O_CLOEXEC], ["exe", LINK], ...CHANGEABLE.map((kind) => [`ns/${kind}`, LINK] as const)] as const;
const COMM = 0;
const EXE = 1;
const FIRST_NAMESPACE = 2;

/**
 * Files of one thread in /proc, kept open between its calls: the kernel computes what is in them at each read, and
 * reading an open file takes less than half the time of finding it. They belong to the thread and not to its id
 * (struct proc_inode of the kernel), so that nothing can be read of another thread with the same id later.
 *
 * The fds have the same numbers for the life of the decision thread, which can be terminated at any time.
 */
export class ThreadFiles {
  readonly fds: readonly number[] = FILES.map(() => must(eventFd(), "making an eventfd"));
  #tid = 0;
  /** Whether each file is open for this thread. A file is opened when it is first read. */
  readonly #open = FILES.map(() => false);
  #pidNamespace: number | null = null;
  #namespaces: Readonly<Record<NamespaceKind, number>> | null = null;

  /** The next reads are of another thread. */
  belongTo(tid: number): void {
    this.#tid = tid;
    this.#open.fill(false);
    this.#pidNamespace = null;
  }

  /** The name of the thread; null if it has exited. */
  comm(): string | null {
    const fd = this.#fd(COMM);
    const length = fd < 0 ? fd : syscall(NR.pread64, fd, BUFFER, buffer.byteLength, 0);
    // without the line feed at its end
    return length < 1 ? null : buffer.toString("utf8", 0, length - 1);
  }

  /** The path of its executable; null if it has none or has exited. */
  exe(): string | null {
    const length = this.#readLink(EXE);
    return length < 0 ? null : buffer.toString("utf8", 0, length);
  }

  /** The inode number of its namespace of this kind; 0, which is no inode number, on failure. */
  namespace(kind: NamespaceKind): number {
    if (kind !== "pid") return this.#read(CHANGEABLE.indexOf(kind));
    this.#pidNamespace ??= namespaceOf(this.#tid, "pid");
    return this.#pidNamespace;
  }

  /**
   * The inode numbers of all its namespaces, of which `user` is known. The same frozen object as at the last call, if
   * all of them are the same.
   */
  namespaces(user: number): Readonly<Record<NamespaceKind, number>> {
    const [cgroup, ipc, mnt, net, uts] = [this.#read(0), this.#read(1), this.#read(2), this.#read(3), this.#read(5)];
    const pid = this.namespace("pid");
    const last = this.#namespaces;
    const same =
      last !== null &&
      last.cgroup === cgroup &&
      last.ipc === ipc &&
      last.mnt === mnt &&
      last.net === net &&
      last.pid === pid &&
      last.user === user &&
      last.uts === uts;
    if (!same) this.#namespaces = Object.freeze({ cgroup, ipc, mnt, net, pid, user, uts });
    return this.#namespaces!;
  }

  #read(index: number): number {
    return namespaceNumber(buffer, CHANGEABLE[index]!, this.#readLink(FIRST_NAMESPACE + index));
  }

  #readLink(index: number): number {
    const fd = this.#fd(index);
    return fd < 0 ? fd : syscall(NR.readlinkat, fd, EMPTY.address, BUFFER, buffer.byteLength);
  }

  /** The fd of a file; a negative errno if it cannot be opened. */
  #fd(index: number): number {
    const fd = this.fds[index]!;
    if (this.#open[index]) return fd;
    const [name, flags] = FILES[index]!;
    const opened = syscall(NR.openat, AT_FDCWD, Buffer.from(`/proc/${this.#tid}/${name}\0`, "latin1"), flags, 0);
    if (opened < 0) return opened;
    moveTo(fd, opened);
    close(opened);
    this.#open[index] = true;
    return fd;
  }
}

/** What was read last; valid until the next call. */
const { memory: buffer, address: BUFFER } = new Fixed(Buffer.alloc(4096));
/** The empty path of readlinkat(2). Read by `EMPTY.address`, because an address alone keeps no memory alive. */
const EMPTY = new Fixed(Uint8Array.of(0));
