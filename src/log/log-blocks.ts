import { createReadStream, fstatSync, readSync } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { MAX_LINE } from "./follow.js";
import type { LogFile } from "./log-files.js";

/** RFC 1952 2.3.1. */
const GZIP = Buffer.from([0x1f, 0x8b]);
const LINE_FEED = 0x0a;
const CHUNK = 1024 * 1024;

/**
 * The bytes of a log in blocks of whole lines, as often as they are wanted. Lines of more than {@link MAX_LINE} bytes
 * are left out. A file that is not compressed is read in place, so that its blocks are valid only until the next one is
 * asked for. What cannot be read again, such as standard input, is kept in memory.
 */
export class LogBlocks {
  readonly isSeekable: boolean;
  readonly #isCompressed: boolean;
  #kept: Promise<readonly Buffer[]> | null = null;

  constructor(private readonly file: LogFile) {
    this.isSeekable = fstatSync(file.fd).isFile();
    const start = Buffer.alloc(GZIP.length);
    this.#isCompressed = this.isSeekable && readSync(file.fd, start, 0, GZIP.length, 0) > 0 && start.equals(GZIP);
  }

  /** The last `length` bytes of a file that is not compressed, from the next line on; null for any other log. */
  tail(length: number): Buffer | null {
    if (!this.isSeekable || this.#isCompressed) return null;
    const { size } = fstatSync(this.file.fd);
    const bytes = Buffer.alloc(Math.min(length, size));
    const read = readSync(this.file.fd, bytes, 0, bytes.length, size - bytes.length);
    const from = size <= length ? 0 : bytes.indexOf(LINE_FEED) + 1;
    return bytes.subarray(from, read);
  }

  /** Throws what reading the file or decompressing it throws, after the blocks before. */
  async *blocks(): AsyncGenerator<Buffer> {
    if (this.isSeekable && !this.#isCompressed) yield* this.#inPlace();
    else {
      const lines = new WholeLines();
      for await (const chunk of this.isSeekable ? this.#inflated() : await this.#all()) {
        const block = lines.add(chunk);
        if (block.length > 0) yield block;
      }
      const rest = lines.rest();
      if (rest.length > 0) yield rest;
    }
  }

  *#inPlace(): Generator<Buffer> {
    const { fd } = this.file;
    let buffer = Buffer.allocUnsafeSlow(CHUNK);
    let [position, held, skips] = [0, 0, false];
    for (;;) {
      const read = readSync(fd, buffer, held, buffer.length - held, position);
      position += read;
      const filled = held + read;
      const end = read === 0 ? filled : buffer.lastIndexOf(LINE_FEED, filled - 1) + 1;
      // The end of the line that was begun
      const feed = held === 0 && !skips ? 0 : buffer.subarray(0, filled).indexOf(LINE_FEED, held);
      const from = skips || feed > MAX_LINE ? feed + 1 : 0;
      if (from > 0) skips = false;
      if (!skips && end > from) yield buffer.subarray(from, end);
      if (read === 0) return;
      held = filled - end;
      if (held > MAX_LINE) [held, skips] = [0, true];
      else if (held > buffer.length / 2) {
        const larger = Buffer.allocUnsafeSlow(2 * buffer.length);
        buffer.copy(larger, 0, end, filled);
        buffer = larger;
      } else buffer.copyWithin(0, end, filled);
    }
  }

  #inflated(): AsyncIterable<Buffer> {
    return pipeline(Readable.from(chunksOf(this.file.fd)), createGunzip({ chunkSize: CHUNK }), () => {});
  }

  #all(): Promise<readonly Buffer[]> {
    const stream = createReadStream("", { fd: this.file.fd, autoClose: false, highWaterMark: CHUNK });
    this.#kept ??= Readable.from(stream).toArray() as Promise<readonly Buffer[]>;
    return this.#kept;
  }
}

/**
 * The bytes of a file from its beginning. `pipeline` destroys its source if the consumer stops early or the data is
 * damaged, and a destroyed `ReadStream` closes its fd even with `autoClose: false`; the fd belongs to the caller.
 */
function* chunksOf(fd: number): Generator<Buffer> {
  for (let position = 0; ; ) {
    const buffer = Buffer.allocUnsafeSlow(CHUNK);
    const read = readSync(fd, buffer, 0, CHUNK, position);
    if (read === 0) return;
    position += read;
    yield buffer.subarray(0, read);
  }
}

/** Cuts chunks at line ends. */
class WholeLines {
  #held: Buffer[] = [];
  #length = 0;

  /** The lines that are complete; empty if none is. */
  add(chunk: Buffer): Buffer {
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    const block = end === 0 ? chunk.subarray(0, 0) : this.#joined(chunk.subarray(0, end));
    if (end < chunk.length) {
      this.#length += chunk.length - end;
      this.#held = this.#length > MAX_LINE ? [] : [...this.#held, chunk.subarray(end)];
    }
    return block;
  }

  rest(): Buffer {
    return this.#joined(Buffer.alloc(0));
  }

  /** The end of a line that is too long is left out with it. */
  #joined(last: Buffer): Buffer {
    const feed = last.indexOf(LINE_FEED);
    const isTooLong = this.#length + Math.max(feed, 0) > MAX_LINE;
    const block = isTooLong ? last.subarray(feed + 1) : Buffer.concat([...this.#held, last]);
    this.#held = [];
    this.#length = 0;
    return block;
  }
}
