import type { DifferenceKind } from "../../prove/compare/comparison.js";

/** What is different, of two configurations. */
export const DIFFERENCE_WORDS: Readonly<Record<DifferenceKind, string>> = {
  allowed: "the new configuration allows what the old one denies",
  denied: "the new configuration denies what the old one allows",
  errno: "both deny, with different errnos",
  reason: "both deny, for different reasons",
};
