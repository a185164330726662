import { createHash } from "node:crypto";
import type { Config } from "../../../config/config.js";
import { invalidMaps } from "../../../engine/handover/invalid-maps.js";
import type { FileSnapshot } from "../../../engine/load/file-cache.js";
import type { CountersignError } from "../../../error.js";
import { close } from "../../../sys/pidfd.js";
import type { AttachmentWrites } from "../../messages/messages.js";
import { Journal } from "./journal.js";
import type { ServiceManager } from "./service-manager.js";

/** Name of the fd in the fd store. */
export const MAPS_NAME = "maps";
/** Version of the encoding. Writes of another version are not read. */
const VERSION = 1;
const MAX_FIRST = 1024 * 1024;
/** Maximum size in bytes of all writes. */
const MAX_WRITES = 16 * 1024 * 1024;

/**
 * Journal of the map writes of policies, in the fd store of the service manager. Its first line identifies the initial
 * contents of the maps; each other line is a write. If the configuration of a map has changed, its writes are not
 * replayed; a reload of the configuration discards all of them.
 */
export class MapJournal {
  #journal: Journal | null = null;
  /** The journal overflowed. A partial history must not be replayed. */
  #tooMuch = false;
  #first: string;
  #givenUp = 0;

  /** `latest` returns all writes, without those that later writes have overwritten. */
  constructor(
    private readonly manager: ServiceManager,
    private config: Pick<Config, "maps" | "attachments">,
    texts: FileSnapshot,
    private readonly latest: () => readonly AttachmentWrites[],
  ) {
    this.#first = firstLine(config, texts);
  }

  /**
   * Returns the writes under an earlier agent that are still valid, oldest first. A map whose writes break its schema
   * loses all of them, of which `say` is told; with `on_invalid: stop` that is thrown (MAP_INVALID), and all are kept.
   */
  restore(say: (error: CountersignError) => void = () => undefined): readonly AttachmentWrites[] {
    const [fd, ...others] = this.manager.kept.get(MAPS_NAME) ?? [];
    if (fd === undefined) return [];
    const restored: AttachmentWrites[] = [];
    const opened = Journal.open(fd, 0, MAX_FIRST, MAX_WRITES, (line) => {
      const one = readWritesLine(line);
      if (one !== null) restored.push(one);
      return one !== null;
    });
    const same = new Set(sameMaps(opened?.first ?? "", this.#first));
    const modes = new Map(this.config.attachments.map(({ name, mode }) => [name, mode]));
    const kept = restored
      .filter(({ attachment, mode }) => modes.get(attachment) === mode)
      .map((one) => ({ ...one, writes: one.writes.filter(({ map }) => same.has(map)) }));
    const latest = new Map(
      kept.flatMap(({ attachment, mode, writes }) =>
        writes.map((write) => [JSON.stringify([mode === "audit" && attachment, write.map, write.key]), write] as const),
      ),
    );
    const invalid = invalidMaps(this.config.maps, [...latest.values()]);
    for (const { name, onInvalid } of this.config.maps) {
      const error = onInvalid === "stop" ? invalid.get(name) : undefined;
      if (error !== undefined) throw error;
    }
    for (const error of invalid.values()) say(error);
    this.#givenUp = invalid.size;
    // drop the old journal: the caller records the valid writes in a new one
    for (const other of [fd, ...others]) close(other);
    this.manager.drop(MAPS_NAME);
    return kept
      .map((one) => ({ ...one, writes: one.writes.filter(({ map }) => !invalid.has(map)) }))
      .filter(({ writes }) => writes.length > 0);
  }

  /** The number of maps that began with their initial entries because what they kept breaks their schema. */
  get givenUp(): number {
    return this.#givenUp;
  }

  /** Adds writes to the journal. */
  record(answers: readonly AttachmentWrites[]): void {
    if (this.#tooMuch) return;
    const journal = this.#journal ?? this.#begin();
    if (journal === null || journal.add(answers.map(writesLine))) return;
    if (journal.replace(this.latest().map(writesLine))) return;
    this.#drop();
    this.#tooMuch = true;
  }

  /** Starts an empty journal for a new configuration. */
  reset(config: Pick<Config, "maps" | "attachments">, texts: FileSnapshot): void {
    this.config = config;
    this.#first = firstLine(config, texts);
    this.#tooMuch = false;
    this.#drop();
  }

  #drop(): void {
    if (this.#journal === null) return;
    this.manager.drop(MAPS_NAME);
    close(this.#journal.fd);
    this.#journal = null;
  }

  #begin(): Journal | null {
    const journal = Journal.create("countersign-maps", 0, this.#first, MAX_WRITES);
    if (journal === null) return null;
    if (!this.manager.keep(MAPS_NAME, [journal.fd])) {
      close(journal.fd);
      return null;
    }
    this.#journal = journal;
    return journal;
  }
}

/** Returns a JSON object with a digest for each map, of its initial contents, its limits and its writers. */
function firstLine({ maps }: Pick<Config, "maps">, texts: FileSnapshot): string {
  const digests = maps.map(({ name, file, writable, writers }) => {
    const contents = file === null ? null : (texts.get(file) ?? null);
    // without `writers`, the digest is that of version 0.1, which had none
    const begins = JSON.stringify([contents, writable, ...(writers === null ? [] : [writers])]);
    return [name, createHash("sha256").update(begins).digest("hex")];
  });
  return JSON.stringify(Object.fromEntries(digests));
}

/** Returns the names of the maps whose digests are equal in both lines. */
function sameMaps(before: string, now: string): readonly string[] {
  try {
    const digests = JSON.parse(before) as Readonly<Record<string, unknown>> | null;
    const current = JSON.parse(now) as Readonly<Record<string, string>>;
    return Object.keys(current).filter((name) => digests?.[name] === current[name]);
  } catch {
    return [];
  }
}

export function writesLine({ attachment, mode, writes }: AttachmentWrites): string {
  return JSON.stringify([VERSION, attachment, mode, writes.map(({ map, key, value }) => [map, key, value])]);
}

/** Decodes a line of {@link writesLine}. Returns null for any other text. */
export function readWritesLine(line: string): AttachmentWrites | null {
  try {
    const [version, attachment, mode, writes, ...more] = JSON.parse(line);
    if (version !== VERSION || more.length > 0 || typeof attachment !== "string") return null;
    if ((mode !== "enforce" && mode !== "audit") || !Array.isArray(writes) || !writes.every(isWrite)) return null;
    return { attachment, mode, writes: writes.map(([map, key, value]) => ({ map, key, value })) };
  } catch {
    return null;
  }
}

/** Checks one write. A value must be JSON text, because policies parse it; JSON.parse throws if it is not. */
function isWrite(write: unknown): write is readonly [string, string, string | null] {
  if (!Array.isArray(write) || write.length !== 3) return false;
  const [map, key, value] = write;
  if (typeof map !== "string" || typeof key !== "string") return false;
  if (value === null) return true;
  if (typeof value !== "string") return false;
  JSON.parse(value);
  return true;
}
