import type { Origin } from "../hooks/decision.js";

/**
 * What the bytes of a line say before it is parsed. A writer begins every record with the same fields in the same
 * order, so that each of these is at a known place. Lines of other writers look like neither.
 */
const HEAD = '{"level":"info","type":"decision","version":2,"time":"2026-01-01T00:00:00.000Z","origin":"';
const LEVEL = '{"level":"'.length;
const TYPE = '{"level":"info","type":"'.length;
const BEFORE_ID = '","id":"'.length;
const [d, e, w] = [..."dew"].map((letter) => letter.charCodeAt(0));

/** Lengths of origins by the code of their first letter, which is another one for each. */
const ORIGINS = new Map(
  (["run", "agent", "check", "library", "guard"] satisfies Origin[]).map((origin) => [
    origin.charCodeAt(0),
    origin.length,
  ]),
);
const ORIGIN_LENGTHS = Uint8Array.from({ length: 256 }, (_, code) => ORIGINS.get(code) ?? 0);

/** Whether the line that begins at an offset may be a decision with this id, which is ASCII. */
export function mayHaveId(bytes: Buffer, start: number, id: Buffer): boolean {
  const longer = bytes[start + LEVEL] === e ? 1 : 0;
  const origin = start + HEAD.length + longer;
  const length = ORIGIN_LENGTHS[bytes[origin] ?? 0]!;
  if (length === 0) return false;
  const at = origin + length + BEFORE_ID;
  // From the end, where ids of the same time differ
  for (let index = id.length - 1; index >= 0; index--) if (bytes[at + index] !== id[index]) return false;
  return true;
}

/** Whether the line may be a denial, or a policy failed: its level is `warn` or `error`. */
export function mayBeDenial(bytes: Buffer, start: number): boolean {
  const level = bytes[start + LEVEL];
  return level === w || level === e;
}

/** Whether the line may be another record than a decision; true for a line that begins otherwise than records. */
export function mayBeDefinition(bytes: Buffer, start: number): boolean {
  const longer = bytes[start + LEVEL] === e ? 1 : 0;
  return bytes[start + TYPE + longer] !== d;
}

/** The digest of a definition, or the writer of a start record; null if the line begins otherwise. */
export function definedIn(head: string): string | null {
  return DEFINED.exec(head)?.[1] ?? null;
}

const DEFINED =
  /^\{"level":"info","type":"[a-z]+","version":\d+,"time":"[^"]*","origin":"[a-z]+","(?:digest|writer)":"([^"]+)"/;
/** Bytes of a line that {@link definedIn} needs. */
export const DEFINED_HEAD = 256;
