import type { GuardClasses } from "../classes/class-table.js";
import { type FileKind, MODULES_BY_TICKET, RULES } from "../files/file-list-layout.js";

/** struct guard_status of guard/interface.h: offsets in bytes. */
export const STATUS = {
  size: 544,
  words: {
    version: 0,
    mode: 4,
    state: 8,
    last_prog_id: 12,
    last_map_id: 16,
    last_link_id: 20,
    list: 24,
    list_entries: 28,
    list_ring: 256,
    program_ring: 260,
    file_rules: 264,
    modules: 268,
    executables: 272,
    class_rows: 276,
    masked_types: 280,
    masked_helpers: 284,
  },
  longs: {
    generation: 32,
    sealed_at: 40,
    allowed: 208,
    events: 216,
    tickets_written: 224,
    tickets_used: 232,
    agent: 240,
    agent_start: 248,
  },
  digests: { config_digest: 48, list_digest: 80, trusted_key: 112, files_digest: 144, classes_digest: 176 },
  /** A u64 for each of GUARD_REASONS. */
  denied: 288,
} as const;

/** Values of guard_status.mode. */
export const MODE = { audit: 1, enforce: 2 } as const;

/** What the guard knows of its list and its configuration. Digests are SHA-256 in hex; empty for none. */
export interface InitialStatus {
  readonly listEntries: number;
  readonly generation: bigint;
  readonly configDigest: string;
  readonly listDigest: string;
  readonly trustedKey: string;
  readonly filesDigest: string;
  /** The number of listed files; null for a kind that need not be listed. */
  readonly files: Readonly<Record<FileKind, number | null>>;
  readonly modulesByTicket: boolean;
  readonly classesDigest: string;
  readonly classes: GuardClasses;
}

/** The value of guard_status before the loader completes it. */
export function encodeStatus(status: InitialStatus): Uint8Array {
  const { words, longs, digests } = STATUS;
  const bytes = Buffer.alloc(STATUS.size);
  bytes.writeUInt32LE(status.listEntries, words.list_entries);
  bytes.writeBigUInt64LE(status.generation, longs.generation);
  bytes.write(status.configDigest, digests.config_digest, "hex");
  bytes.write(status.listDigest, digests.list_digest, "hex");
  bytes.write(status.trustedKey, digests.trusted_key, "hex");
  bytes.write(status.filesDigest, digests.files_digest, "hex");
  bytes.write(status.classesDigest, digests.classes_digest, "hex");
  let rules = status.modulesByTicket ? MODULES_BY_TICKET : 0;
  for (const [kind, count] of Object.entries(status.files) as [FileKind, number | null][]) {
    if (count === null) continue;
    rules |= RULES[kind];
    bytes.writeUInt32LE(count, words[kind]);
  }
  bytes.writeUInt32LE(rules, words.file_rules);
  bytes.writeUInt32LE(status.classes.admit.length, words.class_rows);
  bytes.writeUInt32LE(status.classes.mask.types.length, words.masked_types);
  bytes.writeUInt32LE(status.classes.mask.helpers.length, words.masked_helpers);
  return bytes;
}
