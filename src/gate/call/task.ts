import type { Analyst } from "../load/analysis.js";
import type { Span } from "../sys/memory.js";
import { close, takeFd } from "../sys/pidfd.js";
import type { Waiting } from "../sys/seccomp.js";
import type { FileIdentity, Make, Part } from "../threads/blocking-op.js";
import type { OpExecutor } from "../threads/op-executor.js";
import type { Watch } from "../threads/watch.js";

/**
 * Access to the memory and fds of a task that waits for the gate's reply. The task can change both meanwhile, so each
 * address and each fd number is read only once. {@link release} closes the copies of the task's fds, also if the call
 * failed.
 */
export class Task {
  #writes: Part[] | null = null;
  /** Fds that blocking operations returned, which every turn replays; null if there are none. */
  #opFds: Fds | null = null;

  /** `taken` are the fds of earlier turns, by the task's fd number or by name. New ones are reported to `watch`. */
  constructor(
    readonly tid: number,
    readonly tgid: number,
    private readonly pidfd: number,
    private readonly executor: OpExecutor,
    private taken: Fds | null,
    private readonly watch: Pick<Watch, "made">,
    private readonly during: Waiting,
  ) {}

  /** The gate's copies of the task's fds, and the gate's own fds, without those that blocking operations returned. */
  get fds(): Fds {
    this.taken ??= new Map();
    return this.taken;
  }

  /** Copies `length` bytes; null if not all of them can be read. Do not modify the copy: another turn may reuse it. */
  read(address: bigint, length: number): Uint8Array | null {
    return length === 0 ? NOTHING : this.readAll([{ address, length }]);
  }

  /** Copies several spans into one array, in order; null if not all bytes can be read. Do not modify the copy. */
  readAll(spans: readonly Span[]): Uint8Array | null {
    return this.executor.run({ do: "read", tid: this.tid, spans });
  }

  /** Copies the pages at these addresses; null for each page that cannot be read. */
  readPages(addresses: readonly bigint[]): readonly (Uint8Array | null)[] {
    return this.executor.run({ do: "pages", tid: this.tid, addresses });
  }

  /** Copies the bytes before the next NUL, at most `limit`; null if the readable memory ends before that. */
  readString(address: bigint, limit: number): Uint8Array | null {
    return this.executor.run({ do: "string", tid: this.tid, address, limit });
  }

  /**
   * Reads the whole file of a copied fd (see {@link fd}); null if it is longer than `limit` bytes or cannot be read.
   */
  readFile(fd: number, limit: number): Uint8Array | null {
    return this.executor.run({ do: "file", fd, limit });
  }

  /** Returns the identity of the file of a copied fd (see {@link fd}); null if it is unknown. */
  identify(fd: number): FileIdentity | null {
    return this.executor.run({ do: "identify", fd });
  }

  /**
   * Queues a write to the task's memory. Queued writes are flushed just before the reply; if one fails, the task gets
   * EFAULT. Always returns true.
   */
  write(address: bigint, bytes: Uint8Array): boolean {
    this.#writes ??= [];
    if (bytes.byteLength > 0) this.#writes.push({ address, bytes });
    return true;
  }

  /** Flushes the queued writes. Returns false if one failed. */
  writeAll(): boolean {
    const parts = this.#writes;
    return (
      parts === null ||
      parts.length === 0 ||
      this.executor.run({ do: "write", tid: this.tid, during: this.during, parts })
    );
  }

  /**
   * Makes a system call with the task's identity. Returns its result, which is an fd of the gate for a call that opens
   * one, or a negative errno.
   */
  make(call: Omit<Make, "do" | "during">): number {
    return this.executor.run({ do: "call", during: this.during, ...call });
  }

  /**
   * Ends this turn, because the rest of the call takes long; the call waits in a queue until another thread serves it.
   * Copy nothing large before this: the recording keeps all copies meanwhile.
   */
  admit(): void {
    this.executor.admit();
  }

  /** Returns the analyst of a load. `index` counts the analyses of this call. */
  analyst(index: number): Analyst {
    const { executor } = this;
    return {
      hasAnalysed: executor.hasAnalysed(index),
      analyse: (analysis) => executor.analyse({ do: "analyse", index, analysis }),
    };
  }

  /**
   * Copies one of the task's fds (pidfd_getfd(2)). The same number returns the same copy. Returns a negative errno on
   * failure.
   */
  fd(number: number): number {
    return this.#kept(number, () => takeFd(this.pidfd, number));
  }

  /** Opens an fd of the gate that stays open until the call ends. The same name returns the same fd in every turn. */
  own(name: string, open: () => number): number {
    return this.#kept(name, open);
  }

  release(): void {
    for (const fds of [this.taken, this.#opFds]) {
      if (fds === null) continue;
      for (const fd of fds.values()) close(fd);
      fds.clear();
    }
  }

  #kept(name: number | string, open: () => number): number {
    const known = this.taken?.get(name) ?? this.#opFds?.get(name);
    if (known !== undefined) return known;
    const before = this.executor.count;
    const fd = open();
    // an fd that a blocking operation returned is replayed in every turn
    if (this.executor.count === before) {
      this.fds.set(name, fd);
      if (fd >= 0) this.watch.made(fd);
    } else {
      this.#opFds ??= new Map();
      this.#opFds.set(name, fd);
    }
    return fd;
  }
}

/** Fds of the gate, by the task's fd number or by name. */
export type Fds = Map<number | string, number>;

const NOTHING = new Uint8Array(0);
