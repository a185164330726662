import { type FileKind, MODULES_BY_TICKET, RULES } from "../files/file-list-layout.js";
import type { AgentProcess } from "./agent-process.js";
import { REASON_SLOTS } from "./reasons.js";
import { MODE, STATUS } from "./status-layout.js";

/** Bits of guard_status.state. */
export const STATE = { sealed: 1, locked: 2, signaturesRequired: 4, late: 8, open: 16, rootStarted: 0x100 } as const;

/** struct guard_status of guard/interface.h. Digests are in lower-case hex, and null if they are zero. */
export interface GuardStatus {
  readonly version: number;
  /** Null for a mode that this Countersign does not know. */
  readonly mode: keyof typeof MODE | null;
  readonly sealed: boolean;
  readonly locked: boolean;
  readonly signaturesRequired: boolean;
  /** Whether the guard was started on a running machine. */
  readonly late: boolean;
  /** Whether loads are recorded and not denied, until the guard is locked. */
  readonly open: boolean;
  readonly entries: number;
  readonly generation: bigint;
  /** Nanoseconds of CLOCK_BOOTTIME. */
  readonly sealedAt: bigint;
  readonly configuration: string | null;
  readonly list: string | null;
  readonly trustedKey: string | null;
  /** SHA-256 of the list of files, and the number of listed files; null for a kind that need not be listed. */
  readonly files: { readonly sha256: string | null } & Readonly<Record<FileKind, number | null>>;
  /** Whether the agent may load modules that are not listed. */
  readonly modulesByTicket: boolean;
  /** Whether files of the initramfs can still be executed although they are not listed. */
  readonly initramfsExempt: boolean;
  /** SHA-256 of the classes and the mask, and how many classes, and types and helpers of the mask, they have. */
  readonly classes: {
    readonly sha256: string | null;
    readonly admitted: number;
    readonly maskedTypes: number;
    readonly maskedHelpers: number;
  };
  /** Serial numbers of keyrings of the kernel; null where there is none. */
  readonly listRing: number | null;
  readonly programRing: number | null;
  /** Null if no process was marked as the agent. */
  readonly agent: AgentProcess | null;
  /** Tickets that the guard took from the agent, and those that were used for a load. */
  readonly ticketsWritten: bigint;
  readonly ticketsUsed: bigint;
  readonly allowed: bigint;
  /** Number of events so far; see eventsNotKept. */
  readonly events: bigint;
  /** By the number of the reason; 0 is not used. */
  readonly denied: readonly bigint[];
}

/** Null if the bytes are too short for a status. */
export function decodeStatus(bytes: Buffer): GuardStatus | null {
  if (bytes.length < STATUS.size) return null;
  const { words, longs, digests } = STATUS;
  const state = bytes.readUInt32LE(words.state);
  const mode = bytes.readUInt32LE(words.mode);
  const pid = Number(bytes.readBigUInt64LE(longs.agent));
  const digest = (at: number) => {
    const hex = bytes.toString("hex", at, at + 32);
    return /^0*$/.test(hex) ? null : hex;
  };
  const word = (name: keyof typeof words) => bytes.readUInt32LE(words[name]);
  const listed = (kind: FileKind) => ((word("file_rules") & RULES[kind]) === 0 ? null : word(kind));
  return {
    version: bytes.readUInt32LE(words.version),
    mode: (Object.keys(MODE) as (keyof typeof MODE)[]).find((name) => MODE[name] === mode) ?? null,
    sealed: (state & STATE.sealed) !== 0,
    locked: (state & STATE.locked) !== 0,
    signaturesRequired: (state & STATE.signaturesRequired) !== 0,
    late: (state & STATE.late) !== 0,
    open: (state & (STATE.open | STATE.locked)) === STATE.open,
    entries: bytes.readUInt32LE(words.list_entries),
    generation: bytes.readBigUInt64LE(longs.generation),
    sealedAt: bytes.readBigUInt64LE(longs.sealed_at),
    configuration: digest(digests.config_digest),
    list: digest(digests.list_digest),
    trustedKey: digest(digests.trusted_key),
    files: {
      sha256: digest(digests.files_digest),
      modules: listed("modules"),
      executables: listed("executables"),
    },
    modulesByTicket: (word("file_rules") & MODULES_BY_TICKET) !== 0,
    initramfsExempt: listed("executables") !== null && (state & (STATE.rootStarted | STATE.late)) === 0,
    classes: {
      sha256: digest(digests.classes_digest),
      admitted: word("class_rows"),
      maskedTypes: word("masked_types"),
      maskedHelpers: word("masked_helpers"),
    },
    listRing: bytes.readInt32LE(words.list_ring) || null,
    programRing: bytes.readInt32LE(words.program_ring) || null,
    agent: pid === 0 ? null : { pid, start: bytes.readBigUInt64LE(longs.agent_start) },
    ticketsWritten: bytes.readBigUInt64LE(longs.tickets_written),
    ticketsUsed: bytes.readBigUInt64LE(longs.tickets_used),
    allowed: bytes.readBigUInt64LE(longs.allowed),
    events: bytes.readBigUInt64LE(longs.events),
    denied: Array.from({ length: REASON_SLOTS }, (_, at) => bytes.readBigUInt64LE(STATUS.denied + 8 * at)),
  };
}
