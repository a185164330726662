import { CAPABILITY_NAMES } from "../../capability.js";
import { LruCache } from "../../lru-cache.js";
import type { Container, Current } from "../../policy/model/current.js";
import { ROOT_ON_HOST } from "../../policy/model/current.js";
import { effectiveOf, type Identity, type NamespaceScope, type NamespacesToEnter } from "../../sys/credentials.js";
import { readLink, readSmall } from "../../sys/file.js";
import { namespaceOf } from "../../sys/namespace.js";
import { type ThreadInfo, threadInfo } from "../../sys/pidfd.js";
import type { NamespaceKind, ThreadFiles } from "../../sys/thread-files.js";
import { CgroupPaths } from "./cgroup-paths.js";
import { parseStatus, type Status } from "./status.js";

/**
 * The task that made a call: the facts that policies see, and its identity for calls that the gate makes as the task.
 */
export interface Caller {
  readonly current: Current;
  /** The identity for a call that the gate makes as the task. Null if the task has exited. */
  identity(namespaces: NamespaceScope): Identity | null;
  /** The inode number of the task's user namespace; 0 if the task has exited or cannot be traced. */
  readonly userNamespace: number;
  /** Whether the task is in the gate's pid namespace, so that pids mean the same to both. */
  readonly samePids: boolean;
}

/** Returns the caller with this thread id and pidfd; null if it has exited. */
export function readCaller(tid: number, pidfd: number, container: Container | null): Caller | null {
  return callerOf(tid, threadInfo(pidfd), container);
}

/**
 * Returns the caller with this thread id. `told` are facts from its pidfd; if null, /proc is read, which is slower.
 * `files` are its files in /proc, if they are kept open. Returns null if the caller has exited.
 */
export function callerOf(
  tid: number,
  told: ThreadInfo | null,
  container: Container | null,
  files: ThreadFiles | null = null,
): Caller | null {
  const info = told ?? fromStatus(tid);
  return info === null ? null : new WaitingTask(tid, info, told === null ? null : told.cgroup, container, files);
}

/**
 * A task that waits for the gate's reply. Facts that need a system call are read at first use: the thread is blocked in
 * its call meanwhile and cannot change them itself. The kernel guarantees all of them except comm and exe, which the
 * task can choose (proc_pid_status(5), cgroups(7), namespaces(7)).
 */
class WaitingTask implements Caller, Current {
  readonly pid: number;
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly #egid: number;
  #comm: string | undefined = undefined;
  #exe: string | null | undefined = undefined;
  #cgroup: string | null | undefined = undefined;
  #namespaces: Namespaces | undefined = undefined;
  #userNamespace: number | undefined = undefined;
  #effective: bigint | null | undefined = undefined;

  constructor(
    readonly tid: number,
    info: Omit<ThreadInfo, "cgroup">,
    private readonly cgroupId: number | null,
    readonly container: Container | null,
    private readonly files: ThreadFiles | null,
  ) {
    this.pid = info.tgid;
    this.uid = info.uid;
    this.euid = info.euid;
    this.gid = info.gid;
    this.#egid = info.egid;
  }

  get current(): Current {
    return this;
  }

  get comm(): string {
    this.#comm ??= (this.files === null ? readComm(this.tid) : this.files.comm()) ?? "";
    return this.#comm;
  }

  get exe(): string | null {
    if (this.#exe === undefined) this.#exe = this.files === null ? readLink(`/proc/${this.tid}/exe`) : this.files.exe();
    return this.#exe;
  }

  get cgroup(): string | null {
    if (this.#cgroup === undefined)
      this.#cgroup = cgroupPaths.of(this.cgroupId, () => unifiedCgroup(readSmall(`/proc/${this.tid}/cgroup`)));
    return this.#cgroup;
  }

  get capabilities(): readonly string[] {
    return capabilityNames(this.#effectiveOrNull() ?? 0n);
  }

  get namespaces(): Namespaces {
    this.#namespaces ??= this.files?.namespaces(this.userNamespace) ?? readNamespaces(this.tid);
    return this.#namespaces;
  }

  get userNamespace(): number {
    this.#userNamespace ??= this.#namespaceOf("user");
    return this.#userNamespace;
  }

  get samePids(): boolean {
    return this.#namespaceOf("pid") === ownNamespaces().pid;
  }

  #namespaceOf(kind: NamespaceKind): number {
    return this.files?.namespace(kind) ?? namespaceOf(this.tid, kind);
  }

  identity(namespaces: NamespaceScope): Identity | null {
    const effective = this.#effectiveOrNull();
    if (effective === null) return null;
    let enter: NamespacesToEnter | null = null;
    if (namespaces !== "none") {
      const net = this.#namespaceOf("net");
      if (net === 0) return null;
      const network = net !== ownNamespaces().net;
      if (network || namespaces !== "net") enter = this.#namespacesToEnter(network, namespaces);
    }
    const { uid, euid, gid } = this;
    return { capabilities: effective, uid, euid, gid, egid: this.#egid, enter };
  }

  /**
   * Effective capabilities; null if the task has exited. Empty if the task is in another user namespace, because its
   * capabilities do not apply in the gate's (user_namespaces(7)). A method, because V8 calls its runtime for a private
   * getter.
   */
  #effectiveOrNull(): bigint | null {
    if (this.#effective !== undefined) return this.#effective;
    const user = this.userNamespace;
    this.#effective = user === 0 ? null : user === ownNamespaces().user ? effectiveOf(this.tid) : 0n;
    return this.#effective;
  }

  /**
   * If the task's cgroup namespace cannot be read, it counts as a different one: setns(2) then fails, and the call with
   * it.
   */
  #namespacesToEnter(network: boolean, namespaces: NamespaceScope): NamespacesToEnter {
    const task = `/proc/${this.tid}`;
    if (namespaces === "net") return { task, network, cgroup: false, filesystem: false, groups: null };
    const groups = fromStatus(this.tid)?.groups ?? [];
    const cgroup = this.#namespaceOf("cgroup") !== ownNamespaces().cgroup;
    return { task, network, cgroup, filesystem: namespaces === "mount", groups };
  }
}

/** Reads all facts into a plain object, which can be posted to another thread. */
export function copyOf(current: Current): Current {
  const { pid, tid, uid, euid, gid, comm, exe, cgroup, capabilities, namespaces, container } = current;
  return { pid, tid, uid, euid, gid, comm, exe, cgroup, capabilities, namespaces, container };
}

/** A task of which only the tid and the container are known; the other fields say root on the host. */
export function unreadTask(tid: number, container: Container | null): Current {
  return { ...ROOT_ON_HOST, tid, container };
}

const cgroupPaths = new CgroupPaths();

function readComm(tid: number): string | null {
  return readSmall(`/proc/${tid}/comm`)?.replace(/\n$/, "") ?? null;
}

function fromStatus(tid: number): Status | null {
  const status = readSmall(`/proc/${tid}/status`);
  return status === null ? null : parseStatus(status);
}

const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] as const;
type Namespaces = Readonly<Record<string, number>>;

let own: Namespaces | undefined;

/**
 * Namespaces of the gate's process (/proc/self/ns). A thread that enters a task's namespaces for a call does not change
 * these.
 */
export function ownNamespaces(): Namespaces {
  own ??= readNamespaces("self");
  return own;
}

function readNamespaces(task: number | "self"): Namespaces {
  return Object.fromEntries(NAMESPACES.map((kind) => [kind, namespaceOf(task, kind)]));
}

/** The path in the unified hierarchy: the line `0::/path` of /proc/PID/cgroup. */
export function unifiedCgroup(text: string | null): string | null {
  return /^0::(.*)$/m.exec(text ?? "")?.[1] ?? null;
}

/** Capability names by set. A machine has only a few different sets. */
const remembered = new LruCache<bigint, readonly string[]>(256);

/**
 * Returns the names of a set of capabilities, one bit each. A bit without a name becomes its number, such as `CAP_63`.
 */
export function capabilityNames(set: bigint): readonly string[] {
  const known = remembered.get(set);
  if (known !== undefined) return known;
  const names: string[] = [];
  for (let bit = 0; bit < 64; bit += 1)
    if ((set >> BigInt(bit)) & 1n) names.push(CAPABILITY_NAMES[bit] ?? `CAP_${bit}`);
  remembered.set(set, Object.freeze(names));
  return names;
}
