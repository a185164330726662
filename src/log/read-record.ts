import { CountersignError } from "../error.js";
import { VERSION } from "../version.js";
import { type DecisionRecord, type KeyringRecord, RECORD_VERSION, type ThrottleRecord } from "./record.js";
import { misshapenField } from "./record-shape.js";
import type { ShadowRecord } from "./shadow-record.js";

/** A record of a file that can have any content: each field can be missing. */
export type ReadRecord = { readonly type?: string } & Loose<Omit<DecisionRecord, "type">> &
  Loose<Omit<KeyringRecord, "type">> &
  Loose<Pick<ThrottleRecord, "container" | "program_releases">> &
  Loose<Pick<ShadowRecord, "shadow" | "change" | "decided">>;

type Loose<T> = T extends readonly (infer Item)[]
  ? readonly Loose<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]?: Loose<T[Key]> | undefined }
    : T;

/**
 * The record in a line of a decision log; null if the line is no record or has another version. Its `type` may be one
 * that this version does not know.
 */
export function readRecord(line: string): ReadRecord | null {
  return recordIn(line).record;
}

/** What a line of a log has. */
export interface FoundRecord {
  /** Null if there is none that this version reads. */
  readonly record: ReadRecord | null;
  /** What cannot be read of the line, without a place: LOG_DAMAGED or LOG_VERSION. Null if all of it was read. */
  readonly problem: CountersignError | null;
}

/**
 * The same, with what cannot be read. A writer that notices too late that another one was interrupted appends its
 * record to the incomplete one (see `RotatingFile`); this record is read, and the incomplete one is the problem.
 */
export function recordIn(line: string): FoundRecord {
  const found = wholeRecord(line);
  if (!(found instanceof CountersignError)) return { record: found, problem: null };
  return { record: found.code === "LOG_DAMAGED" ? followingRecord(line) : null, problem: found };
}

/**
 * The beginning of each record that may follow an incomplete one. A quotation mark within a string is escaped, so no
 * string of a record contains it, but a value that a policy has put into a map can.
 */
const BEGINNING = /\{"level":"(?:info|warn|error)","type":"[a-z]+","version":\d+,"time":"/g;
/** The most beginnings to try in one line: each reads the rest of the line. */
const MAX_BEGINNINGS = 16;

/** The record after an incomplete one, up to the end of the line. Null if there is none. */
function followingRecord(line: string): ReadRecord | null {
  let tried = 0;
  for (const { index } of line.matchAll(BEGINNING)) {
    if (index === 0) continue;
    if (++tried > MAX_BEGINNINGS) return null;
    const found = wholeRecord(line.slice(index));
    if (!(found instanceof CountersignError)) return found;
  }
  return null;
}

function wholeRecord(line: string): ReadRecord | CountersignError {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return damaged(line.startsWith("{") ? "is cut off or damaged: it is not valid JSON" : "is not JSON, and no record");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return damaged("is JSON, but no record");
  const record = value as ReadRecord;
  if (record.version !== RECORD_VERSION) return otherVersion(record.version);
  const field = misshapenField(record);
  return field === null ? record : damaged(`is no record: its field \`${field}\` has a value of another type`);
}

function damaged(what: string): CountersignError {
  return new CountersignError("LOG_DAMAGED", what, { remedy: DAMAGED });
}

const DAMAGED = "check whether its writer was killed or the disk was full then; all other lines are read";

function otherVersion(version: unknown): CountersignError {
  if (version === undefined)
    return new CountersignError(
      "LOG_VERSION",
      "has no `version`, which Countersign 0.2.0 and later write in each record",
      {
        remedy: "read it with the version of Countersign that wrote it, or check that the file is a decision log",
      },
    );
  const text = JSON.stringify(version);
  return new CountersignError(
    "LOG_VERSION",
    `is a record of version ${text}, and this is Countersign ${VERSION}, which reads version ${RECORD_VERSION}`,
    { remedy: "read it with the version of Countersign that wrote it, or a later one" },
  );
}
