import { Fixed, must, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/**
 * What a thread of the gate can take from a task, so that the kernel judges a call as it would the task's own. All of it is
 * kept by Linux for each thread: capabilities(7), setresuid(2) as a bare system call, setns(2), chroot(2) after
 * unshare(CLONE_FS).
 */
export interface Identity {
  /** Effective capabilities in the gate's user namespace, one bit each. */
  readonly capabilities: bigint;
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  /** `/proc/TID`, for what has to be opened; null where all of it is the gate's own. */
  readonly foreign: Foreign | null;
}

export interface Foreign {
  readonly task: string;
  readonly network: boolean;
  readonly cgroup: boolean;
  /** Mount namespace, root and working directory, for a path. */
  readonly filesystem: boolean;
  /** Supplementary groups, for files; null where they do not matter. */
  readonly groups: readonly number[] | null;
}

/**
 * How far a call of the task's goes, and so what of its identity it needs: `object` is for making something that names no device,
 * which credentials alone decide; `call` needs the network, too; `place` is for what has been looked up already, or names cgroups;
 * `path` looks something up.
 */
export type Reach = "object" | "call" | "place" | "path";

/**
 * How far a load of a program, or the creation of a map, goes: nothing of either depends on the network of who makes it but the device
 * that it may be for (`current->nsproxy->net_ns` stands in kernel/bpf/offload.c alone of what they come by).
 */
export function reachOf(ifindex: number): Reach {
  return ifindex === 0 ? "object" : "call";
}

/** linux/capability.h: version 3 takes two words of each set; linux/sched.h: what setns and unshare name. */
const CAPABILITY_VERSION_3 = 0x20080522;
const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
const CLONE_NEWCGROUP = 0x02000000;
const CLONE_NEWNET = 0x40000000;
const PR_SET_SECUREBITS = 28;
/** SECBIT_NO_SETUID_FIXUP of linux/securebits.h: a change of uid leaves the capabilities alone. */
const SECBIT_NO_SETUID_FIXUP = 1 << 2;
const O_PATH_CLOEXEC = 0o10000000 | 0o2000000;
const AT_FDCWD = -100;

/** The calling thread's own identity, to be put on again after each call. One for each thread. */
export class Wardrobe {
  readonly #own = capabilities();
  readonly #uid = process.getuid?.() ?? 0;
  readonly #gid = process.getgid?.() ?? 0;
  readonly #groups = process.getgroups?.() ?? [];
  readonly #network = open("/proc/thread-self/ns/net");
  readonly #cgroup = open("/proc/thread-self/ns/cgroup");
  readonly #mounts = open("/proc/thread-self/ns/mnt");
  readonly #root: number;
  readonly #cwd: number;

  constructor() {
    must(syscall(NR.unshare, CLONE_FS), "unsharing the working directory");
    // without CAP_SETPCAP the uid cannot be changed either, and stays the gate's own, as the task's is
    syscall(NR.prctl, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP);
    this.#root = open("/");
    this.#cwd = open(".");
  }

  /** What it keeps open. */
  get fds(): readonly number[] {
    return [this.#network, this.#cgroup, this.#mounts, this.#root, this.#cwd];
  }

  /**
   * Runs `call` as the task. Gives what it gives, or a negative errno where the identity cannot be taken. If the gate's own
   * cannot be put on again it throws GATE_FAILED: the thread is then of no more use.
   */
  wear(identity: Identity, call: () => number): number {
    if (this.#isOwn(identity)) return call();
    const entered = this.#enter(identity);
    const result = entered < 0 ? entered : call();
    this.#leave(identity);
    return result;
  }

  /** Whether a call would be judged as the gate's own is: then there is nothing to put on, nor to take off. */
  #isOwn({ foreign, uid, euid, gid, egid, capabilities }: Identity): boolean {
    const ids = uid === this.#uid && euid === this.#uid && gid === this.#gid && egid === this.#gid;
    return foreign === null && ids && (capabilities & this.#own.permitted) === this.#own.effective;
  }

  #enter(identity: Identity): number {
    const { foreign } = identity;
    if (foreign !== null) {
      const moved =
        (foreign.network ? join(`${foreign.task}/ns/net`, CLONE_NEWNET) : 0) ||
        (foreign.cgroup ? join(`${foreign.task}/ns/cgroup`, CLONE_NEWCGROUP) : 0) ||
        (foreign.filesystem ? settle(foreign.task) : 0) ||
        (foreign.groups === null ? 0 : setGroups(foreign.groups));
      if (moved < 0) return moved;
    }
    if (identity.gid !== this.#gid || identity.egid !== this.#gid) {
      const result = syscall(NR.setresgid, identity.gid, identity.egid, this.#gid);
      if (result < 0) return result;
    }
    if (identity.uid !== this.#uid || identity.euid !== this.#uid) {
      const result = syscall(NR.setresuid, identity.uid, identity.euid, this.#uid);
      if (result < 0) return result;
    }
    const effective = identity.capabilities & this.#own.permitted;
    return effective === this.#own.effective ? 0 : setCapabilities({ ...this.#own, effective });
  }

  #leave(identity: Identity): void {
    must(setCapabilities(this.#own), "taking the gate's capabilities back");
    must(syscall(NR.setresuid, this.#uid, this.#uid, this.#uid), "taking the uid back");
    must(syscall(NR.setresgid, this.#gid, this.#gid, this.#gid), "taking the gid back");
    if (identity.foreign === null) return;
    if (identity.foreign.network) must(syscall(NR.setns, this.#network, CLONE_NEWNET), "taking the network back");
    if (identity.foreign.cgroup) must(syscall(NR.setns, this.#cgroup, CLONE_NEWCGROUP), "taking the cgroups back");
    if (identity.foreign.filesystem) {
      must(syscall(NR.setns, this.#mounts, CLONE_NEWNS), "taking the mounts back");
      must(changeRoot(this.#root, this.#cwd), "taking the root back");
    }
    if (identity.foreign.groups !== null) must(setGroups(this.#groups), "taking the groups back");
  }
}

function setGroups(groups: readonly number[]): number {
  return syscall(NR.setgroups, groups.length, groups.length === 0 ? null : Uint32Array.from(groups));
}

/** What a thread may do: three sets of capabilities, one bit each. */
export interface Capabilities {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
}

/** Those of the calling thread. */
export function capabilities(): Capabilities {
  if (!ask(0)) throw new Error("capget refused the calling thread");
  const words = asked.words.memory;
  return { effective: wordsOf(words, 0), permitted: wordsOf(words, 1), inheritable: wordsOf(words, 2) };
}

/** The effective ones of any thread, by its id, in its own user namespace (capget(2)). Null where it is gone. */
export function effectiveOf(tid: number): bigint | null {
  return ask(tid) ? wordsOf(asked.words.memory, 0) : null;
}

function ask(tid: number): boolean {
  const { header, words } = asked;
  header.memory[0] = CAPABILITY_VERSION_3;
  header.memory[1] = tid;
  return syscall(NR.capget, header.address, words.address) >= 0;
}

/** struct __user_cap_header_struct and two of __user_cap_data_struct, used up before the next call. */
const asked = { header: new Fixed(new Uint32Array(2)), words: new Fixed(new Uint32Array(6)) };

/** One set: its low word, and its high one three further on. */
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

/** Enters a namespace by its file. 0 or a negative errno. */
function join(path: string, kind: number): number {
  const fd = openReadable(path);
  if (fd < 0) return fd;
  const result = syscall(NR.setns, fd, kind);
  syscall(NR.close, fd);
  return result;
}

/** Takes a task's mounts, root and working directory, opened before the mounts change. 0 or a negative errno. */
function settle(task: string): number {
  const root = openPathFd(`${task}/root`);
  const cwd = openPathFd(`${task}/cwd`);
  const result = root < 0 ? root : cwd < 0 ? cwd : join(`${task}/ns/mnt`, CLONE_NEWNS) || changeRoot(root, cwd);
  for (const fd of [root, cwd]) if (fd >= 0) syscall(NR.close, fd);
  return result;
}

function changeRoot(root: number, cwd: number): number {
  const there = syscall(NR.fchdir, root);
  if (there < 0) return there;
  const changed = syscall(NR.chroot, Buffer.from(".\0"));
  return changed < 0 ? changed : syscall(NR.fchdir, cwd);
}

function open(path: string): number {
  return must(path.startsWith("/proc") ? openReadable(path) : openPathFd(path), `opening \`${path}\``);
}

function openReadable(path: string): number {
  return syscall(NR.openat, AT_FDCWD, Buffer.from(`${path}\0`), 0o2000000, 0);
}

function openPathFd(path: string): number {
  return syscall(NR.openat, AT_FDCWD, Buffer.from(`${path}\0`), O_PATH_CLOEXEC, 0);
}
