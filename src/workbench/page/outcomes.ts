import type { RecordOutcome } from "../../log/outcome.js";

/** How outcomes are shown: the word, and the colour of its area in the chart, from bottom to top. */
export const OUTCOME_STYLES: Readonly<Record<RecordOutcome, { readonly title: string; readonly colour: string }>> = {
  denied: { title: "denied", colour: "#d4351c" },
  "would deny": { title: "would be denied (dry run)", colour: "#e8871e" },
  "audit denial": { title: "denied in audit", colour: "#f2c14e" },
  probe: { title: "allowed probes", colour: "#9db4c0" },
  allowed: { title: "allowed", colour: "#5b8e7d" },
};

export const ORDER = Object.keys(OUTCOME_STYLES) as readonly RecordOutcome[];
