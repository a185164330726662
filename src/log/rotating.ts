import { closeSync, constants, fstatSync, openSync, readSync, renameSync, statSync, writeSync } from "node:fs";
import { CountersignError } from "../error.js";

/** Where whole lines go, and how much of them is kept. */
export interface RotatingFileOptions {
  readonly file: string;
  /** Bytes past which a new file is begun. A line longer than that has a file of its own. */
  readonly rotate: number;
  /** How many earlier files are kept, as `file.1` (the latest) to `file.N`. */
  readonly keep: number;
  /**
   * An fd that somebody else has opened and keeps open: lines are written to it, and no file is opened, renamed or
   * closed.
   */
  readonly fd?: number;
  /** Another path of the file, for the first time that it is opened: see {@link RotatingFile.lasting}. */
  readonly first?: string;
}

/**
 * A file that lines are appended to, each by one write that is done when `write` returns. It is renamed when it has
 * grown; no line is lost or split by that. Several processes may append to one file: whoever finds it renamed opens the
 * new one.
 *
 * A disk that is full, or the end of a process, can leave the beginning of a line. It gets a line feed before anything
 * else is written, whoever left it, so that each record has a line of its own.
 */
export class RotatingFile {
  private fd: number | null;
  /**
   * What is there cannot be read back: of a pipe, or an fd that was given, only the tears of this process are known.
   */
  private isStream = false;
  /** A line was not written whole by this process. */
  private unfinished = false;
  /** The size that the last write led to; another size means that another process wrote since. */
  private end = UNKNOWN;
  /** Lines without an end that were found and ended. */
  torn = 0;

  /** Throws FILE_UNREADABLE. */
  constructor(private readonly options: RotatingFileOptions) {
    this.fd = this.open(options.first ?? options.file);
    this.tryToEnd();
  }

  /**
   * A path of this very file for the threads of this process, as long as this one is open: the file's own name can lead
   * to another one by then.
   */
  get lasting(): string {
    return `/proc/self/fd/${this.descriptor()}`;
  }

  /** A line with its line feed. Throws FILE_UNREADABLE when it cannot be written whole. */
  write(line: string): void {
    const bytes = Buffer.from(line, "utf8");
    let done = 0;
    try {
      const size = this.makeRoom(bytes.length);
      const fd = this.descriptor();
      while (done < bytes.length) done += writeSync(fd, bytes, done);
      this.end = size + done;
    } catch (cause) {
      if (done > 0) this.unfinished = true;
      this.end = UNKNOWN;
      throw this.error("cannot be written", cause);
    }
  }

  /**
   * Ends what was torn, and begins a new file where this one has grown or has no name any more. Gives the size of the
   * file.
   */
  private makeRoom(length: number): number {
    const { size, nlink } = fstatSync(this.descriptor());
    if (this.options.fd !== undefined) return this.unfinished ? this.endTorn(size) : size;
    // no name leads to it any more, so nobody would ever read the line
    if (nlink === 0) this.reopen();
    else {
      const ended = this.unfinished || size !== this.end ? this.endTorn(size) : size;
      if (ended === 0 || ended + length <= this.options.rotate) return ended;
      this.rotate();
    }
    const next = fstatSync(this.descriptor()).size;
    return next === 0 ? 0 : this.endTorn(next);
  }

  /** Gives the size of the file afterwards. */
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

  /** What cannot be ended now is ended before the next line. */
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
    // another process may have been faster: the name then belongs to a file that is not this one
    const mine = fstatSync(this.descriptor()).ino === statSync(file, { throwIfNoEntry: false })?.ino;
    if (mine) {
      for (let index = keep - 1; index >= 1; index--) renameIfThere(`${file}.${index}`, `${file}.${index + 1}`);
      renameSync(file, `${file}.1`);
    }
    this.reopen();
  }

  private reopen(): void {
    const next = this.open(this.options.file);
    closeSync(this.descriptor());
    this.fd = next;
    this.unfinished = false;
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

/** A pipe whose reader is not there, or reads too slowly, is an error: decisions do not wait for it. */
const STREAM = constants.O_WRONLY | constants.O_APPEND | (constants.O_NONBLOCK ?? 0);

const UNKNOWN = -1;

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
