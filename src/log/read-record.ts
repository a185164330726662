import { CountersignError } from "../error.js";
import { VERSION } from "../version.js";
import { type DecisionRecord, type KeyringRecord, RECORD_VERSION } from "./record.js";
import { misshapenField } from "./record-shape.js";
import { fromVersion1 } from "./version-1.js";

/** A record of a file that can have any content: each field can be missing. */
export type ReadRecord = { readonly type?: string } & Loose<Omit<DecisionRecord, "type">> &
  Loose<Omit<KeyringRecord, "type">>;

type Loose<T> = T extends readonly (infer Item)[]
  ? readonly Loose<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]?: Loose<T[Key]> | undefined }
    : T;

/**
 * The record in a line of a decision log, in the present version; null if the line is no record or has a later version.
 * Its `type` may be one that this version does not know.
 */
export function readRecord(line: string): ReadRecord | null {
  const record = recordIn(line);
  return record instanceof CountersignError ? null : record;
}

/** The same, or why the line has no such record: LOG_DAMAGED or LOG_VERSION, without a place. */
export function recordIn(line: string): ReadRecord | CountersignError {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return damaged(line.startsWith("{") ? "is cut off or damaged: it is not valid JSON" : "is not JSON, and no record");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return damaged("is JSON, but no record");
  const record = ("version" in value ? value : fromVersion1(value)) as ReadRecord;
  if (record.version !== RECORD_VERSION) return unknownVersion(record.version);
  const field = misshapenField(record);
  return field === null ? record : damaged(`is no record: its field \`${field}\` has a value of another type`);
}

function damaged(what: string): CountersignError {
  return new CountersignError("LOG_DAMAGED", what, { remedy: DAMAGED });
}

const DAMAGED = "check whether its writer was killed or the disk was full then; all other lines are read";

function unknownVersion(version: unknown): CountersignError {
  const text = JSON.stringify(version);
  return new CountersignError(
    "LOG_VERSION",
    `is a record of version ${text}, and this is Countersign ${VERSION}, which reads versions up to ${RECORD_VERSION}`,
    { remedy: "read it with the version of Countersign that wrote it, or a later one" },
  );
}
