import { createHash, hash, randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";

/** SHA-256 of the source (scripts/code-digest.mjs); undefined outside of a bundle. */
declare const __CODE_DIGEST__: string | undefined;
const CODE = typeof __CODE_DIGEST__ === "undefined" ? null : __CODE_DIGEST__;

/** The largest file to read, in bytes. */
const MAX_SIZE = 64 * 1024 * 1024;
/** Most files of a folder, and most bytes of all its files together; the oldest files are removed. */
const MAX_FILES = 4096;
const MAX_BYTES = 256 * 1024 * 1024;

/** A kind of result, and all strings that the result depends on. The kind is also the ending of the file's name. */
export interface CacheKey {
  readonly kind: "link" | "kernel" | "modules" | "programs";
  readonly of: readonly string[];
}

/**
 * Results of offline commands for later runs, in a folder that only its owner may write. An entry is valid only for its
 * key, for the same code and for the same version of node. Anything else in the folder is ignored: files that are
 * truncated, changed, of other owners, or of another version, which are replaced. Processes may use it at the same
 * time. A gate never does: the command that it confines is often the same user, and could write here.
 */
export class CacheFolder {
  readonly #version: string;
  #added: { readonly key: CacheKey; readonly content: unknown }[] = [];

  private constructor(
    private readonly path: string,
    code: string,
  ) {
    this.#version = `${code}\0${process.versions.node}`;
  }

  /**
   * Creates the folder if only its parent exists. Null if others can write to it, or if it is not known which code this
   * is.
   */
  static open(path: string | null = userFolder(), code: string | null = CODE): CacheFolder | null {
    return code === null || path === null || !isPrivateFolder(path) ? null : new CacheFolder(path, code);
  }

  /** What {@link add} was called with; null if there is no valid entry. */
  read<Content>(key: CacheKey): Content | null {
    try {
      const fd = openSync(this.#fileOf(key), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const status = fstatSync(fd);
        if (!status.isFile() || !isOwn(status) || status.size > MAX_SIZE) return null;
        const bytes = readFileSync(fd);
        const end = bytes.indexOf("\n");
        const content = bytes.subarray(end + 1);
        if (bytes.toString("latin1", 0, end) !== this.#checksum(key, content)) return null;
        return JSON.parse(content.toString("utf8")) as Content;
      } finally {
        closeSync(fd);
      }
    } catch {
      return null;
    }
  }

  /** Adds an entry, or replaces it, at the next {@link save}. `content` is written as JSON. */
  add(key: CacheKey, content: unknown): void {
    this.#added.push({ key, content });
  }

  /** Writes the new entries. Ignores errors: commands work without the cache, only slower. */
  save(): void {
    if (this.#added.length === 0) return;
    const added = this.#added;
    this.#added = [];
    try {
      for (const { key, content } of added) this.#write(key, Buffer.from(JSON.stringify(content)));
      removeOldest(this.path);
    } catch {}
  }

  #write(key: CacheKey, content: Uint8Array): void {
    const file = this.#fileOf(key);
    const temporary = `${file}.${randomBytes(6).toString("hex")}`;
    try {
      const checksum = Buffer.from(`${this.#checksum(key, content)}\n`, "latin1");
      writeFileSync(temporary, Buffer.concat([checksum, content]), { flag: "wx", mode: 0o600 });
      renameSync(temporary, file);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  #fileOf({ kind, of }: CacheKey): string {
    return join(this.path, `${hash("sha256", JSON.stringify(of))}.${kind}`);
  }

  /** The first line of a file. */
  #checksum(key: CacheKey, content: Uint8Array): string {
    const covered = JSON.stringify([this.#version, key.kind, key.of]);
    return createHash("sha256").update(`${covered}\n`).update(content).digest("hex");
  }
}

/** The folder by the XDG Base Directory Specification; null if there is no home directory. */
function userFolder(): string | null {
  const base = process.env.XDG_CACHE_HOME;
  if (base !== undefined && isAbsolute(base)) return join(base, "countersign");
  const home = homedir();
  return isAbsolute(home) ? join(home, ".cache", "countersign") : null;
}

/**
 * Whether the folder exists, or could be created, and nobody but this user and root can write to it, or replace it or a
 * folder above it. Like sshd's check of `authorized_keys` (safe_path in misc.c), except that a folder above it may be
 * sticky, as /tmp is: others cannot rename what is in it then.
 */
function isPrivateFolder(folder: string): boolean {
  try {
    makeFolder(folder);
    const status = lstatSync(folder);
    if (!status.isDirectory() || !isOwn(status)) return false;
    let above = realpathSync(folder);
    while (above !== dirname(above)) {
      above = dirname(above);
      if (!isSafeAbove(lstatSync(above))) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * Creates the folder and its parent, since the user's cache folder may not exist yet. It does not use `recursive`, with
 * which mkdirSync never returns on file systems such as proc.
 */
function makeFolder(folder: string): void {
  const parent = dirname(folder);
  for (const path of [parent, folder]) if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
}

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/** Whether this user owns it and no other user can write it. Always false on Windows, where node reports no owners. */
function isOwn({ uid, mode }: Stats): boolean {
  return process.geteuid !== undefined && uid === process.geteuid() && (mode & WRITABLE_BY_OTHERS) === 0;
}

function isSafeAbove({ uid, mode }: Stats): boolean {
  const isTrusted = uid === 0 || uid === process.geteuid?.();
  return isTrusted && ((mode & WRITABLE_BY_OTHERS) === 0 || (mode & STICKY) !== 0);
}

/** Removes the oldest files, including temporary files that were left by ended processes. */
function removeOldest(folder: string): void {
  const files = readdirSync(folder).map((name) => join(folder, name));
  const newest = files.map((file) => ({ file, ...statusOf(file) })).sort((a, b) => b.mtimeMs - a.mtimeMs);
  let bytes = 0;
  for (const [index, { file, size }] of newest.entries()) {
    bytes += size;
    if (index >= MAX_FILES || bytes > MAX_BYTES) rmSync(file, { force: true });
  }
}

/** Another process may have removed it. */
function statusOf(file: string): { readonly mtimeMs: number; readonly size: number } {
  return statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: 0, size: 0 };
}
