import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { CountersignError } from "../../../error.js";
import { readFull } from "../../../read-full.js";
import { malformed } from "./kernel-error.js";

/** Bytes that can be read in parts: a file, a part of one, or memory. */
export interface ByteSource {
  /** For messages: the file, and what of it. */
  readonly place: string;
  readonly size: number;
  /** Throws KERNEL_MALFORMED if the range is not within the bytes, FILE_UNREADABLE. */
  read(at: number, length: number): Uint8Array;
}

export class MemorySource implements ByteSource {
  constructor(
    readonly place: string,
    private readonly bytes: Uint8Array,
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  read(at: number, length: number): Uint8Array {
    checkRange(this, at, length);
    return this.bytes.subarray(at, at + length);
  }
}

/** A part of another source. */
export class PartSource implements ByteSource {
  constructor(
    readonly place: string,
    private readonly whole: ByteSource,
    private readonly start: number,
    readonly size: number,
  ) {
    checkRange(whole, start, size);
  }

  read(at: number, length: number): Uint8Array {
    checkRange(this, at, length);
    return this.whole.read(this.start + at, length);
  }
}

/** A regular file. Its descriptor is open until `close`. */
export class FileSource implements ByteSource {
  readonly size: number;
  readonly #fd: number;

  /** Throws FILE_UNREADABLE. */
  constructor(readonly place: string) {
    // O_NONBLOCK: open(2) of a pipe would wait for a writer.
    this.#fd = this.#unless(() => openSync(place, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
    const status = fstatSync(this.#fd);
    this.size = status.size;
    if (status.isFile()) return;
    this.close();
    throw new CountersignError("FILE_UNREADABLE", "is not a regular file", {
      place,
      remedy: "name a file: BTF, a kernel image or a package",
    });
  }

  read(at: number, length: number): Uint8Array {
    checkRange(this, at, length);
    const bytes = this.#unless(() => readFull(this.#fd, new Uint8Array(length), at));
    if (bytes.length === length) return bytes;
    throw malformed(this.place, `ends at ${at + bytes.length}, although it had ${this.size} bytes`);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #unless<Result>(call: () => Result): Result {
    try {
      return call();
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? "an error";
      throw new CountersignError("FILE_UNREADABLE", `cannot be read: ${code}`, {
        place: this.place,
        remedy: "check the path and its permissions",
        cause,
      });
    }
  }
}

function checkRange({ place, size }: ByteSource, at: number, length: number): void {
  if (!(at >= 0 && length >= 0 && at + length <= size))
    throw malformed(place, `${length} bytes at offset ${at} are beyond its ${size}`);
}

/** Size of a piece in bytes. */
const PIECE = 64 * 1024;

/** The bytes of a source from `start` on, in pieces. */
export function* piecesOf(source: ByteSource, start = 0): Generator<Uint8Array> {
  for (let at = start; at < source.size; at += PIECE) yield source.read(at, Math.min(PIECE, source.size - at));
}

/** The beginning of a source, or all of it if it is shorter. */
export function startOf(source: ByteSource, length: number): Uint8Array {
  return source.read(0, Math.min(length, source.size));
}
