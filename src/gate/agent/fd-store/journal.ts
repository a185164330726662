import { ftruncateSync, writeSync } from "node:fs";
import { memoryFile, readAt } from "../../../sys/file.js";

/**
 * A memory file that outlives the agent: a block of fixed size, a first line, and lines that are appended. An agent can
 * be killed while it writes, so an incomplete last line is ignored.
 */
export class Journal {
  private constructor(
    readonly fd: number,
    /** Offset of the first appended line. `end` is the offset at which the next line is written. */
    private readonly start: number,
    private end: number,
    /** Maximum size in bytes of all appended lines. */
    private readonly most: number,
  ) {}

  /**
   * `bytes` is the size of the block at the start; `first` has no line break. Returns null if the file cannot be
   * created.
   */
  static create(name: string, bytes: number, first: string, most: number): Journal | null {
    const contents = Buffer.concat([Buffer.alloc(bytes), Buffer.from(`${first}\n`)]);
    const fd = memoryFile(name, contents);
    return fd < 0 ? null : new Journal(fd, contents.byteLength, contents.byteLength, most);
  }

  /**
   * Opens the journal of an earlier agent. Calls `read` for each appended line. If `read` returns false, that line and
   * all after it are ignored, and the next `add` overwrites them. Returns null if there is no first line or the file is
   * too long.
   */
  static open(
    fd: number,
    bytes: number,
    mostFirst: number,
    most: number,
    read: (line: string) => boolean,
  ): Opened | null {
    const all = readAt(fd, bytes + mostFirst + most);
    if (all === null) return null;
    const contents = Buffer.from(all.buffer, all.byteOffset, all.byteLength);
    const start = contents.indexOf(NEWLINE, bytes) + 1;
    if (start === 0) return null;
    let end = start;
    for (let next = lineEnd(contents, end); next > 0; next = lineEnd(contents, end)) {
      if (!read(contents.toString("utf8", end, next - 1))) break;
      end = next;
    }
    const first = contents.toString("utf8", bytes, start - 1);
    return { journal: new Journal(fd, start, end, most), bytes: contents.subarray(0, bytes), first };
  }

  /** Appends lines. Returns false if there is no room or no memory for all of them; none is added then. */
  add(lines: readonly string[]): boolean {
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    if (this.end + text.byteLength > this.start + this.most) return false;
    try {
      // remove an incomplete line of an earlier write, so that no line can follow it
      ftruncateSync(this.fd, this.end);
      for (let done = 0; done < text.byteLength; )
        done += writeSync(this.fd, text, done, text.byteLength - done, this.end + done);
      this.end += text.byteLength;
      return true;
    } catch {
      return false;
    }
  }

  /** Replaces all appended lines. Returns false if there is no room for all of them; the journal has none then. */
  replace(lines: readonly string[]): boolean {
    this.end = this.start;
    if (this.add(lines)) return true;
    this.add([]);
    return false;
  }
}

export interface Opened {
  readonly journal: Journal;
  readonly bytes: Uint8Array;
  readonly first: string;
}

const NEWLINE = 0x0a;

/** Returns the offset after the next line break; 0 if there is none. */
function lineEnd(contents: Buffer, from: number): number {
  return contents.indexOf(NEWLINE, from) + 1;
}
