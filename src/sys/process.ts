import { constants } from "node:os";
import { addressOf, syscall } from "./libc.js";
import { NR } from "./numbers.js";

const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;
/** SIGKILL and SIGSTOP, whose disposition cannot be changed. */
const FIXED: ReadonlySet<number> = new Set([9, 19]);
const RLIMIT_NOFILE = 7;

/**
 * Sets no_new_privs: the calling thread and its children gain no privileges by execve (PR_SET_NO_NEW_PRIVS of
 * prctl(2)).
 */
export function refuseNewPrivileges(): number {
  return syscall(NR.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/** Disables core dumps and makes root the owner of this process's files in /proc (PR_SET_DUMPABLE of prctl(2)). */
export function refuseDumps(): void {
  syscall(NR.prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/** Overwrites memory of this process with zeros. */
export function clearMemory(address: number, length: number): void {
  const zeros = syscall(NR.openat, 0, Buffer.from("/dev/zero\0"), O_CLOEXEC, 0);
  if (zeros < 0) return;
  syscall(NR.read, zeros, address, length);
  syscall(NR.close, zeros);
}

/** Sets or clears close-on-exec of an fd. node sets it for all fds that it inherits. */
export function closeOnExec(fd: number, close: boolean): number {
  return syscall(NR.fcntl, fd, F_SETFD, close ? FD_CLOEXEC : 0);
}

/**
 * Replaces standard input and output by /dev/null, so that a pipe to them is closed as soon as the command closes it.
 */
export function releaseStandard(): void {
  const nothing = syscall(NR.openat, 0, Buffer.from("/dev/null\0"), O_RDWR | O_CLOEXEC, 0);
  for (const standard of [0, 1]) syscall(NR.dup3, nothing, standard, O_CLOEXEC);
  syscall(NR.close, nothing);
}

/**
 * Resets all signals to their default action. node ignores SIGPIPE and SIGXFSZ, and ignored signals stay ignored across
 * execve.
 */
export function defaultSignals(): void {
  const action = new BigUint64Array(4); // struct sigaction of the kernel: handler SIG_DFL, flags, restorer, mask
  for (let signal = 1; signal < 32; signal += 1)
    if (!FIXED.has(signal)) syscall(NR.rt_sigaction, signal, action, null, 8);
}

/**
 * Blocks all signals on the calling thread except FAULTS and `taken`; another thread handles them. A signal must not
 * interrupt the gate: an interrupted ADDFD_SEND has already replied 0 to the task (seccomp_notify_addfd of
 * kernel/seccomp.c), and an interrupted verifier returns EAGAIN. Only a thread that sends no replies may take a signal.
 */
export function blockSignals(...taken: readonly number[]): void {
  let mask = (1n << 64n) - 1n;
  for (const signal of [...FAULTS, ...taken]) mask &= ~(1n << BigInt(signal - 1));
  syscall(NR.rt_sigprocmask, SIG_SETMASK, BigUint64Array.of(mask), null, 8);
}

const SIG_SETMASK = 2;
/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: a thread raises these itself, for example by a WebAssembly trap. */
const FAULTS = [4, 5, 7, 8, 11];

/** SIGURG is ignored by default, so it has no effect on a thread without a handler. */
export const INTERRUPT = constants.signals.SIGURG;

/** Returns the calling thread's id. */
export function threadId(): number {
  return syscall(NR.gettid);
}

/** Sends a signal to a thread of this process (tgkill(2)). */
export function signalThread(tid: number, signal: number): void {
  syscall(NR.tgkill, process.pid, tid, signal);
}

/** Sets the soft limit of open files, which node raises at its start. Does nothing if the hard limit is lower. */
export function setOpenFiles(soft: number): void {
  const limits = new BigUint64Array(2);
  if (syscall(NR.prlimit64, 0, RLIMIT_NOFILE, null, limits) < 0 || (limits[1] ?? 0n) < BigInt(soft)) return;
  limits[0] = BigInt(soft);
  syscall(NR.prlimit64, 0, RLIMIT_NOFILE, limits, null);
}

/**
 * Replaces the process by another program (execve(2)). `path`, `args` and `environment` have no NULs. Returns only on
 * failure, with a negative errno.
 */
export function execute(path: Uint8Array, args: readonly Uint8Array[], environment: readonly Uint8Array[]): number {
  return syscall(NR.execve, terminated(path), stringTable(args), stringTable(environment));
}

/**
 * Ends this process with the exit code or signal of the command. It bypasses node's exit, which would undo changes that
 * the command made to the terminal's settings. Core dumps are disabled, because the command has already left its own.
 */
export function endAs({ code, signal }: Ending): never {
  if (signal === null) syscall(NR.exit_group, code ?? 0);
  const number = typeof signal === "string" ? constants.signals[signal] : (signal ?? 0);
  process.removeAllListeners();
  defaultSignals();
  syscall(NR.prctl, PR_SET_DUMPABLE, 0);
  process.kill(process.pid, number);
  // process 1 of a pid namespace is not killed by signals that it sends to itself
  syscall(NR.exit_group, EXIT_SIGNALLED + number);
  throw new Error("exit_group returned");
}

/** How a process ended: with an exit code, or by a signal, which is a number if it is a real-time signal. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | number | null;
}

/** A shell reports death by a signal as this plus the signal's number. */
const EXIT_SIGNALLED = 128;

/** Constants of waitid(2). */
const P_PID = 1;
const WNOHANG = 1;
const WSTOPPED = 2;

/**
 * Returns the signal that stopped a child, once for each stop; null if there is no new stop. Does not reap the child,
 * which node does. siginfo_t of asm-generic/siginfo.h has 128 bytes: si_pid 16 · si_status 24.
 */
export function takeStop(pid: number): number | null {
  const info = new Int32Array(32);
  const taken = syscall(NR.waitid, P_PID, pid, info, WNOHANG | WSTOPPED, 0) === 0 && info[4] === pid;
  return taken ? (info[6] ?? null) : null;
}

/** Strings for execve, kept here to protect them from garbage collection. */
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
