import { type DecisionRecord, type KeyringRecord, RECORD_VERSION } from "./record.js";
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
  const value = parsed(line);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const record = "version" in value ? value : fromVersion1(value);
  return (record as ReadRecord).version === RECORD_VERSION ? (record as ReadRecord) : null;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
