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

/**
 * Reads the lines that are appended to a file. When the file is rotated, the old file is read to its end before the
 * next one. A file that does not exist yet has no lines.
 */
export class Follow {
  #fd: number | null = null;
  #position = 0;
  #line = 0;
  #decoder = new StringDecoder("utf8");
  #partial = "";
  #isTooLong = false;

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
    if (this.#fd !== null || this.#open(this.path)) this.#drain(lines);
    // A file can be rotated several times between two calls
    while (this.#fd !== null && this.#moved()) {
      this.#drain(lines); // what was appended between the last read and the rename
      this.fromStart = true;
      if (this.#openNext()) this.#drain(lines);
    }
    return lines;
  }

  /** Whether an open file is the one that is being read. */
  isReading(fd: number): boolean {
    return this.#fd !== null && isSame(fstatSync(fd), fstatSync(this.#fd));
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    this.#line = 0;
    this.#beginLine();
  }

  #open(path: string): boolean {
    try {
      this.#fd = openSync(path, "r");
    } catch {
      this.fromStart = true; // a file that appears later is new from its start
      return false;
    }
    this.#position = 0;
    if (!this.fromStart) this.#skip();
    return true;
  }

  /** Goes to the end of the file. If its last line is incomplete, what follows is a line of its own. */
  #skip(): void {
    this.#readTo(fstatSync(this.#fd as number).size, ({ text }) => this.earlier(text));
    this.#beginLine();
  }

  #drain(lines: FollowedLine[]): void {
    this.#readTo(Number.POSITIVE_INFINITY, (line) => lines.push(line));
  }

  /** What has been read of an incomplete line is dropped. */
  #beginLine(): void {
    this.#partial = "";
    this.#isTooLong = false;
    this.#decoder = new StringDecoder("utf8");
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
    const chunk = Buffer.alloc(256 * 1024);
    while (this.#position < end) {
      const wanted = Math.min(chunk.length, end - this.#position);
      const count = readSync(this.#fd as number, chunk, 0, wanted, this.#position);
      if (count === 0) return;
      this.#position += count;
      this.#split(chunk.subarray(0, count), take);
    }
  }

  /** Whether the path now leads to another file, or the file has been truncated. */
  #moved(): boolean {
    const now = statSync(this.path, { throwIfNoEntry: false });
    const its = fstatSync(this.#fd as number);
    return now !== undefined && (!isSame(now, its) || now.size < this.#position);
  }

  /** Closes the file and opens the one that was begun after it. */
  #openNext(): boolean {
    const its = fstatSync(this.#fd as number);
    this.close();
    for (;;) {
      const files = [this.path, ...rotatedFiles(this.path).filter((file) => !file.endsWith(".gz"))];
      const index = files.findIndex((file) => isAt(file, its));
      const next = files[Math.max(index - 1, 0)] as string;
      if (!this.#open(next)) return false;
      // Another rotation while this one was looked for gave the name to a later file
      if (index <= 0 || isAt(files[index] as string, its)) return true;
      this.close();
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
