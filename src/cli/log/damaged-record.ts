import { CountersignError } from "../../error.js";
import type { Damage } from "../../log/record-reader.js";

const DAMAGES: Readonly<Partial<Record<Damage, string>>> = {
  "wrong-digest": "is a definition whose content does not have its digest; it is not used",
  contradiction: "is a decision about another subject than its definition says; it is not used",
  "duplicate-id": "has the id of an earlier decision",
};

/** The problem with a record that was read; null if it has none, or one that is counted with the decision. */
export function damagedRecord(damage: Damage | null, place: string): CountersignError | null {
  const what = damage === null ? undefined : DAMAGES[damage];
  if (what === undefined) return null;
  const remedy = "compare the log with another copy; all other lines are read";
  return new CountersignError("LOG_DAMAGED", what, { place, remedy });
}
