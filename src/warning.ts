import { oneLine } from "./error.js";

/**
 * Codes of warnings: probable mistakes in a configuration or a policy, found at start, in what is signed, or by
 * `keyring check`. A warning does not change a verdict. Each code has a page in docs/errors/.
 */
export const WARNING_CODES = [
  "DEFAULT_NOT_COVERED",
  "MAP_WRITE_DENIED",
  "POLICY_COPIED_FACTS",
  "POLICY_NEVER_MATCHES",
  "PROFILE_OUTDATED",
  "SANDBOX_MEMORY_SHORT",
  "SCOPE_UNKNOWN_LABEL",
  "SIGNATURES_MISSING",
  "STATEMENT_NOT_MADE",
  "STATEMENT_NOT_USED",
  "STATEMENT_NO_TARGET",
] as const;

export type WarningCode = (typeof WARNING_CODES)[number];

/** Plain data, so that it can cross threads and be written as JSON. */
export interface Warning {
  readonly code: WarningCode;
  /** One line that says what is wrong and what follows from it. */
  readonly message: string;
  /** `file:line:column`; null if the place is not known. */
  readonly place: string | null;
  /** What the reader can do about it, as an imperative without a full stop. */
  readonly remedy: string | null;
}

/** One line for a person: place, what is wrong, the code, and the remedy. */
export function warningLine({ code, message, place, remedy }: Warning): string {
  const line = `${place === null ? "" : `${place}: `}${message} [${code}]${remedy === null ? "" : `; ${remedy}`}`;
  return oneLine(line);
}
