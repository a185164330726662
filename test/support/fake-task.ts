import { ERRNO } from "../../src/errno.js";
import type { FileIdentity, Make } from "../../src/gate/task/blocking/blocking-op.js";
import type { FilePath } from "../../src/gate/task/blocking/file-path.js";
import { type Analyst, analyse } from "../../src/gate/task/blocking/load-analysis.js";
import type { Task } from "../../src/gate/task/task.js";
import type { Span } from "../../src/sys/memory.js";

const PAGE = 4096;

/**
 * A task without a kernel: its memory is a map, its fds are numbers, and its system calls have results that a test
 * sets.
 */
export class FakeTask implements Task {
  readonly tid = 4242;
  readonly tgid = 4242;
  process = "4242 100 7";
  stillWaits = true;
  /** Fds of the task, each with the gate's copy. */
  readonly fds = new Map<number, number>();
  readonly files = new Map<number, Uint8Array>();
  /** Paths by the gate's fd, for fds whose path is known. */
  readonly paths = new Map<number, FilePath>();
  /** The system calls that were made with the task's identity, and their result. */
  readonly made: Omit<Make, "do" | "during">[] = [];
  result: (call: Omit<Make, "do" | "during">) => number = () => 0;
  readonly written: { readonly address: bigint; readonly bytes: Uint8Array }[] = [];
  admitted = 0;
  /** Fds that are closed when the call ends. */
  readonly adopted: number[] = [];
  readonly #memory = new Map<bigint, Uint8Array>();
  readonly #own = new Map<string, number>();

  /** Puts bytes at the start of new pages of the task's memory. Returns their address. */
  place(bytes: Uint8Array | string): bigint {
    const given = typeof bytes === "string" ? Buffer.from(`${bytes}\0`, "latin1") : bytes;
    const pages = new Uint8Array(Math.ceil(given.byteLength / PAGE) * PAGE);
    pages.set(given);
    const address = BigInt((this.#memory.size + 1) * 2 ** 24);
    this.#memory.set(address, pages);
    return address;
  }

  read(address: bigint, length: number): Uint8Array | null {
    const from = this.#from(address);
    return length === 0 || from.byteLength >= length ? from.slice(0, length) : null;
  }

  readAll(spans: readonly Span[]): Uint8Array | null {
    const parts = spans.map(({ address, length }) => this.read(address, length));
    return parts.includes(null) ? null : new Uint8Array(Buffer.concat(parts as Uint8Array[]));
  }

  readPages(addresses: readonly bigint[]): readonly (Uint8Array | null)[] {
    return addresses.map((address) => this.read(address, PAGE));
  }

  readString(address: bigint, limit: number): Uint8Array | null {
    const from = this.#from(address).subarray(0, limit);
    const end = from.indexOf(0);
    return end < 0 && from.byteLength < limit ? null : from.slice(0, end < 0 ? limit : end);
  }

  readFile(fd: number, limit: number): Uint8Array | null {
    const bytes = this.files.get(fd) ?? null;
    return bytes === null || bytes.byteLength > limit ? null : bytes;
  }

  identify(): FileIdentity | null {
    return null;
  }

  findPath(fd: number): FilePath | null {
    return this.paths.get(fd) ?? null;
  }

  write(address: bigint, bytes: Uint8Array): void {
    this.written.push({ address, bytes: bytes.slice() });
  }

  make(call: Omit<Make, "do" | "during">): number {
    this.made.push(call);
    return this.result(call);
  }

  admit(): void {
    this.admitted += 1;
  }

  analyst(): Analyst {
    return { hasAnalysed: false, analyse };
  }

  fd(number: number): number {
    return this.fds.get(number) ?? -ERRNO.EBADF;
  }

  adopt(fd: number): number {
    this.adopted.push(fd);
    return fd;
  }

  own(name: string, open: () => number): number {
    const fd = this.#own.get(name) ?? open();
    this.#own.set(name, fd);
    return fd;
  }

  /** The memory from an address to the end of its pages; empty if there is none. */
  #from(address: bigint): Uint8Array {
    for (const [start, bytes] of this.#memory) {
      const at = Number(address - start);
      if (at >= 0 && at < bytes.byteLength) return bytes.subarray(at);
    }
    return new Uint8Array(0);
  }
}
