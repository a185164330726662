import type { AttachmentConfig } from "../../config/attachments.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { PlacedPolicies } from "../configuration/placed-policies.js";
import { type Exploration, type ExplorationLimits, explore } from "../explorer/exploration.js";
import type { PathEnd } from "../shared/atom.js";
import type { LimitName } from "../shared/reached-limit.js";
import { type Ask, type Confirmation, confirm, doubtFrom } from "../witness/confirmed-path.js";
import { engineAnswer } from "../witness/engine-answer.js";
import type { LoadedAttachment } from "../witness/loaded-attachments.js";
import { failureWords, reasonWords, verdictWords } from "./condition-words.js";
import type { Formula } from "./formula.js";
import type { SharedCase } from "./shared-cases.js";
import { type TableName, type WordedRow, wordedRows } from "./table-words.js";

/** Ways through a policy that end in the same way, in words. */
export interface DecisionRow {
  /** All of them hold. */
  readonly conditions: readonly string[];
  /** The same conditions for programs (schema/tables.schema.json). */
  readonly atoms: readonly Formula[];
  readonly result: "allow" | "deny" | "fault" | "not decided";
  /** `0`, `-EPERM`, or the result of which helper; null after a fault and if it is not decided. */
  readonly verdict: string | null;
  /** The reason of a denial, the fault, or why it is not decided. */
  readonly reason: string | null;
  /** `file:line`; null if it is not known. */
  readonly place: string | null;
}

/** The answers of an attachment at a hook. Each input is on exactly one row, unless `unfinished` says why not. */
export interface DecisionTable {
  readonly attachment: string;
  readonly hook: HookName;
  readonly policy: string;
  readonly digest: string;
  readonly mode: AttachmentConfig["mode"];
  readonly on_fault: AttachmentConfig["onFault"];
  readonly scope: AttachmentConfig["scope"];
  /** Values and conditions that rows name. */
  readonly names: readonly TableName[];
  readonly cases: readonly SharedCase[];
  readonly rows: readonly DecisionRow[];
  /** Why there are inputs that are on no row; null if there are none. */
  readonly unfinished: string | null;
  /** The limit of the exploration that was reached; null if none was. */
  readonly limit: LimitName | null;
}

/** What is assumed about each decision, for people. */
export const DECISION_ASSUMPTIONS: readonly string[] = [
  "the facts about a program are right, and signatures are verified as the helpers say",
  "maps have no value under a key, or any value that their schemas allow",
  "no decision reaches a limit of its attachment (steps, memory, stack, time), and no attachment is suspended",
];

/** What every table assumes. */
export const ASSUMPTIONS: readonly string[] = [
  ...DECISION_ASSUMPTIONS,
  "the task is in the attachment's scope, except in the table of the configuration, which has the scopes as conditions",
];

/** The tables of attachments, one for each hook, in order. */
export function* decisionTables(
  policies: PlacedPolicies,
  isChosen: (attachment: AttachmentConfig) => boolean,
  limits: ExplorationLimits,
): Generator<DecisionTable> {
  const end = performance.now() + limits.timeout;
  for (const placed of policies.placed) {
    if (!isChosen(placed.attachment)) continue;
    for (const hook of placed.hooks) {
      const timeout = Math.max(0, end - performance.now());
      yield tableOf(policies, placed, hook, { ...limits, timeout });
    }
  }
}

function tableOf(
  { names, domain }: PlacedPolicies,
  { attachment, policy, source }: LoadedAttachment,
  hook: HookName,
  bounds: ExplorationLimits,
): DecisionTable {
  const { limits } = attachment;
  const exploration = explore(source, hook, names, limits, bounds);
  // The time of one decision says nothing here
  const patient = { ...limits, timeout: PATIENCE };
  const ask: Ask = (input) => engineAnswer(domain, policy, patient, hook, input, names);
  const made = wordedRows(exploration, (path) => confirmedEnd(path.end, confirm(path, exploration, ask)));
  const { name, mode, onFault, scope } = attachment;
  const own = { attachment: name, hook, policy: policy.file, digest: policy.digest, mode, on_fault: onFault, scope };
  const rows = made.rows.map((row) => ({ conditions: row.conditions, atoms: row.atoms, ...endOf(row) }));
  return { ...own, names: made.names, cases: made.cases, rows, ...unfinishedOf(exploration) };
}

/** The part of a table that says why it is not complete. */
export function unfinishedOf({ unfinished }: Exploration): Pick<DecisionTable, "unfinished" | "limit"> {
  return { unfinished: unfinished?.words ?? null, limit: unfinished?.limit ?? null };
}

/** In milliseconds. */
const PATIENCE = 10_000;

/** Why a path is not decided; null if it is. */
export function doubtOf(end: PathEnd, confirmation: Confirmation): string | null {
  if (end.kind === "not decided") return end.why;
  const against = doubtFrom(confirmation);
  if (against !== null) return against.why;
  return confirmation.status === "unconfirmed" ? "no example was found that the engine could decide" : null;
}

/** The end of a path, or why it is not decided. */
export function confirmedEnd(end: PathEnd, confirmation: Confirmation): PathEnd {
  const why = doubtOf(end, confirmation);
  return why === null ? end : { kind: "not decided", why, place: end.place };
}

/** A row without its conditions. */
function endOf({ end, place }: WordedRow): Omit<DecisionRow, "conditions" | "atoms"> {
  if (end.kind === "not decided") return { result: "not decided", verdict: null, reason: end.why, place };
  if (end.kind === "fault") return { result: "fault", verdict: null, reason: failureWords(end), place };
  if (end.kind !== "verdict") throw new TypeError(`a policy cannot end with: ${end.kind}`);
  const reason = end.reason === null ? null : reasonWords(end.reason);
  return { result: end.verdict === 0 ? "allow" : "deny", verdict: verdictWords(end.verdict), reason, place };
}
