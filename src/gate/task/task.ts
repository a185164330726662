import type { Span } from "../../sys/memory.js";
import type { FileIdentity, Make } from "./blocking/blocking-op.js";
import type { FilePath } from "./blocking/file-path.js";
import type { Analyst } from "./blocking/load-analysis.js";

/**
 * The task whose call waits for the gate's reply, as the steps of the call use it: its memory, its fds and calls with
 * its identity. The task can change its memory and fds meanwhile, so each address and each fd number is read only once.
 * {@link RemoteTask} is a task of the kernel; tests use a fake.
 */
export interface Task {
  readonly tid: number;
  readonly tgid: number;
  /**
   * Identifies the task's process among all since the machine started: the kernel gives the id of a process that has
   * exited to another one. Empty if the process has exited.
   */
  readonly process: string;

  /**
   * Whether the task still waits for its reply. If it does, its thread id was not reused, so all bytes copied so far
   * belong to it (seccomp_unotify(2)).
   */
  readonly stillWaits: boolean;

  /** Copies `length` bytes; null if not all of them can be read. Do not modify the copy: another turn may reuse it. */
  read(address: bigint, length: number): Uint8Array | null;

  /** Copies several spans into one array, in order; null if not all bytes can be read. Do not modify the copy. */
  readAll(spans: readonly Span[]): Uint8Array | null;

  /** Copies the pages at these addresses; null for each page that cannot be read. */
  readPages(addresses: readonly bigint[]): readonly (Uint8Array | null)[];

  /** Copies the bytes before the next NUL, at most `limit`; null if the readable memory ends before that. */
  readString(address: bigint, limit: number): Uint8Array | null;

  /** Reads the whole file of a copied fd (see {@link fd}); null if it is longer than `limit` or cannot be read. */
  readFile(fd: number, limit: number): Uint8Array | null;

  /** Returns the identity of the file of a copied fd (see {@link fd}); null if it is unknown. */
  identify(fd: number): FileIdentity | null;

  /** Finds the path of a copied fd (see {@link fd}) in the gate's mount namespace; null if it is unknown. */
  findPath(fd: number): FilePath | null;

  /**
   * Queues a write to the task's memory. Queued writes are flushed just before the reply; if one fails, the task gets
   * EFAULT.
   */
  write(address: bigint, bytes: Uint8Array): void;

  /**
   * Makes a system call with the task's identity. Returns its result, which is an fd of the gate for a call that opens
   * one, or a negative errno.
   */
  make(call: Omit<Make, "do" | "during">): number;

  /**
   * Ends this turn, because the rest of the call takes long; the call waits in a queue until another thread serves it.
   * Copy nothing large before this: the recording keeps all copies meanwhile.
   */
  admit(): void;

  /** Returns the analyst of a load. `index` counts the analyses of this call. */
  analyst(index: number): Analyst;

  /**
   * Copies one of the task's fds (pidfd_getfd(2)). The same number returns the same copy. Returns a negative errno on
   * failure.
   */
  fd(number: number): number;

  /**
   * Takes over an fd that {@link make} returned: it is closed when the call ends, or before the reply if it is not
   * issued. Until then it stays open, because each turn of the call gets it again. Returns the fd.
   */
  adopt(fd: number): number;

  /** Opens an fd of the gate that stays open until the call ends. The same name returns the same fd in every turn. */
  own(name: string, open: () => number): number;
}
