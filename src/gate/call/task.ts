import { close, takeFd } from "../sys/pidfd.js";
import type { FileIdentity, Make, Part } from "../threads/errand.js";
import type { Hands } from "../threads/hands.js";

/**
 * A task that waits at the gate: what is copied out of it and put into it. Each address and each fd number is looked at
 * once; the copies of its fds are closed by {@link release}, whatever became of the call.
 */
export class Task {
  readonly #writes: Part[] = [];
  /** Fds that errands of this turn have brought. */
  readonly #brought = new Map<number | string, number>();

  /** `fds` are what was taken before, by the task's numbers or by name. */
  constructor(
    readonly tid: number,
    readonly tgid: number,
    private readonly pidfd: number,
    private readonly hands: Hands,
    private readonly fds: Map<number | string, number>,
  ) {}

  /** A copy of `length` bytes, or null where not all of them are there. Not to be changed: another turn may need it. */
  read(address: bigint, length: number): Uint8Array | null {
    if (length === 0) return new Uint8Array(0);
    return this.hands.run({ do: "read", tid: this.tid, address, length });
  }

  readInto(address: bigint, into: Uint8Array): boolean {
    const bytes = this.read(address, into.byteLength);
    if (bytes !== null) into.set(bytes);
    return bytes !== null;
  }

  /** Pages by their addresses; null for one that is not there. */
  readPages(addresses: readonly bigint[]): readonly (Uint8Array | null)[] {
    return this.hands.run({ do: "pages", tid: this.tid, addresses });
  }

  /** Bytes up to a NUL, at most `limit` of them; null where the memory ends first. */
  readString(address: bigint, limit: number): Uint8Array | null {
    return this.hands.run({ do: "string", tid: this.tid, address, limit });
  }

  /** The whole file behind one of {@link fd}'s; null where it is longer than `limit` or cannot be read. */
  readFile(fd: number, limit: number): Uint8Array | null {
    return this.hands.run({ do: "file", fd, limit });
  }

  /** Which file is behind one of {@link fd}'s; null where that cannot be told. */
  identify(fd: number): FileIdentity | null {
    return this.hands.run({ do: "identify", fd });
  }

  /**
   * Puts bytes into the task, just before it is answered: where they do not fit the answer becomes EFAULT. True, for who
   * thinks that it was done at once.
   */
  write(address: bigint, bytes: Uint8Array): boolean {
    if (bytes.byteLength > 0) this.#writes.push({ address, bytes });
    return true;
  }

  /** Whether all that was to be written could be. */
  writeAll(): boolean {
    return this.#writes.length === 0 || this.hands.run({ do: "write", tid: this.tid, parts: this.#writes });
  }

  /** Makes a call on the task's account: a result, which is an fd of the gate's where it is positive, or a negative errno. */
  make(call: Omit<Make, "do">): number {
    return this.hands.run({ do: "call", ...call });
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
    for (const fds of [this.fds, this.#brought]) {
      for (const fd of fds.values()) close(fd);
      fds.clear();
    }
  }

  #kept(name: number | string, open: () => number): number {
    const known = this.fds.get(name) ?? this.#brought.get(name);
    if (known !== undefined) return known;
    const before = this.hands.count;
    const fd = open();
    // what an errand brought is brought again in every turn
    (this.hands.count === before ? this.fds : this.#brought).set(name, fd);
    return fd;
  }
}
