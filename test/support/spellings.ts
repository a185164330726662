import type { PreviousSpelling } from "../../src/config/previous-spellings.js";

/** Spellings of 0.1.0, which 0.2.0 replaced: examples of each form that a row of the table can have. */
export const SPELLINGS: readonly PreviousSpelling[] = [
  { path: "attachments.[].limits.fuel", now: "steps" },
  { path: "attachments.[].limits.wall", now: "timeout" },
  { path: "attachments.[].on_fault", value: "refuse", now: "deny" },
  { path: "gate.existing", value: "refuse", now: "deny" },
  { path: "gate.rewritten", value: "refuse", now: "deny" },
  { path: "keyrings.*.timestamps.revoked", value: "refused", now: "denied" },
  { path: "[].expect", value: "refuse", now: "deny" },
  { path: "[].expect", value: "fault OUT_OF_FUEL", now: "fault OUT_OF_STEPS" },
];
