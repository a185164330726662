/** struct guard_status of guard/interface.h: offsets in bytes. */
export const STATUS = {
  size: 456,
  words: {
    version: 0,
    mode: 4,
    state: 8,
    last_prog_id: 12,
    last_map_id: 16,
    last_link_id: 20,
    list: 24,
    list_entries: 28,
    list_ring: 192,
    program_ring: 196,
  },
  longs: {
    generation: 32,
    sealed_at: 40,
    allowed: 144,
    events: 152,
    tickets_written: 160,
    tickets_used: 168,
    agent: 176,
    agent_start: 184,
  },
  digests: { config_digest: 48, list_digest: 80, trusted_key: 112 },
  /** A u64 for each of GUARD_REASONS. */
  denied: 200,
} as const;

/** Values of guard_status.mode. */
export const MODE = { audit: 1, enforce: 2 } as const;

/** What the guard knows of its list and its configuration. */
export interface InitialStatus {
  readonly listEntries: number;
  readonly generation: bigint;
  /** SHA-256 in hex; empty for none. */
  readonly configDigest: string;
  readonly listDigest: string;
  readonly trustedKey: string;
}

/** The value of guard_status before the loader completes it. */
export function encodeStatus(status: InitialStatus): Uint8Array {
  const bytes = Buffer.alloc(STATUS.size);
  bytes.writeUInt32LE(status.listEntries, STATUS.words.list_entries);
  bytes.writeBigUInt64LE(status.generation, STATUS.longs.generation);
  bytes.write(status.configDigest, STATUS.digests.config_digest, "hex");
  bytes.write(status.listDigest, STATUS.digests.list_digest, "hex");
  bytes.write(status.trustedKey, STATUS.digests.trusted_key, "hex");
  return bytes;
}
