import type { CallerRecord } from "../../log/input-records.js";
import { isWellFormed } from "./well-formed.js";

/** Where tasks outside of containers run. */
export const HOST = "host";
/** A container whose labels nobody could read. */
export const UNKNOWN_LABELS = "unknown labels";

/** A container that does not have the label. */
export const withoutLabel = (key: string): string => `no ${key}`;
export const withLabel = (key: string, value: string): string => `${key}=${value}`;

/**
 * Where the task of a decision runs, by the label `key` of its container, as the function `place` of a learnt policy
 * says it. Null if the log does not have it.
 */
export function placeOf({ content, masked }: CallerRecord, key: string): string | null {
  const { container } = content;
  if (container === null) return HOST;
  if (typeof container !== "object" || isMasked(masked, key)) return null;
  const { labels } = container;
  if (labels === null) return UNKNOWN_LABELS;
  if (typeof labels !== "object") return null;
  if (!Object.hasOwn(labels, key)) return withoutLabel(key);
  const value: unknown = labels[key];
  return typeof value === "string" && isWellFormed(value) ? withLabel(key, value) : null;
}

function isMasked(masked: unknown, key: string): boolean {
  if (masked === undefined) return false;
  return !Array.isArray(masked) || masked.some((pointer) => coversLabel(String(pointer), key));
}

/** Whether a JSON pointer (RFC 6901) names a label, or something that contains it. */
function coversLabel(pointer: string, key: string): boolean {
  const label = `/current/container/labels/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return pointer === label || label.startsWith(`${pointer}/`);
}
