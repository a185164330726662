import * as z from "zod";

/** A path in the configuration, relative to its file. */
export const path = z
  .string()
  .min(1, { error: "is empty; name a file or folder" })
  .refine((text) => !text.includes("\0"), { error: "contains a NUL; remove it" });

export const paths = z.array(path);

/** Maximum nesting depth of lists and mappings in a value. */
const MAX_DEPTH = 64;

interface Flaw {
  readonly is: string;
  readonly remedy: string;
}

const NO_JSON: Flaw = {
  is: `is not a JSON value, or deeper than ${MAX_DEPTH}`,
  remedy: "write text, numbers, lists or mappings",
};
const INEXACT: Flaw = {
  is: "has a whole number beyond 2^53, which a policy would not see as it is",
  remedy: "write it as text",
};

/**
 * Why a value cannot be in a map. Rejects YAML values that JSON lacks (infinities, dates, sets) and deep nesting, since
 * each policy parses these values.
 */
export function jsonFlaw(value: unknown, depth = 0): Flaw | null {
  if (value === null || typeof value === "string" || typeof value === "boolean") return null;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return NO_JSON;
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? INEXACT : null;
  }
  if (typeof value !== "object" || depth === MAX_DEPTH) return NO_JSON;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return NO_JSON;
  for (const item of Object.values(value)) {
    const flaw = jsonFlaw(item, depth + 1);
    if (flaw !== null) return flaw;
  }
  return null;
}

/** A JSON value that a map can have. */
export const json = z.unknown().superRefine((value, context) => {
  const flaw = jsonFlaw(value);
  if (flaw !== null) context.addIssue({ code: "custom", message: `${flaw.is}; ${flaw.remedy}` });
});
