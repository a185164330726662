import type { Analyst } from "../load/analysis.js";
import type { Span } from "../sys/memory.js";
import { close, takeFd } from "../sys/pidfd.js";
import type { Waiting } from "../sys/seccomp.js";
import type { FileIdentity, Make, Part } from "../threads/blocking-op.js";
import type { OpExecutor } from "../threads/op-executor.js";
import type { Watch } from "../threads/watch.js";

/**
 * A task that waits at the gate: what is copied out of it and put into it. Each address and each fd number is looked at
 * once; the copies of its fds are closed by {@link release}, whatever became of the call.
 */
export class Task {
  #writes: Part[] | null = null;
  /** Fds that blocking operations of this turn returned; null if there are none. */
  #opFds: Fds | null = null;

  /**
   * `taken` are fds that were taken before, by the task's numbers or by name; `watch` is told of those that are taken
   * now.
   */
  constructor(
    readonly tid: number,
    readonly tgid: number,
    private readonly pidfd: number,
    private readonly executor: OpExecutor,
    private taken: Fds | null,
    private readonly watch: Pick<Watch, "made">,
    private readonly during: Waiting,
  ) {}

  /** The gate's copies of the task's fds, and fds of its own, without those that operations of this turn returned. */
  get fds(): Fds {
    this.taken ??= new Map();
    return this.taken;
  }

  /** A copy of `length` bytes, or null where not all of them are there. Not to be changed: another turn may need it. */
  read(address: bigint, length: number): Uint8Array | null {
    return length === 0 ? NOTHING : this.readAll([{ address, length }]);
  }

  /** The same of several spans, one after the other. */
  readAll(spans: readonly Span[]): Uint8Array | null {
    return this.executor.run({ do: "read", tid: this.tid, spans });
  }

  /** Pages by their addresses; null for one that is not there. */
  readPages(addresses: readonly bigint[]): readonly (Uint8Array | null)[] {
    return this.executor.run({ do: "pages", tid: this.tid, addresses });
  }

  /** Bytes up to a NUL, at most `limit` of them; null where the memory ends first. */
  readString(address: bigint, limit: number): Uint8Array | null {
    return this.executor.run({ do: "string", tid: this.tid, address, limit });
  }

  /** The whole file behind one of {@link fd}'s; null where it is longer than `limit` or cannot be read. */
  readFile(fd: number, limit: number): Uint8Array | null {
    return this.executor.run({ do: "file", fd, limit });
  }

  /** Which file is behind one of {@link fd}'s; null where that cannot be told. */
  identify(fd: number): FileIdentity | null {
    return this.executor.run({ do: "identify", fd });
  }

  /**
   * Puts bytes into the task, just before it is answered: where they do not fit the answer becomes EFAULT. True, for
   * who thinks that it was done at once.
   */
  write(address: bigint, bytes: Uint8Array): boolean {
    this.#writes ??= [];
    if (bytes.byteLength > 0) this.#writes.push({ address, bytes });
    return true;
  }

  /** Whether all that was to be written could be. */
  writeAll(): boolean {
    const parts = this.#writes;
    return (
      parts === null ||
      parts.length === 0 ||
      this.executor.run({ do: "write", tid: this.tid, during: this.during, parts })
    );
  }

  /**
   * Makes a call on the task's account: a result, which is an fd of the gate's where it is positive, or a negative
   * errno.
   */
  make(call: Omit<Make, "do" | "during">): number {
    return this.executor.run({ do: "call", during: this.during, ...call });
  }

  /**
   * What follows of this call is done by another thread, since it takes long. The call waits for its turn first, and
   * ends its turn here: nothing large may have been copied before.
   */
  admit(): void {
    this.executor.admit();
  }

  /** Who analyses a load of the task's; `index` counts the analyses of this call. */
  analyst(index: number): Analyst {
    const { executor } = this;
    return {
      hasAnalysed: executor.hasAnalysed(index),
      analyse: (analysis) => executor.analyse({ do: "analyse", index, analysis }),
    };
  }

  /** The gate's copy of one of the task's fds; the same number gives the same copy. A negative errno on failure. */
  fd(number: number): number {
    return this.#kept(number, () => takeFd(this.pidfd, number));
  }

  /** An fd of the gate's own that lives as long as the call does; the same name gives the same one. */
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

/** Fds of the gate's, by the task's numbers or by name. */
export type Fds = Map<number | string, number>;

const NOTHING = new Uint8Array(0);
