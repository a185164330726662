import { hash, randomBytes } from "node:crypto";
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
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import type { Config } from "../config/config.js";
import type { LinkedPolicy } from "../policy/linker.js";
import { restoredPolicy, type StoredPolicy, storedPolicy } from "../policy/stored-policy.js";

/** SHA-256 of the source (scripts/code-digest.mjs); undefined outside of a bundle. */
declare const __CODE_DIGEST__: string | undefined;
const CODE = typeof __CODE_DIGEST__ === "undefined" ? null : __CODE_DIGEST__;

/** The largest cache file to read, in bytes. */
const MAX_SIZE = 64 * 1024 * 1024;
/** The most configurations to keep in the cache. */
const MAX_FILES = 32;

/** A policy's files in the order of reading, and the SHA-256 of their names and texts. */
interface Entry {
  readonly files: readonly string[];
  readonly digest: string;
  readonly policy: StoredPolicy;
}

/** A parsed configuration, with the SHA-256 of its path and text, on which nothing else depends. */
interface ParsedConfig {
  readonly digest: string;
  readonly config: Config;
}

interface Content {
  readonly parsed: ParsedConfig | null;
  readonly entries: readonly (readonly [string, Entry])[];
}

const EMPTY: Content = { parsed: null, entries: [] };

/**
 * Caches the parsed configuration and the link results of its policies for the next run of an offline command; with
 * many policies these take most of the time. A gate never uses it. An entry is valid only for exactly the same files,
 * the same code and the same version of node; other files in the folder are ignored and replaced.
 */
export class LinkCache {
  readonly #file: string;
  readonly #known: ReadonlyMap<string, Entry>;
  #parsed: ParsedConfig | null;
  /** Entries that were used or added in this run. */
  readonly #used = new Map<string, Entry>();
  #changed = false;

  private constructor(
    private readonly folder: string,
    name: string,
    private readonly key: string,
  ) {
    this.#file = join(folder, name);
    const { parsed, entries } = readContent(this.#file, key);
    this.#parsed = parsed;
    this.#known = new Map(entries);
  }

  /** The cache for a configuration file; null if there is no folder that only this user can write. */
  static open(config: string, code: string | null = CODE, folder: string | null = cacheFolder()): LinkCache | null {
    if (code === null || folder === null || !isPrivateFolder(folder)) return null;
    const key = hash("sha256", `${code}\0${process.versions.node}`);
    return new LinkCache(folder, `${hash("sha256", resolve(config))}.link`, key);
  }

  /**
   * The configuration that was parsed from this text before; if there is none, calls `parse`. Throws what `parse`
   * throws.
   */
  config(file: string, text: string, parse: (file: string, text: string) => Config): Config {
    const digest = digestOf([
      [file, text],
      [resolve(file), ""],
    ]);
    if (this.#parsed?.digest === digest) return this.#parsed.config;
    const config = parse(file, text);
    this.#parsed = { digest, config };
    this.#changed = true;
    return config;
  }

  /**
   * The policy that was linked from the same files before, or null. `read` returns a file's text; `link` links the
   * policy again.
   */
  find(file: string, read: (name: string) => string, link: () => LinkedPolicy): LinkedPolicy | null {
    const entry = this.#known.get(file);
    if (entry === undefined) return null;
    try {
      if (digestOf(entry.files.map((name) => [name, read(name)])) !== entry.digest) return null;
    } catch {
      // A file cannot be read any more; linking reports why
      return null;
    }
    this.#used.set(file, entry);
    return restoredPolicy(entry.policy, link);
  }

  /** Adds a policy that was linked from these texts, keyed by file name. */
  add(file: string, texts: ReadonlyMap<string, string>, policy: LinkedPolicy): void {
    this.#used.set(file, { files: [...texts.keys()], digest: digestOf(texts), policy: storedPolicy(policy) });
    this.#changed = true;
  }

  /** Writes new entries. Ignores errors: commands work without the cache, only slower. */
  save(): void {
    if (!this.#changed) return;
    this.#changed = false;
    try {
      writeContent(this.#file, this.key, { parsed: this.#parsed, entries: [...this.#used] });
      removeOldest(this.folder);
    } catch {}
  }
}

function digestOf(texts: Iterable<readonly [string, string]>): string {
  let all = "";
  for (const [name, text] of texts) all += `${name.length} ${text.length} ${name}${text}`;
  return hash("sha256", all);
}

/** The folder by the XDG Base Directory Specification; null if there is no home directory. */
function cacheFolder(): string | null {
  const base = process.env.XDG_CACHE_HOME;
  if (base !== undefined && isAbsolute(base)) return join(base, "countersign");
  const home = homedir();
  return isAbsolute(home) ? join(home, ".cache", "countersign") : null;
}

/** Whether the folder exists, or could be created, and only this user can write to it. */
function isPrivateFolder(folder: string): boolean {
  try {
    makeFolder(folder);
    const status = lstatSync(folder);
    return status.isDirectory() && isOwn(status);
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

/** Whether this user owns it and no other user can write it. Always false on Windows, where node reports no owners. */
function isOwn({ uid, mode }: Stats): boolean {
  return process.geteuid !== undefined && uid === process.geteuid() && (mode & 0o022) === 0;
}

/** A file's first line is the SHA-256 of the key and of its second line. */
function readContent(file: string, key: string): Content {
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const status = fstatSync(fd);
      if (!status.isFile() || !isOwn(status) || status.size > MAX_SIZE) return EMPTY;
      const text = readFileSync(fd, "utf8");
      const end = text.indexOf("\n");
      const json = text.slice(end + 1);
      if (text.slice(0, end) !== hash("sha256", `${key}${json}`)) return EMPTY;
      return JSON.parse(json) as Content;
    } finally {
      closeSync(fd);
    }
  } catch {
    return EMPTY;
  }
}

function writeContent(file: string, key: string, content: Content): void {
  const json = JSON.stringify(content);
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(temporary, `${hash("sha256", `${key}${json}`)}\n${json}`, { flag: "wx", mode: 0o600 });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Removes the oldest files, including temporary files that were left by ended processes. */
function removeOldest(folder: string): void {
  const files = readdirSync(folder).map((name) => join(folder, name));
  const newest = files.map((file) => [file, statSync(file).mtimeMs] as const).sort((a, b) => b[1] - a[1]);
  for (const [file] of newest.slice(MAX_FILES)) rmSync(file, { force: true });
}
