import { ERRNO } from "../errno.js";
import { placeOf } from "./file.js";
import { Fixed, must, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/**
 * The parts of a task's identity that a thread of the gate can take, so that the kernel checks the thread's call like a
 * call of the task. In Linux all of them are per thread: capabilities(7), setresuid(2) as a direct system call,
 * setns(2), and chroot(2) after unshare(CLONE_FS).
 */
export interface Identity {
  /** Effective capabilities in the gate's user namespace, one bit each. */
  readonly capabilities: bigint;
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  /** Null if the gate and the task are in the same namespaces. */
  readonly enter: NamespacesToEnter | null;
}

/** Namespaces of a task that differ from the gate's. */
export interface NamespacesToEnter {
  /** `/proc/TID`, in which the namespaces are opened. */
  readonly task: string;
  readonly network: boolean;
  readonly cgroup: boolean;
  /** Mount namespace, root and working directory, which determine what a path refers to. */
  readonly filesystem: boolean;
  /** Supplementary groups, for access to files; null if they do not matter. */
  readonly groups: readonly number[] | null;
}

/**
 * The namespaces that a call of a task depends on; each value includes those before it. `none`: it creates an object
 * without a network device, so that only credentials matter. `net`: network namespace. `cgroup`: it names cgroups, or
 * acts on a path that was looked up already; also takes supplementary groups. `mount`: it looks up a path.
 */
export type NamespaceScope = "none" | "net" | "cgroup" | "mount";

/**
 * A program load or map creation depends on the task's network namespace only if it names a device (ifindex not 0): of
 * the code that they run, only kernel/bpf/offload.c uses `current->nsproxy->net_ns`.
 */
export function namespaceScopeOf(ifindex: number): NamespaceScope {
  return ifindex === 0 ? "none" : "net";
}

/** Constants of linux/capability.h (version 3 has two words for each set), linux/sched.h and linux/prctl.h. */
const CAPABILITY_VERSION_3 = 0x20080522;
const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
const CLONE_NEWCGROUP = 0x02000000;
const CLONE_NEWNET = 0x40000000;
const PR_SET_KEEPCAPS = 8;
const PR_SET_SECUREBITS = 28;
/** SECBIT_NO_SETUID_FIXUP of linux/securebits.h: a change of uid does not change the capabilities. */
const SECBIT_NO_SETUID_FIXUP = 1 << 2;
const O_PATH_CLOEXEC = 0o10000000 | 0o2000000;
const AT_FDCWD = -100;

/**
 * Returned by {@link Impersonator.runAs} if the gate lacks a capability to take an identity. No negative errno has this
 * value.
 */
export const OUT_OF_REACH = -4096;

/** Parts of a task's identity that a thread has taken, one bit each. */
const TAKEN = { network: 1, cgroup: 2, mounts: 4, root: 8, cwd: 16, groups: 32, gid: 64, uid: 128, capabilities: 256 };

/**
 * Runs system calls of the calling thread with a task's identity, and restores the thread's own. One for each thread.
 * What a task and the gate have in common is not changed, so that a gate of an ordinary user needs no capability for
 * its own tasks.
 */
export class Impersonator {
  readonly #own = capabilities();
  readonly #uid = process.getuid?.() ?? 0;
  readonly #gid = process.getgid?.() ?? 0;
  readonly #groups = groups();
  readonly #network = open("/proc/thread-self/ns/net");
  readonly #cgroup = open("/proc/thread-self/ns/cgroup");
  readonly #mounts = open("/proc/thread-self/ns/mnt");
  readonly #root: number;
  readonly #cwd: number;
  readonly #places: { readonly mounts: string; readonly root: string; readonly cwd: string };
  #taken = 0;

  constructor() {
    must(syscall(NR.unshare, CLONE_FS), "unshare(CLONE_FS)");
    // without CAP_SETPCAP the secure bit cannot be set: a change of uid then clears the effective capabilities, which
    // are set again after it, but PR_SET_KEEPCAPS preserves the permitted ones
    syscall(NR.prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
    syscall(NR.prctl, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP);
    this.#root = open("/");
    this.#cwd = open(".");
    this.#places = { mounts: placed(this.#mounts), root: placed(this.#root), cwd: placed(this.#cwd) };
  }

  /** The fds that this object keeps open. */
  get fds(): readonly number[] {
    return [this.#network, this.#cgroup, this.#mounts, this.#root, this.#cwd];
  }

  /**
   * Runs `call` as the task. Returns its result, a negative errno if the task has exited, or {@link OUT_OF_REACH}.
   * Throws GATE_FAILED if the thread's own identity cannot be restored: the thread must end then.
   */
  runAs(identity: Identity, call: () => number): number {
    if (this.#isOwn(identity)) return call();
    const entered = this.#enter(identity);
    const result = entered < 0 ? entered : call();
    this.#leave();
    return entered === -ERRNO.EPERM ? OUT_OF_REACH : result;
  }

  /** Whether the identity is the gate's own, so that nothing has to be changed or restored. */
  #isOwn({ enter, uid, euid, gid, egid, capabilities }: Identity): boolean {
    const ids = uid === this.#uid && euid === this.#uid && gid === this.#gid && egid === this.#gid;
    return enter === null && ids && (capabilities & this.#own.permitted) === this.#own.effective;
  }

  #enter(identity: Identity): number {
    const { enter } = identity;
    if (enter !== null) {
      const moved =
        (enter.network ? this.#took(TAKEN.network, join(`${enter.task}/ns/net`, CLONE_NEWNET)) : 0) ||
        (enter.cgroup ? this.#took(TAKEN.cgroup, join(`${enter.task}/ns/cgroup`, CLONE_NEWCGROUP)) : 0) ||
        (enter.filesystem ? this.#enterMounts(enter.task) : 0) ||
        (this.#sharesGroups(enter.groups) ? 0 : this.#took(TAKEN.groups, setGroups(enter.groups ?? [])));
      if (moved < 0) return moved;
    }
    if (identity.gid !== this.#gid || identity.egid !== this.#gid) {
      const result = this.#took(TAKEN.gid, syscall(NR.setresgid, identity.gid, identity.egid, this.#gid));
      if (result < 0) return result;
    }
    const otherUser = identity.uid !== this.#uid || identity.euid !== this.#uid;
    if (otherUser) {
      const result = this.#took(TAKEN.uid, syscall(NR.setresuid, identity.uid, identity.euid, this.#uid));
      if (result < 0) return result;
    }
    const effective = identity.capabilities & this.#own.permitted;
    if (effective === this.#own.effective && !otherUser) return 0;
    return this.#took(TAKEN.capabilities, setCapabilities({ ...this.#own, effective }));
  }

  /** Records what must be restored. */
  #took(part: number, result: number): number {
    if (result >= 0) this.#taken |= part;
    return result;
  }

  /**
   * Enters a task's mount namespace, root and working directory. All three are opened before the mounts change. Returns
   * 0 or a negative errno.
   */
  #enterMounts(task: string): number {
    const mounts = openReadable(`${task}/ns/mnt`);
    const root = openPathFd(`${task}/root`);
    const cwd = openPathFd(`${task}/cwd`);
    const fds = [mounts, root, cwd];
    const result = fds.find((fd) => fd < 0) ?? this.#move(mounts, root, cwd);
    for (const fd of fds) if (fd >= 0) syscall(NR.close, fd);
    return result;
  }

  #move(mounts: number, root: number, cwd: number): number {
    const places = this.#places;
    const moves = placed(mounts) !== places.mounts;
    if (moves) {
      // setns(2) also changes the thread's root and working directory to those of the namespace
      const result = this.#took(TAKEN.mounts | TAKEN.root | TAKEN.cwd, syscall(NR.setns, mounts, CLONE_NEWNS));
      if (result < 0) return result;
    }
    if (moves || placed(root) !== places.root) {
      const result = this.#took(TAKEN.cwd, syscall(NR.fchdir, root));
      const changed = result < 0 ? result : this.#took(TAKEN.root, syscall(NR.chroot, HERE));
      if (changed < 0) return changed;
    }
    if ((this.#taken & TAKEN.cwd) === 0 && placed(cwd) === places.cwd) return 0;
    return this.#took(TAKEN.cwd, syscall(NR.fchdir, cwd));
  }

  #sharesGroups(theirs: readonly number[] | null): boolean {
    return (
      theirs === null || (theirs.length === this.#groups.length && theirs.every((gid) => this.#groups.includes(gid)))
    );
  }

  #leave(): void {
    const taken = this.#taken;
    this.#taken = 0;
    if ((taken & (TAKEN.capabilities | TAKEN.uid)) !== 0) must(setCapabilities(this.#own), CAPABILITIES_BACK);
    if ((taken & TAKEN.uid) !== 0) {
      must(syscall(NR.setresuid, this.#uid, this.#uid, this.#uid), "restoring the gate's uid");
      must(setCapabilities(this.#own), CAPABILITIES_BACK); // without SECBIT_NO_SETUID_FIXUP they have changed again
    }
    if ((taken & TAKEN.gid) !== 0)
      must(syscall(NR.setresgid, this.#gid, this.#gid, this.#gid), "restoring the gate's gid");
    if ((taken & FOREIGN) !== 0) this.#leaveForeign(taken);
  }

  #leaveForeign(taken: number): void {
    if (taken & TAKEN.network)
      must(syscall(NR.setns, this.#network, CLONE_NEWNET), "restoring the gate's network namespace");
    if (taken & TAKEN.cgroup)
      must(syscall(NR.setns, this.#cgroup, CLONE_NEWCGROUP), "restoring the gate's cgroup namespace");
    if (taken & TAKEN.mounts)
      must(syscall(NR.setns, this.#mounts, CLONE_NEWNS), "restoring the gate's mount namespace");
    if (taken & TAKEN.root) {
      must(syscall(NR.fchdir, this.#root), "entering the gate's root directory");
      must(syscall(NR.chroot, HERE), "restoring the gate's root directory");
    }
    if (taken & TAKEN.groups) must(setGroups(this.#groups), "restoring the gate's supplementary groups");
    // a user may have started the gate in a directory that they cannot search; the gate itself uses no relative paths
    if (taken & TAKEN.cwd && syscall(NR.fchdir, this.#cwd) < 0)
      must(syscall(NR.fchdir, this.#root), "leaving the task's working directory");
  }
}

const CAPABILITIES_BACK = "restoring the gate's capabilities";
const FOREIGN = TAKEN.network | TAKEN.cgroup | TAKEN.mounts | TAKEN.root | TAKEN.cwd | TAKEN.groups;
/** The working directory, for chroot(2). */
const HERE = Buffer.from(".\0");

function setGroups(groups: readonly number[]): number {
  return syscall(NR.setgroups, groups.length, groups.length === 0 ? null : Uint32Array.from(groups));
}

/** The capability sets of a thread, one bit for each capability. */
export interface Capabilities {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
}

/** Returns the capabilities of the calling thread. */
export function capabilities(): Capabilities {
  if (!ask(0)) throw new Error("capget failed for the calling thread");
  const words = asked.words.memory;
  return { effective: wordsOf(words, 0), permitted: wordsOf(words, 1), inheritable: wordsOf(words, 2) };
}

/** Returns the effective capabilities of a thread in its own user namespace (capget(2)); null if it has exited. */
export function effectiveOf(tid: number): bigint | null {
  return ask(tid) ? wordsOf(asked.words.memory, 0) : null;
}

function ask(tid: number): boolean {
  const { header, words } = asked;
  header.memory[0] = CAPABILITY_VERSION_3;
  header.memory[1] = tid;
  return syscall(NR.capget, header.address, words.address) >= 0;
}

/** Buffers for struct __user_cap_header_struct and two of struct __user_cap_data_struct; valid until the next call. */
const asked = { header: new Fixed(new Uint32Array(2)), words: new Fixed(new Uint32Array(6)) };

/** Returns one set. Its low word is at `index`, and its high word three words later. */
function wordsOf(words: Uint32Array, index: number): bigint {
  return BigInt(words[index]!) | (BigInt(words[index + 3]!) << 32n);
}

function setCapabilities(sets: Capabilities): number {
  const words = [sets.effective, sets.permitted, sets.inheritable];
  const data = Uint32Array.from([
    ...words.map((set) => Number(set & 0xffffffffn)),
    ...words.map((set) => Number(set >> 32n)),
  ]);
  return syscall(NR.capset, Uint32Array.of(CAPABILITY_VERSION_3, 0), data);
}

/** Enters the namespace of a file in /proc. Returns 0 or a negative errno. */
function join(path: string, kind: number): number {
  const fd = openReadable(path);
  if (fd < 0) return fd;
  const result = syscall(NR.setns, fd, kind);
  syscall(NR.close, fd);
  return result;
}

/** The {@link placeOf} of a directory or namespace. Throws GATE_FAILED. */
function placed(fd: number): string {
  return placeOf(fd) ?? String(must(-ERRNO.EIO, "statx of an open file"));
}

/** Returns the calling thread's supplementary groups. */
function groups(): readonly number[] {
  const list = new Uint32Array(NGROUPS_MAX);
  return [
    ...list.subarray(0, must(syscall(NR.getgroups, list.length, list), "reading the gate's supplementary groups")),
  ];
}

const NGROUPS_MAX = 65536;

function open(path: string): number {
  return must(path.startsWith("/proc") ? openReadable(path) : openPathFd(path), `opening \`${path}\``);
}

function openReadable(path: string): number {
  return syscall(NR.openat, AT_FDCWD, Buffer.from(`${path}\0`), 0o2000000, 0);
}

function openPathFd(path: string): number {
  return syscall(NR.openat, AT_FDCWD, Buffer.from(`${path}\0`), O_PATH_CLOEXEC, 0);
}
