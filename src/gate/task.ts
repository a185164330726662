import { readMemory, readString, writeMemory } from "./sys/memory.js";
import { close, takeFd } from "./sys/pidfd.js";
import type { Watch } from "./watch.js";

/**
 * A task that waits at the gate: what is copied out of it and put into it. Each address and each fd number is looked at
 * once; the copies of its fds are closed by {@link release}, whatever became of the call.
 */
export class Task {
  readonly #taken = new Map<number, number>();

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
    const known = this.#taken.get(number);
    if (known !== undefined) return known;
    const copy = takeFd(this.pidfd, number);
    this.#taken.set(number, copy);
    return copy;
  }

  release(): void {
    for (const fd of this.#taken.values()) close(fd);
    this.#taken.clear();
  }
}
