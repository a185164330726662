import { readMemory, readString, writeMemory } from "./sys/memory.js";
import { close, takeFd } from "./sys/pidfd.js";
import type { Watch } from "./watch.js";

/**
 * A task that waits at the gate: what is copied out of it and put into it. Each address and each fd number is looked at
 * once; the copies of its fds are closed by {@link release}, whatever became of the call.
 */
export class Task {
  readonly #taken = new Map<number | string, number>();

  constructor(
    readonly tid: number,
    readonly tgid: number,
    private readonly pidfd: number,
    private readonly watch: Watch,
  ) {}

  /** A copy of `length` bytes, or null where not all of them are there. */
  read(address: bigint, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    return this.readInto(address, bytes) ? bytes : null;
  }

  readInto(address: bigint, into: Uint8Array): boolean {
    this.watch.copying();
    return readMemory(this.tid, address, into);
  }

  readString(address: bigint, limit: number): Uint8Array | null {
    this.watch.copying();
    return readString(this.tid, address, limit);
  }

  write(address: bigint, bytes: Uint8Array): boolean {
    this.watch.copying();
    return writeMemory(this.tid, address, bytes);
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
    for (const fd of this.#taken.values()) close(fd);
    this.#taken.clear();
  }

  #kept(name: number | string, open: () => number): number {
    const known = this.#taken.get(name);
    if (known !== undefined) return known;
    const fd = open();
    this.#taken.set(name, fd);
    return fd;
  }
}
