import { CountersignError } from "../../error.js";
import type { AttachmentOfRecord } from "../../log/input-records.js";
import { LIMIT_BOUNDS } from "../../sandbox/shared/limits.js";

/**
 * An attachment of a log with limits within what a configuration may set: a log can have any numbers, and some of them,
 * such as a stack of 0 bytes, would be no limit at all. Throws LOG_DAMAGED if one is not a finite number.
 */
export function withinBounds(attachment: AttachmentOfRecord): AttachmentOfRecord {
  const limits = { ...attachment.limits };
  for (const limit of LIMITS) {
    const [least, most] = LIMIT_BOUNDS[limit];
    const value: unknown = limits[limit];
    if (!Number.isFinite(value)) throw unusable(limit, attachment.name);
    limits[limit] = Math.min(most, Math.max(least, Math.trunc(value as number)));
  }
  return { ...attachment, limits };
}

const LIMITS = Object.keys(LIMIT_BOUNDS) as (keyof typeof LIMIT_BOUNDS)[];

function unusable(limit: string, attachment: string): CountersignError {
  return new CountersignError("LOG_DAMAGED", `\`limits.${limit}\` of \`${attachment}\`, which is not a finite number`, {
    remedy: "name a log that was not changed",
  });
}
