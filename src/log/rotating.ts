import { closeSync, constants, fstatSync, openSync, readSync, renameSync, statSync, writeSync } from "node:fs";
import { CountersignError } from "../error.js";
import { Claim } from "./claim.js";

/** The file that lines are appended to, and how many old files are kept. */
export interface RotatingFileOptions {
  readonly file: string;
  /** Size in bytes at which a new file begins. A longer line gets a file of its own. */
  readonly rotate: number;
  /** Number of old files that are kept, as `file.1` (the newest) to `file.N`. */
  readonly keep: number;
  /**
   * An fd that the caller has opened and closes itself: lines are written to it, and no file is opened, renamed or
   * closed.
   */
  readonly fd?: number;
  /** The path that is opened first instead of `file`; see {@link RotatingFile.lasting}. */
  readonly first?: string;
  /**
   * Milliseconds for which what other processes do to the file may stay unnoticed: that they write to it, rename it or
   * delete it. 0 if absent. Noticing takes a system call, which is as long as the write.
   */
  readonly unchecked?: number;
  /** Milliseconds after which a stream counts as another file; see {@link RotatingFile.compose}. */
  readonly repeated?: number;
}

/**
 * A file that lines are appended to. Each line is one write(2), unless the kernel writes less, and is written when
 * `write` returns. The file is renamed when it has reached its size; no line is lost or split. Several processes may
 * append to one file: a process that finds the file renamed opens the new one.
 *
 * A full disk or a killed process can leave an incomplete line. The next writer, whichever process that is, first
 * writes a line feed, so that every record starts a line.
 */
export class RotatingFile {
  private fd: number | null;
  /**
   * The content cannot be read back: it is a pipe, or the fd was given. Only this process's own incomplete lines are
   * known.
   */
  private isStream = false;
  /** This process wrote a line only in part. */
  private unfinished = false;
  /** File size after the last write of this process. If the size differs, another process has written since. */
  private end = UNKNOWN;
  /** Number of incomplete lines that were found and terminated. */
  torn = 0;
  /** Number of the file that lines are written to: see {@link compose}. */
  private number = 0;
  /** When `number` was last changed, and the file last compared with `end`, by performance.now(). */
  private numbered = performance.now();
  private checked = Number.NEGATIVE_INFINITY;
  private readonly buffer = Buffer.allocUnsafe(16 * 1024);

  /** Throws FILE_UNREADABLE. */
  constructor(private readonly options: RotatingFileOptions) {
    this.fd = this.open(options.first ?? options.file);
    this.tryToEnd();
  }

  /**
   * A path that other threads of this process can open to get this same file, even after another process renamed it.
   * Valid until `close`.
   */
  get lasting(): string {
    return `/proc/self/fd/${this.descriptor()}`;
  }

  /** Writes one line, which includes its line feed. Throws FILE_UNREADABLE if it cannot be written whole. */
  write(line: string): void {
    this.compose(() => line);
  }

  /**
   * Writes lines that depend on what is in the file: `lines` gets the number of the file that they are written to, and
   * is called again if that changes. The number is another one after each rotation, after a failure, if the file was
   * truncated, and for a stream after some time. The lines are one write(2). Throws FILE_UNREADABLE if they cannot be
   * written whole.
   */
  compose(lines: (file: number) => string): void {
    let done = 0;
    try {
      if (this.isStream && performance.now() - this.numbered > (this.options.repeated ?? Number.POSITIVE_INFINITY))
        this.renumber();
      let bytes: Uint8Array = NOTHING;
      let size = 0;
      for (let before = -1; before !== this.number; ) {
        before = this.number;
        bytes = this.encoded(lines(before));
        size = this.makeRoom(bytes.length);
      }
      const fd = this.descriptor();
      while (done < bytes.length) done += writeSync(fd, bytes, done);
      this.end = size + done;
    } catch (cause) {
      if (done > 0) this.unfinished = true;
      this.renumber();
      throw this.error("cannot be written", cause);
    }
  }

  /** The text in UTF-8, valid until the next call: one buffer for all lines takes half of the time of one for each. */
  private encoded(text: string): Uint8Array {
    if (text.length > this.buffer.length / MAX_UTF8) return Buffer.from(text);
    return this.buffer.subarray(0, this.buffer.write(text));
  }

  private renumber(): void {
    this.number += 1;
    this.end = UNKNOWN;
    this.numbered = performance.now();
  }

  /**
   * Terminates an incomplete line, and begins a new file if this one has reached its size or was deleted. Returns the
   * size of the file.
   */
  private makeRoom(length: number): number {
    const { unchecked = 0 } = this.options;
    if (unchecked > 0 && !this.unfinished && this.end !== UNKNOWN) {
      const now = performance.now();
      if (now - this.checked < unchecked && this.end + length <= this.options.rotate) return this.end;
      this.checked = now;
    }
    const { size, nlink } = fstatSync(this.descriptor());
    if (!this.isStream && size < this.end) this.renumber();
    if (this.options.fd !== undefined) return this.unfinished ? this.endTorn(size) : size;
    // The file was deleted: nobody could read the line.
    if (nlink === 0) this.reopen();
    else {
      const ended = this.unfinished || size !== this.end ? this.endTorn(size) : size;
      if (ended === 0 || ended + length <= this.options.rotate) return ended;
      this.rotate();
    }
    const next = fstatSync(this.descriptor()).size;
    return next === 0 ? 0 : this.endTorn(next);
  }

  /** Terminates an incomplete last line. Returns the size of the file afterwards. */
  private endTorn(size: number): number {
    const fd = this.descriptor();
    const isTorn = this.isStream ? this.unfinished : size > 0 && !endsInLineFeed(fd, size);
    if (isTorn) {
      writeSync(fd, "\n");
      this.torn += 1;
    }
    this.unfinished = false;
    return isTorn ? size + 1 : size;
  }

  /** On failure the line is terminated before the next write. */
  private tryToEnd(): void {
    try {
      this.endTorn(fstatSync(this.descriptor()).size);
    } catch {
      this.end = UNKNOWN;
    }
  }

  close(): void {
    if (this.fd === null) return;
    if (this.unfinished) this.tryToEnd();
    if (this.options.fd === undefined) closeSync(this.fd);
    this.fd = null;
  }

  private descriptor(): number {
    if (this.fd === null) throw new Error("the log is closed");
    return this.fd;
  }

  private rotate(): void {
    const { file, keep } = this.options;
    // Two processes that rename at the same time would overwrite files: one does, and the other writes on.
    const claim = Claim.take(`${file}.rotating`);
    if (claim === null) return;
    try {
      // Another process may have rotated first: then the name belongs to the new file, which must not be renamed.
      const mine = fstatSync(this.descriptor()).ino === statSync(file, { throwIfNoEntry: false })?.ino;
      if (mine) {
        for (let index = keep - 1; index >= 1 && claim.isHeld; index--)
          renameIfThere(`${file}.${index}`, `${file}.${index + 1}`);
        if (claim.isHeld) renameIfThere(file, `${file}.1`);
      }
    } finally {
      claim.release();
    }
    this.reopen();
  }

  private reopen(): void {
    const next = this.open(this.options.file);
    closeSync(this.descriptor());
    this.fd = next;
    this.unfinished = false;
    this.renumber();
  }

  private open(file: string): number {
    try {
      const { fd: given } = this.options;
      this.isStream = given !== undefined;
      if (given !== undefined) return given;
      this.isStream = statSync(file, { throwIfNoEntry: false })?.isFile() === false;
      return this.isStream ? openSync(file, STREAM) : openSync(file, "a+", 0o640);
    } catch (cause) {
      throw this.error("cannot be opened", cause);
    }
  }

  private error(what: string, cause: unknown): CountersignError {
    if (cause instanceof CountersignError) return cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    return new CountersignError("FILE_UNREADABLE", `the log ${what}: ${code ?? message}`, {
      place: this.options.file,
      remedy: "check that its folder is there, writable and not full",
      cause,
    });
  }
}

/**
 * Without O_NONBLOCK, opening a pipe would wait for its reader and writing for a slow reader. Both are errors instead.
 */
const STREAM = constants.O_WRONLY | constants.O_APPEND | (constants.O_NONBLOCK ?? 0);

const UNKNOWN = -1;
const NOTHING = new Uint8Array(0);
/** The most bytes of UTF-8 for one UTF-16 code unit. */
const MAX_UTF8 = 3;

function endsInLineFeed(fd: number, size: number): boolean {
  const last = Buffer.alloc(1);
  return readSync(fd, last, 0, 1, size - 1) === 1 && last[0] === 0x0a;
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
