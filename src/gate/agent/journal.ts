import { ftruncateSync, writeSync } from "node:fs";
import { memoryFile, readAt } from "../sys/file.js";

/**
 * A file in memory that outlives the agent: bytes that stay where they are, a first line, and lines that are added to it. An agent
 * can be killed while it writes: a last line that is not whole is none.
 */
export class Journal {
  private constructor(
    readonly fd: number,
    /** Bytes before the lines that are added, and before what comes next. */
    private readonly start: number,
    private end: number,
    /** Bytes that those lines may take. */
    private readonly most: number,
  ) {}

  /** `bytes` stay where they are; `first` has no line break. Null where there can be none. */
  static create(name: string, bytes: number, first: string, most: number): Journal | null {
    const contents = Buffer.concat([Buffer.alloc(bytes), Buffer.from(`${first}\n`)]);
    const fd = memoryFile(name, contents);
    return fd < 0 ? null : new Journal(fd, contents.byteLength, contents.byteLength, most);
  }

  /**
   * What an agent before this one has left. `read` takes a line that was added, or says false: from there on nothing counts, and
   * what is added next replaces it. Null where there is no first line, of at most `mostFirst` bytes.
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

  /** False where there is no room, or no memory, for all of them; none is added then. */
  add(lines: readonly string[]): boolean {
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    if (this.end + text.byteLength > this.start + this.most) return false;
    try {
      // what stood there beyond is gone: nothing that is not whole is ever followed by something
      ftruncateSync(this.fd, this.end);
      for (let done = 0; done < text.byteLength; )
        done += writeSync(this.fd, text, done, text.byteLength - done, this.end + done);
      this.end += text.byteLength;
      return true;
    } catch {
      return false;
    }
  }

  /** Has these lines alone, or none where there is no room for all of them. */
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

/** Behind the line break; 0 where there is none. */
function lineEnd(contents: Buffer, from: number): number {
  return contents.indexOf(NEWLINE, from) + 1;
}
