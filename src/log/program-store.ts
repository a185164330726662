import { hash } from "node:crypto";
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { CountersignError } from "../error.js";

/** The name of a file: the SHA-256 of its content. */
const NAME = /^[0-9a-f]{64}$/;
/** The name of a file that is being written, and for how many milliseconds at most. */
const UNFINISHED = /^[0-9a-f]{64}\.\d+\.new$/;
const UNFINISHED_FOR = 60_000;
/** Maximum number of digests that are known to be in the folder. */
const MAX_KNOWN = 65_536;
/** File systems allocate blocks of this many bytes. A file counts as one at least, which bounds the inodes, too. */
const BLOCK = 4096;
/** The part of `size` that may remain when files are removed, so that this happens rarely. */
const REMAINING = 7 / 8;

interface StoredFile {
  readonly name: string;
  /** Bytes on disk. */
  readonly allocated: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/**
 * A folder with the instructions of programs, each in a file that is named by the SHA-256 of its content. Several
 * processes may write to it. A file is written under another name first, so that each is whole. If the files together
 * would take more than `size` on disk, the oldest are removed; a program that is larger is not kept.
 */
export class ProgramStore {
  /** Number of programs that could not be written. */
  failures = 0;
  readonly #fd: number;
  /** Digests of what was written or found: it is not written again, also if it was removed since. */
  #known = new Set<string>();
  readonly #seen = new WeakSet<object>();
  /** Bytes on disk of the files in the folder, as far as this process knows; null before it has listed them. */
  #allocated: number | null = null;
  /** The files to remove next, newest first: those of the last listing that were not removed since. */
  #removable: StoredFile[] = [];

  /** Creates the folder, but not those above it. Throws FILE_UNREADABLE. */
  constructor(private readonly options: ProgramStoreOptions) {
    const { folder } = options;
    try {
      mkdirSync(folder, { mode: 0o750, recursive: false });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unusable(folder, error);
    }
    try {
      this.#fd = openSync(folder, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0));
    } catch (error) {
      throw unusable(folder, error);
    }
  }

  /**
   * Keeps the instructions of a subject, if it is a program and they are not there yet: as they are for a statement,
   * and as they were loaded. Never throws: a decision does not depend on it.
   */
  keep(subject: object): void {
    if (this.#seen.has(subject) || !("insns" in subject)) return;
    this.#seen.add(subject);
    const { insns, raw_insns } = subject as { readonly insns: unknown; readonly raw_insns?: unknown };
    for (const bytes of new Set([insns, raw_insns])) {
      if (!(bytes instanceof Uint8Array)) continue;
      try {
        this.#write(bytes);
      } catch (error) {
        if (this.failures === 0) process.emitWarning(unusable(this.options.folder, error).toString(), "LogWarning");
        this.failures += 1;
      }
    }
  }

  /** A path that other threads of this process can open to get this same folder. Valid until `close`. */
  get lasting(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(bytes: Uint8Array): void {
    const allocated = allocatedFor(bytes.length);
    if (allocated > this.options.size) return;
    const name = hash("sha256", bytes);
    if (this.#known.has(name)) return;
    if (this.#known.size >= MAX_KNOWN) this.#known = new Set();
    if (statSync(this.#at(name), { throwIfNoEntry: false }) === undefined) {
      this.#makeRoom(allocated);
      this.#create(name, bytes);
      this.#allocated = (this.#allocated ?? 0) + allocated;
    }
    this.#known.add(name);
  }

  #create(name: string, bytes: Uint8Array): void {
    const unfinished = this.#at(`${name}.${process.pid}.new`);
    const fd = openSync(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o640);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    } catch (error) {
      closeSync(fd);
      unlinkSync(unfinished);
      throw error;
    }
    closeSync(fd);
    renameSync(unfinished, this.#at(name));
  }

  /**
   * Removes the oldest files if `needed` bytes do not fit. The folder is listed again only after all files of the last
   * listing were removed, or once if another process has removed one of them.
   */
  #makeRoom(needed: number): void {
    const { size } = this.options;
    let left = this.#allocated ?? this.#list();
    if (left + needed <= size) return;
    const most = Math.min(size * REMAINING, size - needed);
    for (let isListed = false; left > most; ) {
      const oldest = this.#removable.pop();
      if (oldest !== undefined && (this.#remove(oldest.name) || isListed)) {
        left -= oldest.allocated;
        this.#allocated = left;
      } else {
        left = this.#list();
        isListed = true;
      }
    }
  }

  /** Returns false if the file is not there. If it cannot be removed, the next call is for the next file. */
  #remove(name: string): boolean {
    this.#known.delete(name);
    try {
      unlinkSync(this.#at(name));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  /** Lists the files of all processes; returns their bytes on disk. */
  #list(): number {
    this.#removable = this.#files().sort((a, b) => b.since - a.since);
    this.#allocated = this.#removable.reduce((sum, { allocated }) => sum + allocated, 0);
    return this.#allocated;
  }

  #files(): StoredFile[] {
    return readdirSync(this.#at(".")).flatMap((name) => {
      if (UNFINISHED.test(name)) this.#removeIfOld(name);
      const stats = NAME.test(name) ? statSync(this.#at(name), { throwIfNoEntry: false }) : undefined;
      return stats?.isFile() ? [{ name, allocated: allocatedFor(stats.size), since: stats.mtimeMs }] : [];
    });
  }

  /** What a process that was killed has left. */
  #removeIfOld(name: string): void {
    const stats = statSync(this.#at(name), { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.mtimeMs > UNFINISHED_FOR) unlinkSync(this.#at(name));
  }

  /** A path by the folder's fd: under `run` the command may have put another one in its place. */
  #at(name: string): string {
    return process.platform === "linux" ? `/proc/self/fd/${this.#fd}/${name}` : `${this.options.folder}/${name}`;
  }
}

export interface ProgramStoreOptions {
  readonly folder: string;
  /** In bytes on disk: each file counts in blocks of 4 KiB. */
  readonly size: number;
}

function allocatedFor(length: number): number {
  return Math.max(1, Math.ceil(length / BLOCK)) * BLOCK;
}

function unusable(folder: string, cause: unknown): CountersignError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new CountersignError("FILE_UNREADABLE", `the folder for programs cannot be used: ${code ?? message}`, {
    place: folder,
    remedy: "check that the folder above it is there and writable, and that it is a folder itself",
    cause,
  });
}
