import type { Warning } from "../../warning.js";
import type { StatementStore } from "../statements/statement-store.js";

/** Maximum number of statements of which a warning names each: a store may have thousands of broken ones. */
const MAX_NAMED = 20;

/** Entries of the store that are left out. */
export function statementWarnings({ rejected }: StatementStore): readonly Warning[] {
  const named = rejected.slice(0, MAX_NAMED).map(
    ({ message, place, remedy }): Warning => ({
      code: "STATEMENT_NOT_USED",
      message: `a statement is not used: ${message}`,
      place: place ?? null,
      remedy: remedy ?? null,
    }),
  );
  const more = rejected.length - named.length;
  if (more === 0) return named;
  const remedy = "repair those that are named, and start again to see the next ones";
  return [
    ...named,
    { code: "STATEMENT_NOT_USED", message: `${more} more statements are not used`, place: null, remedy },
  ];
}
