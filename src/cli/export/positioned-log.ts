import { hash } from "node:crypto";
import { closeSync, fstatSync, openSync } from "node:fs";
import { MAX_LINE } from "../../log/follow.js";
import { rotatedFiles, unreadable } from "../../log/log-files.js";
import { linesOf } from "../../log/log-lines.js";
import { readFull } from "../../read-full.js";
import type { FilePosition, LogPosition } from "./log-position.js";

/** Consecutive lines of one file that were not exported. */
export interface UnreadLines {
  readonly file: string;
  readonly lines: readonly {
    /** Its number in the file, from 1. */
    readonly line: number;
    /** Null if it is longer than {@link MAX_LINE}. */
    readonly text: string | null;
  }[];
  /** The position after these lines. */
  readonly after: FilePosition;
}

/** In bytes: the lines that are read at once. Most lines of a log have about 600. */
const CHUNK = 256 * 1024;
/** The most bytes that a line can have, since it has at most so many UTF-16 code units. */
const MAX_LINE_BYTES = 3 * MAX_LINE;
/** The most bytes of a first line that its file is known by. */
const MAX_HEAD = 64 * 1024;
const LINE_FEED = 0x0a;

/**
 * The lines of a log and of the rotated files beside it from a saved position on, the oldest file first. Each file has
 * a position of its own: another process may go on writing to a file that was renamed, and rotation only gives it
 * another name.
 */
export class PositionedLog {
  /** Files with nothing unread when they were last looked at: their sizes and digests, by device and inode. */
  readonly #done = new Map<string, { readonly size: number; readonly head: string }>();
  /** Files whose lines before the position have been read. */
  readonly #begun = new Set<string>();

  /** `earlier` gets the lines before the position, once: lines after it refer to them. */
  constructor(
    private readonly path: string,
    private readonly position: LogPosition,
    private readonly earlier: (text: string) => void,
  ) {}

  /**
   * The complete lines after the position, once through all files. The caller saves the position after a batch before
   * it takes the next one. `heads` gets the digests of the files that are there. Throws FILE_UNREADABLE.
   */
  async *unread(heads: Set<string>): AsyncGenerator<UnreadLines> {
    for (const path of [...rotatedFiles(this.path).toReversed(), this.path]) {
      const fd = opened(path);
      if (fd === null) continue;
      try {
        const { dev, ino, size } = fstatSync(fd);
        const key = `${dev}:${ino}`;
        const done = this.#done.get(key);
        if (done?.size !== size) {
          const head = yield* path.endsWith(".gz") ? this.#compressed(path, fd) : this.#plain(path, fd);
          if (head === null) continue;
          // The size before reading: what is appended meanwhile makes it another one
          this.#done.set(key, { size, head });
        }
        heads.add(this.#done.get(key)!.head);
      } finally {
        closeSync(fd);
      }
    }
  }

  /** Returns the digest of the file's first line; null if it has no complete one. */
  async *#plain(file: string, fd: number): AsyncGenerator<UnreadLines, string | null> {
    const head = headOf(readFull(fd, Buffer.allocUnsafe(MAX_HEAD), 0));
    if (head === null) return null;
    let { offset, line } = this.position.of(head);
    if (!this.#begun.has(head))
      for (let at = 0; at < offset; ) {
        const { lines, length } = linesAt(fd, at);
        if (length === 0) break;
        for (const text of lines) if (text !== null && at < offset) this.earlier(text);
        at += length;
      }
    this.#begun.add(head);
    for (;;) {
      const { lines, length } = linesAt(fd, offset);
      if (length === 0) return head;
      const first = line + 1;
      offset += length;
      line += lines.length;
      const numbered = lines.map((text, index) => ({ line: first + index, text }));
      yield { file, lines: numbered, after: { head, offset, line } };
    }
  }

  async *#compressed(file: string, fd: number): AsyncGenerator<UnreadLines, string | null> {
    let known: FilePosition | null = null;
    let offset = 0;
    for await (const { first, lines } of linesOf(fd)) {
      known ??= this.position.of(headOf(Buffer.from(`${lines[0] ?? ""}\n`))!);
      const { head, line } = known;
      const before = Math.max(0, Math.min(lines.length, line - first + 1));
      if (!this.#begun.has(head)) for (const text of lines.slice(0, before)) if (text !== null) this.earlier(text);
      for (const text of lines) offset += Buffer.byteLength(text ?? "") + 1;
      if (before === lines.length) continue;
      const numbered = lines.slice(before).map((text, index) => ({ line: first + before + index, text }));
      yield { file, lines: numbered, after: { head, offset, line: first + lines.length - 1 } };
    }
    if (known !== null) this.#begun.add(known.head);
    return known?.head ?? null;
  }
}

/** Null if the file does not exist, or no longer. */
function opened(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unreadable(path, cause);
  }
}

/** Null if the first line is not complete. */
function headOf(bytes: Buffer): string | null {
  const end = bytes.indexOf(LINE_FEED);
  if (end === -1 && bytes.length < MAX_HEAD) return null;
  return hash("sha256", bytes.subarray(0, end === -1 || end > MAX_HEAD ? MAX_HEAD : end)).slice(0, 32);
}

/** The complete lines at an offset, and their length in bytes with line feeds; a line that is too long is null. */
function linesAt(fd: number, offset: number): { readonly lines: readonly (string | null)[]; readonly length: number } {
  for (let size = CHUNK; ; size *= 4) {
    const bytes = readFull(fd, Buffer.allocUnsafe(size), offset);
    const length = bytes.lastIndexOf(LINE_FEED) + 1;
    if (length > 0)
      return {
        lines: bytes
          .toString("utf8", 0, length - 1)
          .split("\n")
          .map(bounded),
        length,
      };
    if (bytes.length < size) return { lines: [], length: 0 };
    // What follows of a line that is too long is read as a line of its own, which is damaged
    if (size > MAX_LINE_BYTES) return { lines: [null], length: bytes.length };
  }
}

function bounded(line: string): string | null {
  return line.length > MAX_LINE ? null : line;
}
