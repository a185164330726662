import { constants } from "node:os";
import { addressOf, syscall } from "./libc.js";
import { NR } from "./numbers.js";

const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;
/** SIGKILL and SIGSTOP have no disposition. */
const FIXED: ReadonlySet<number> = new Set([9, 19]);
const RLIMIT_NOFILE = 7;

/** Has the calling thread, and what it starts, gain no privilege by executing a file (prctl(2)). */
export function refuseNewPrivileges(): number {
  return syscall(NR.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/** Has the process leave no core dump, and its files in /proc belong to root (PR_SET_DUMPABLE of prctl(2)). */
export function refuseDumps(): void {
  syscall(NR.prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/** Overwrites own memory with zeros. */
export function clearMemory(address: number, length: number): void {
  const zeros = syscall(NR.openat, 0, Buffer.from("/dev/zero\0"), O_CLOEXEC, 0);
  if (zeros < 0) return;
  syscall(NR.read, zeros, address, length);
  syscall(NR.close, zeros);
}

/** Has an fd closed by the next execve, or kept: node marks what it inherits to be closed. */
export function closeOnExec(fd: number, close: boolean): number {
  return syscall(NR.fcntl, fd, F_SETFD, close ? FD_CLOEXEC : 0);
}

/** Lets go of standard input and output: whoever is at their other end then waits for the command alone. */
export function releaseStandard(): void {
  const nothing = syscall(NR.openat, 0, Buffer.from("/dev/null\0"), O_RDWR | O_CLOEXEC, 0);
  for (const standard of [0, 1]) syscall(NR.dup3, nothing, standard, O_CLOEXEC);
  syscall(NR.close, nothing);
}

/**
 * Gives every signal its default action again; node ignores SIGPIPE and SIGXFSZ, and an ignored signal outlives execve.
 */
export function defaultSignals(): void {
  const action = new BigUint64Array(4); // struct sigaction of the kernel: handler SIG_DFL, flags, restorer, mask
  for (let signal = 1; signal < 32; signal += 1)
    if (!FIXED.has(signal)) syscall(NR.rt_sigaction, signal, action, null, 8);
}

/**
 * Blocks on the calling thread every signal that another thread can take. An interrupted ADDFD_SEND has answered 0
 * already (seccomp_notify_addfd of kernel/seccomp.c), and an interrupted verifier gives up with EAGAIN: a gate is not
 * interrupted, but for a thread that answers nothing and takes one signal.
 */
export function blockSignals(...taken: readonly number[]): void {
  let mask = (1n << 64n) - 1n;
  for (const signal of [...FAULTS, ...taken]) mask &= ~(1n << BigInt(signal - 1));
  syscall(NR.rt_sigprocmask, SIG_SETMASK, BigUint64Array.of(mask), null, 8);
}

const SIG_SETMASK = 2;
/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: what a thread does to itself, WebAssembly's traps among it. */
const FAULTS = [4, 5, 7, 8, 11];

/** SIGURG: its default action is to be ignored, so that it harms nobody without a handler. */
export const INTERRUPT = constants.signals.SIGURG;

/** The calling thread's id. */
export function threadId(): number {
  return syscall(NR.gettid);
}

/** Sends a signal to a thread of this process (tgkill(2)). */
export function signalThread(tid: number, signal: number): void {
  syscall(NR.tgkill, process.pid, tid, signal);
}

/** The soft limit of open files, which node raises as it starts. */
export function setOpenFiles(soft: number): void {
  const limits = new BigUint64Array(2);
  if (syscall(NR.prlimit64, 0, RLIMIT_NOFILE, null, limits) < 0 || (limits[1] ?? 0n) < BigInt(soft)) return;
  limits[0] = BigInt(soft);
  syscall(NR.prlimit64, 0, RLIMIT_NOFILE, limits, null);
}

/**
 * Replaces the process by another program; path, arguments and environment without their NULs. Comes back only with a
 * negative errno.
 */
export function execute(path: Uint8Array, args: readonly Uint8Array[], environment: readonly Uint8Array[]): number {
  return syscall(NR.execve, terminated(path), stringTable(args), stringTable(environment));
}

/**
 * Ends the process as another one ended, at once and past node's own exit, which would put the terminal's settings back
 * to what they were before the command changed them. A core dump is the command's to leave, not the gate's.
 */
export function endAs({ code, signal }: Ending): never {
  if (signal === null) syscall(NR.exit_group, code ?? 0);
  const number = typeof signal === "string" ? constants.signals[signal] : (signal ?? 0);
  process.removeAllListeners();
  defaultSignals();
  syscall(NR.prctl, PR_SET_DUMPABLE, 0);
  process.kill(process.pid, number);
  // a first process of a pid namespace does not die of its own signals
  syscall(NR.exit_group, EXIT_SIGNALLED + number);
  throw new Error("exit_group returned");
}

/** How a process ended: with a code, or by a signal, which has no name if it is one of the real-time ones. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | number | null;
}

/** What a shell adds to a signal's number. */
const EXIT_SIGNALLED = 128;

/** waitid(2): P_PID, and a child that stopped, without waiting for one. */
const P_PID = 1;
const WNOHANG = 1;
const WSTOPPED = 2;

/**
 * The signal that stopped a child, where it did and nobody has taken note of it yet; this does. Its end is left to
 * node. siginfo_t of asm-generic/siginfo.h, 128 bytes: si_pid at 16, si_status at 24.
 */
export function takeStop(pid: number): number | null {
  const info = new Int32Array(32);
  const taken = syscall(NR.waitid, P_PID, pid, info, WNOHANG | WSTOPPED, 0) === 0 && info[4] === pid;
  return taken ? (info[6] ?? null) : null;
}

/** Strings that execve reads: they must stay in place until it does. */
const kept: Uint8Array[] = [];

function stringTable(strings: readonly Uint8Array[]): BigUint64Array {
  const addresses = strings.map((each) => {
    const bytes = terminated(each);
    kept.push(bytes);
    return BigInt(addressOf(bytes));
  });
  return BigUint64Array.from([...addresses, 0n]);
}

function terminated(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Uint8Array.of(0)]);
}
