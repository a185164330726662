import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { rotatedFiles } from "./log-files.js";

/**
 * Maximum length of a line in UTF-16 code units; a longer one is dropped. The decision log truncates foreign strings,
 * so its lines are far shorter.
 */
export const MAX_LINE = 16 * 1024 * 1024;

/** A line that was appended. */
export interface FollowedLine {
  /** Its number in its file, from 1. */
  readonly line: number;
  readonly text: string;
}

/** Maximum number of renamed files that are kept open. */
const MAX_RENAMED = 8;

/**
 * Reads the lines that are appended to a file. When the file is rotated, the old file is read to its end before the
 * next one. Another process that has it open may go on writing to it, so that it is read as long as it has a name. A
 * file that does not exist yet has no lines.
 */
export class Follow {
  #file: FollowedFile | null = null;
  /** Files that have been rotated, the oldest first. */
  #renamed: FollowedFile[] = [];

  /**
   * `fromStart`: also return the lines that the file already has. Otherwise the first `read` gives these lines to
   * `earlier`.
   */
  constructor(
    private readonly path: string,
    private fromStart: boolean,
    private readonly earlier: (text: string) => void = () => {},
  ) {}

  /** Returns the complete lines since the last call. */
  read(): FollowedLine[] {
    const lines: FollowedLine[] = [];
    this.#readRenamed(lines);
    this.#file ??= this.#open(this.path);
    this.#file?.read(lines);
    // A file can be rotated several times between two calls
    for (let file = this.#file; file !== null && this.#hasMoved(file); file = this.#file) {
      file.read(lines); // what was appended between the last read and the rename
      this.fromStart = true;
      this.#file = this.#openNext(file);
      this.#file?.read(lines);
    }
    return lines;
  }

  /** Whether an open file is the one that is being read. */
  isReading(fd: number): boolean {
    return this.#file !== null && isSame(fstatSync(fd), this.#file.stats);
  }

  close(): void {
    for (const file of this.#renamed) file.close();
    this.#file?.close();
    this.#renamed = [];
    this.#file = null;
  }

  #readRenamed(lines: FollowedLine[]): void {
    for (const file of this.#renamed) file.read(lines);
    const kept = this.#renamed.filter((file, index) => {
      return index >= this.#renamed.length - MAX_RENAMED && file.stats.nlink > 0;
    });
    for (const file of this.#renamed) if (!kept.includes(file)) file.close();
    this.#renamed = kept;
  }

  #open(path: string): FollowedFile | null {
    try {
      const file = new FollowedFile(openSync(path, "r"));
      if (!this.fromStart) file.skip(this.earlier);
      return file;
    } catch {
      this.fromStart = true; // a file that appears later is new from its start
      return null;
    }
  }

  /** Whether the path now leads to another file, or the file has been truncated. */
  #hasMoved(file: FollowedFile): boolean {
    const now = statSync(this.path, { throwIfNoEntry: false });
    return now !== undefined && (!isSame(now, file.stats) || now.size < file.position);
  }

  /** Opens the file that was begun after one. */
  #openNext(before: FollowedFile): FollowedFile | null {
    const its = before.stats;
    if (its.size < before.position) before.close();
    else this.#renamed.push(before);
    for (;;) {
      const files = [this.path, ...rotatedFiles(this.path).filter((file) => !file.endsWith(".gz"))];
      const index = files.findIndex((file) => isAt(file, its));
      const next = this.#open(files[Math.max(index - 1, 0)] as string);
      // Another rotation while this one was looked for gave the name to a later file
      if (next === null || index <= 0 || isAt(files[index] as string, its)) return next;
      next.close();
    }
  }
}

/** An open file, from a position on. */
class FollowedFile {
  position = 0;
  #line = 0;
  #decoder = new StringDecoder("utf8");
  #partial = "";
  #isTooLong = false;

  constructor(private readonly fd: number) {}

  get stats(): Stats {
    return fstatSync(this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }

  /** Goes to the end of the file. If its last line is incomplete, what follows is a line of its own. */
  skip(earlier: (text: string) => void): void {
    this.#readTo(this.stats.size, ({ text }) => earlier(text));
    this.#partial = "";
    this.#isTooLong = false;
    this.#decoder = new StringDecoder("utf8");
  }

  /** Adds the lines that have become complete. */
  read(lines: FollowedLine[]): void {
    this.#readTo(Number.POSITIVE_INFINITY, (line) => lines.push(line));
  }

  #split(bytes: Buffer, take: (line: FollowedLine) => void): void {
    const [first = "", ...others] = this.#decoder.write(bytes).split("\n");
    this.#partial += first;
    for (const next of others) {
      this.#line += 1;
      if (!this.#isTooLong && this.#partial.length <= MAX_LINE) take({ line: this.#line, text: this.#partial });
      this.#isTooLong = false;
      this.#partial = next;
    }
    if (this.#partial.length <= MAX_LINE) return;
    this.#partial = "";
    this.#isTooLong = true;
  }

  #readTo(end: number, take: (line: FollowedLine) => void): void {
    if (this.position >= this.stats.size) return;
    const chunk = Buffer.alloc(256 * 1024);
    while (this.position < end) {
      const wanted = Math.min(chunk.length, end - this.position);
      const count = readSync(this.fd, chunk, 0, wanted, this.position);
      if (count === 0) return;
      this.position += count;
      this.#split(chunk.subarray(0, count), take);
    }
  }
}

function isSame(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/** Whether a path leads to the file of `its`. */
function isAt(path: string, its: Stats): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && isSame(stats, its);
}
