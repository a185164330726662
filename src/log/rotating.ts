import { closeSync, constants, fstatSync, openSync, readSync, renameSync, statSync, writeSync } from "node:fs";
import { CountersignError } from "../error.js";

/** Where whole lines go, and how much of them is kept. */
export interface RotatingFileOptions {
  readonly file: string;
  /** Bytes past which a new file is begun. A line longer than that has a file of its own. */
  readonly rotate: number;
  /** How many earlier files are kept, as `file.1` (the latest) to `file.N`. */
  readonly keep: number;
  /** An fd that somebody else has opened and keeps open: lines are written to it, and no file is opened, renamed or closed. */
  readonly fd?: number;
  /** Another path of the file, for the first time that it is opened: see {@link RotatingFile.lasting}. */
  readonly first?: string;
}

/**
 * A file that lines are appended to, each by one write that is done when `write` returns. It is renamed when it has grown;
 * no line is lost or split by that. Several processes may append to one file: whoever finds it renamed opens the new one.
 */
export class RotatingFile {
  private fd: number | null;
  /** A line was not written whole: what is there of it has to be ended first. */
  private torn = false;

  /** Throws FILE_UNREADABLE. */
  constructor(private readonly options: RotatingFileOptions) {
    this.fd = this.open(options.first ?? options.file);
  }

  /**
   * A path of this very file for the threads of this process, as long as this one is open: the file's own name can lead to another
   * one by then.
   */
  get lasting(): string {
    return `/proc/self/fd/${this.descriptor()}`;
  }

  /** A line with its line feed. Throws FILE_UNREADABLE when it cannot be written whole. */
  write(line: string): void {
    const bytes = Buffer.from(line, "utf8");
    try {
      const { size, nlink } = fstatSync(this.descriptor());
      // no name leads to it any more, so nobody would ever read the line
      const isGiven = this.options.fd !== undefined;
      if (!isGiven && nlink === 0) this.reopen();
      else if (!isGiven && size > 0 && size + bytes.length > this.options.rotate) this.rotate();
      const fd = this.descriptor();
      if (this.torn) endLine(fd, isGiven);
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      this.torn = false;
    } catch (cause) {
      this.torn = true;
      throw this.error("cannot be written", cause);
    }
  }

  close(): void {
    if (this.fd !== null && this.options.fd === undefined) closeSync(this.fd);
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
    this.close();
    this.fd = next;
  }

  private open(file: string): number {
    try {
      const { fd: given } = this.options;
      if (given !== undefined) return given;
      if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) return openSync(file, STREAM);
      const fd = openSync(file, "a+", 0o640);
      endLine(fd, false);
      return fd;
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

/** A writer that was ended in the middle of a line leaves half of one: what follows begins on a line of its own. */
function endLine(fd: number, isGiven: boolean): void {
  // it can be write-only: an empty line is no record
  if (isGiven) {
    writeSync(fd, "\n");
    return;
  }
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  if (size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a) writeSync(fd, "\n");
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
