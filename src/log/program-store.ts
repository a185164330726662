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
import { AbsentBytes } from "../absent-bytes.js";
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
/** The part of `size` above which files are removed while the process is idle, and the part that then remains. */
const FULL = 15 / 16;
const REMAINING = 7 / 8;
/** The part of the known files that other processes may have removed before the folder is listed again. */
const REMOVED_BY_OTHERS = 1 / 8;
/** Files that one idle step looks at, or removes. */
const STEP = 128;

interface StoredFile {
  readonly name: string;
  /** Bytes on disk. */
  readonly allocated: number;
}

interface ListedFile extends StoredFile {
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/**
 * A folder with the instructions of programs, each in a file that is named by the SHA-256 of its content. Several
 * processes may write to it. A file is written under another name first, so that each is whole. If the files together
 * would take more than `size` on disk, the oldest are removed; a program that is larger is not kept.
 *
 * Listing a full folder takes some 100 ms, and removing an eighth of it as long. A process that has idle time does both
 * in steps ({@link idleStep}), so that a decision removes no more than its program needs.
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
  /** The files to remove next, oldest first: those of the last listing, and what was written since. */
  #removable: StoredFile[] = [];
  /** How many of them were removed, and how many of these by other processes. */
  #removed = 0;
  #removedByOthers = 0;
  /** The listing that idle steps have begun. */
  #listing: Generator<void, void, void> | null = null;

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
      if (!(bytes instanceof Uint8Array) || bytes instanceof AbsentBytes) continue;
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
      this.#allocated! += allocated;
      this.#removable.push({ name, allocated });
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

  /** Whether {@link idleStep} has something to do. */
  get hasIdleWork(): boolean {
    return this.#allocated === null || this.#allocated > this.options.size * FULL;
  }

  /**
   * Lists a part of the folder, or removes some of its oldest files so that a part of `size` is free. Returns whether
   * there is more to do. Never throws: what fails is tried again when a program is to be kept.
   */
  idleStep(): boolean {
    try {
      if (this.#allocated !== null) return this.#removeSome();
      this.#listing ??= this.#list();
      if (this.#listing.next().done === true) this.#listing = null;
      return this.#listing !== null || this.hasIdleWork;
    } catch {
      this.#listing = null;
      return false;
    }
  }

  #removeSome(): boolean {
    const most = this.options.size * REMAINING;
    for (let count = 0; count < STEP && this.#allocated! > most; count += 1) if (!this.#removeOldest()) return false;
    return this.#allocated! > most;
  }

  /** Removes the oldest files if `needed` bytes do not fit. */
  #makeRoom(needed: number): void {
    const most = this.options.size - needed;
    const outdated = this.#removedByOthers > (this.#removable.length - this.#removed) * REMOVED_BY_OTHERS;
    if (this.#allocated === null || (this.#allocated > most && outdated)) this.#listNow();
    while (this.#allocated! > most) if (!this.#removeOldest()) this.#listNow();
  }

  /**
   * Removes the oldest file that is known, which another process may have done. Returns false if none is known. If it
   * cannot be removed, the next call is for the next file.
   */
  #removeOldest(): boolean {
    const oldest = this.#removable[this.#removed];
    if (oldest === undefined) return false;
    this.#removed += 1;
    this.#known.delete(oldest.name);
    try {
      unlinkSync(this.#at(oldest.name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      this.#removedByOthers += 1;
    }
    this.#allocated! -= oldest.allocated;
    if (this.#removed > STEP && this.#removed > this.#removable.length / 2) {
      this.#removable = this.#removable.slice(this.#removed);
      this.#removed = 0;
    }
    return true;
  }

  #listNow(): void {
    this.#listing = null;
    for (const _ of this.#list());
  }

  /** Lists the files of all processes. A program that is kept before the last step has the folder listed at once. */
  *#list(): Generator<void, void, void> {
    const files: ListedFile[] = [];
    this.#removable = [];
    this.#removed = 0;
    this.#removedByOthers = 0;
    let looked = 0;
    for (const name of readdirSync(this.#at("."))) {
      const file = this.#listed(name);
      if (file !== null) files.push(file);
      looked += 1;
      if (looked % STEP === 0) yield;
    }
    files.sort((a, b) => a.since - b.since);
    this.#removable = files;
    this.#allocated = files.reduce((sum, { allocated }) => sum + allocated, 0);
  }

  /** Null if the name is not that of a program, or no longer. */
  #listed(name: string): ListedFile | null {
    if (UNFINISHED.test(name)) this.#removeIfOld(name);
    const stats = NAME.test(name) ? statSync(this.#at(name), { throwIfNoEntry: false }) : undefined;
    return stats?.isFile() ? { name, allocated: allocatedFor(stats.size), since: stats.mtimeMs } : null;
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
