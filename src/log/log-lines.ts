import { read } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { promisify } from "node:util";
import { createGunzip } from "node:zlib";
import { MAX_LINE } from "./follow.js";

/** Consecutive lines of a file. */
export interface LineBatch {
  /** The number of the first line, from 1. */
  readonly first: number;
  /** The lines without their line feeds; null for a line that is longer than {@link MAX_LINE}. */
  readonly lines: readonly (string | null)[];
}

/** The end of what can be read of a file, because of the damage `cause` in it or of an error of the system. */
export class LinesEnd extends Error {
  constructor(
    /** The number of complete lines that were read. */
    readonly after: number,
    override readonly cause: NodeJS.ErrnoException,
  ) {
    super(cause.message);
  }
}

/**
 * Reads the lines of an open file from its position on, decompressed if it is gzip. A last line without a line feed is
 * a line. Throws {@link LinesEnd}.
 */
export async function* linesOf(fd: number): AsyncGenerator<LineBatch> {
  let count = 0;
  const partial = new PartialLine();
  try {
    for await (const chunk of chunksOf(fd)) {
      const end = chunk.lastIndexOf(LINE_FEED) + 1;
      const lines = end === 0 ? [] : partial.complete(chunk.subarray(0, end));
      if (lines.length > 0) yield { first: count + 1, lines };
      count += lines.length;
      partial.add(chunk.subarray(end));
    }
    if (!partial.isEmpty) yield { first: count + 1, lines: partial.complete(Buffer.from("\n")) };
  } catch (cause) {
    throw new LinesEnd(count, cause as NodeJS.ErrnoException);
  }
}

const LINE_FEED = 0x0a;
const CHUNK = 1024 * 1024;
/** RFC 1952 2.3.1. */
const GZIP = Buffer.from([0x1f, 0x8b]);
const readFd = promisify(read);

/** The beginning of a line whose end has not been read. */
class PartialLine {
  #parts: Buffer[] = [];
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  add(part: Buffer): void {
    if (part.length === 0) return;
    this.#length += part.length;
    if (this.#length > MAX_LINE) this.#parts = [];
    else this.#parts.push(part);
  }

  /** The lines in `chunk`, which ends with a line feed; the first of them begins with this line. */
  complete(chunk: Buffer): readonly (string | null)[] {
    const isTooLong = this.#length + chunk.indexOf(LINE_FEED) > MAX_LINE;
    const text = Buffer.concat([...this.#parts, chunk]).toString("utf8");
    this.#parts = [];
    this.#length = 0;
    const lines: (string | null)[] = text.split("\n");
    lines.pop();
    if (isTooLong) lines[0] = null;
    return lines;
  }
}

async function* chunksOf(fd: number): AsyncGenerator<Buffer> {
  const chunks = bytesOf(fd);
  const { value: first } = await chunks.next();
  if (first === undefined) return;
  const whole = (async function* () {
    yield first;
    yield* chunks;
  })();
  if (!first.subarray(0, GZIP.length).equals(GZIP)) yield* whole;
  // The iterator of the last stream throws the error of any of them
  else yield* pipeline(Readable.from(whole), createGunzip({ chunkSize: CHUNK }), () => {});
}

async function* bytesOf(fd: number): AsyncGenerator<Buffer> {
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(CHUNK);
    const { bytesRead } = await readFd(fd, buffer, 0, CHUNK, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
