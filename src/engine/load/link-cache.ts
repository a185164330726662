import { hash } from "node:crypto";
import { resolve } from "node:path";
import type { CacheFolder, CacheKey } from "../../cache-folder.js";
import type { Config } from "../../config/config.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import { restoredPolicy, type StoredPolicy, storedPolicy } from "../../policy/linker/stored-policy.js";

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
 * many policies these take most of the time. A gate never uses it. An entry is valid only for exactly the same files.
 */
export class LinkCache {
  readonly #key: CacheKey;
  readonly #known: ReadonlyMap<string, Entry>;
  #parsed: ParsedConfig | null;
  /** Entries that were used or added in this run. */
  readonly #used = new Map<string, Entry>();
  #changed = false;

  /** The cache for a configuration file. */
  constructor(
    private readonly folder: CacheFolder,
    config: string,
  ) {
    this.#key = { kind: "link", of: [resolve(config)] };
    const { parsed, entries } = folder.read<Content>(this.#key) ?? EMPTY;
    this.#parsed = parsed;
    this.#known = new Map(entries);
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

  /** Writes new entries. */
  save(): void {
    if (!this.#changed) return;
    this.#changed = false;
    const content: Content = { parsed: this.#parsed, entries: [...this.#used] };
    this.folder.add(this.#key, content);
    this.folder.save();
  }
}

function digestOf(texts: Iterable<readonly [string, string]>): string {
  let all = "";
  for (const [name, text] of texts) all += `${name.length} ${text.length} ${name}${text}`;
  return hash("sha256", all);
}
