import type { Span } from "../../sys/memory.js";
import { close, processIdentity, takeFd } from "../../sys/pidfd.js";
import { lasts, type Waiting } from "../../sys/seccomp.js";
import type { FileIdentity, Make, Part } from "./blocking/blocking-op.js";
import type { FilePath } from "./blocking/file-path.js";
import type { Analyst } from "./blocking/load-analysis.js";
import type { OpExecutor } from "./blocking/op-executor.js";
import type { Watch } from "./blocking/watch.js";
import type { Task } from "./task.js";

/**
 * A task of the kernel that waits for the gate's reply. {@link release} closes the copies of the task's fds, also if
 * the call failed.
 */
export class RemoteTask implements Task {
  #writes: Part[] | null = null;
  /** Fds that blocking operations returned, which every turn replays; null if there are none. */
  #opFds: Fds | null = null;
  /** A call makes at most one object. */
  #adopted = NO_FD;
  #process: string | undefined;

  /** `taken` are the fds of earlier turns, by the task's fd number or by name. New ones are reported to `watch`. */
  constructor(
    readonly tid: number,
    readonly tgid: number,
    private readonly pidfd: number,
    private readonly executor: OpExecutor,
    private taken: Fds | null,
    private readonly watch: Pick<Watch, "made">,
    private readonly during: Waiting,
    private readonly identifyProcess: (tgid: number) => string = processIdentity,
  ) {}

  get process(): string {
    this.#process ??= this.identifyProcess(this.tgid);
    return this.#process;
  }

  /** The gate's copies of the task's fds, and the gate's own fds, without those that blocking operations returned. */
  get fds(): Fds {
    this.taken ??= new Map();
    return this.taken;
  }

  get stillWaits(): boolean {
    return this.during.listener < 0 || lasts(this.during); // a warm-up has no listener, and its task is the gate
  }

  read(address: bigint, length: number): Uint8Array | null {
    return length === 0 ? NOTHING : this.readAll([{ address, length }]);
  }

  readAll(spans: readonly Span[]): Uint8Array | null {
    return this.executor.run({ do: "read", tid: this.tid, spans });
  }

  readPages(addresses: readonly bigint[]): readonly (Uint8Array | null)[] {
    return this.executor.run({ do: "pages", tid: this.tid, addresses });
  }

  readString(address: bigint, limit: number): Uint8Array | null {
    return this.executor.run({ do: "string", tid: this.tid, address, limit });
  }

  readFile(fd: number, limit: number): Uint8Array | null {
    return this.executor.run({ do: "file", fd, limit });
  }

  identify(fd: number): FileIdentity | null {
    return this.executor.run({ do: "identify", fd });
  }

  findPath(fd: number): FilePath | null {
    return this.executor.run({ do: "find", fd });
  }

  write(address: bigint, bytes: Uint8Array): void {
    this.#writes ??= [];
    if (bytes.byteLength > 0) this.#writes.push({ address, bytes });
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

  make({ identity, number, words, held, ticket, path }: Omit<Make, "do" | "during">): number {
    // copied one by one: V8 makes an object from a spread more slowly
    return this.executor.run({ do: "call", during: this.during, identity, number, words, held, ticket, path });
  }

  admit(): void {
    this.executor.admit();
  }

  analyst(index: number): Analyst {
    const { executor } = this;
    return {
      hasAnalysed: executor.hasAnalysed(index),
      analyse: (analysis) => executor.analyse({ do: "analyse", index, analysis }),
    };
  }

  fd(number: number): number {
    return this.#kept(number, () => takeFd(this.pidfd, number));
  }

  own(name: string, open: () => number): number {
    return this.#kept(name, open);
  }

  adopt(fd: number): number {
    this.#adopted = fd;
    return fd;
  }

  /** Closes the adopted fd. Call this before a reply that does not issue it. */
  closeAdopted(): void {
    if (this.#adopted >= 0) close(this.#adopted);
    this.#adopted = NO_FD;
  }

  release(): void {
    this.closeAdopted();
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

const NO_FD = -1;

/** Fds of the gate, by the task's fd number or by name. */
export type Fds = Map<number | string, number>;

const NOTHING = new Uint8Array(0);
