import type { HookDefault, HookName } from "../../hooks/catalogue.js";
import type { Mode } from "../../policy/model/mode.js";
import type { PlacedPolicies } from "../configuration/placed-policies.js";
import type { ExplorationLimits } from "../explorer/exploration.js";
import type { LimitName } from "../shared/reached-limit.js";
import { confirmBy } from "../witness/confirmed-path.js";
import { decisionDifference } from "../witness/decision-difference.js";
import { engineDecision } from "../witness/engine-decision.js";
import { Example } from "../witness/example.js";
import { failureWords, reasonWords, verdictWords } from "./condition-words.js";
import { confirmedEnd, unfinishedOf } from "./decision-table.js";
import type { Formula } from "./formula.js";
import { RowValues } from "./row-values.js";
import type { SharedCase } from "./shared-cases.js";
import { type TableName, type WordedRow, wordedRows } from "./table-words.js";

/** Ways to one enforced verdict, in words. */
export interface ConfigurationRow {
  /** All of them hold. */
  readonly conditions: readonly string[];
  /** The same conditions for programs (schema/tables.schema.json). */
  readonly atoms: readonly Formula[];
  readonly result: "allow" | "deny" | "not decided";
  /** `0`, `-EPERM`, or the result of which helper; null if it is not decided. */
  readonly verdict: string | null;
  /** The attachment that denies; null for none and for the hook's default. */
  readonly attachment: string | null;
  /** The reason of the denial, its fault, or why it is not decided. */
  readonly reason: string | null;
  readonly place: string | null;
  /** How many further ways to the same end were left out after this one. */
  readonly more: number;
  /** An input of this row about which the engine has decided; null if there is none. */
  readonly example: () => Example | null;
}

/**
 * The enforced verdicts of all attachments of a configuration at a hook. Each input is on one row, or is counted in
 * `more` of a row, unless `unfinished` says why not.
 */
export interface ConfigurationTable {
  readonly hook: HookName;
  /** In `audit` the verdicts are recorded only. */
  readonly mode: Mode;
  readonly default: HookDefault;
  /** Attachments in order; those in audit change no verdict. */
  readonly attachments: readonly { readonly name: string; readonly mode: Mode }[];
  /** Values and conditions that rows name. */
  readonly names: readonly TableName[];
  readonly cases: readonly SharedCase[];
  readonly rows: readonly ConfigurationRow[];
  readonly unfinished: string | null;
  /** The limit of the exploration that was reached; null if none was. */
  readonly limit: LimitName | null;
}

/** The tables of a configuration, one for each hook with attachments. `most` is the number of rows of one table. */
export function* configurationTables(
  policies: PlacedPolicies,
  limits: ExplorationLimits,
  most: number,
): Generator<ConfigurationTable> {
  const end = performance.now() + limits.timeout;
  for (const hook of policies.hooks) {
    const timeout = Math.max(0, end - performance.now());
    yield configurationTable(policies, hook, { ...limits, timeout }, most);
  }
}

/** The table of one hook. */
export function configurationTable(
  policies: PlacedPolicies,
  hook: HookName,
  bounds: ExplorationLimits,
  most: number,
): ConfigurationTable {
  const exploration = policies.explore(hook, bounds);
  const examples: Example[] = [];
  const made = wordedRows(exploration, (path) => {
    const confirmation = confirmBy(path, exploration, (input, values) => {
      if (path.end.kind !== "decision") return { outcomes: [], differs: null };
      const decision = engineDecision(policies, hook, input);
      return { outcomes: decision.outcomes.values(), differs: decisionDifference(path.end, values, decision) };
    });
    if (confirmation.status === "confirmed") examples.push(new Example(path, confirmation.input, exploration));
    return confirmedEnd(path.end, confirmation);
  });
  const exampleOf =
    ({ atoms }: WordedRow) =>
    () =>
      examples.find(({ input }) => new RowValues(input, exploration.knowledge, made.values).satisfy(atoms)) ?? null;
  const ways = new Map<string, ConfigurationRow[]>();
  for (const its of made.rows) {
    const [end, { conditions, atoms }] = [endOf(its), its];
    const key = JSON.stringify(end);
    ways.set(key, [...(ways.get(key) ?? []), { conditions, atoms, ...end, more: 0, example: exampleOf(its) }]);
  }
  const attachments = policies.at(hook).map(({ attachment: { name, mode } }) => ({ name, mode }));
  const { mode, default: defaults } = policies.config;
  const rows = bounded([...ways.values()], most);
  const { names, cases } = made;
  return { hook, mode, default: defaults[hook], attachments, names, cases, rows, ...unfinishedOf(exploration) };
}

/** At most `most` rows, but one for each end at least. The last row of an end has the number of those left out. */
function bounded(ends: readonly (readonly ConfigurationRow[])[], most: number): readonly ConfigurationRow[] {
  const shown = ends.map(() => 1);
  let left = most - ends.length;
  for (let before = -1; left > 0 && before !== left; ) {
    before = left;
    for (const [index, rows] of ends.entries()) {
      if (left === 0 || shown[index]! >= rows.length) continue;
      shown[index]! += 1;
      left -= 1;
    }
  }
  return ends.flatMap((rows, index) => {
    const own = rows.slice(0, shown[index]);
    return own.map((row, at) => ({ ...row, more: at === own.length - 1 ? rows.length - own.length : 0 }));
  });
}

type End = Omit<ConfigurationRow, "conditions" | "atoms" | "more" | "example">;

function endOf({ end, place }: WordedRow): End {
  if (end.kind !== "decision")
    return { result: "not decided", verdict: null, attachment: null, reason: failureWords(end), place };
  const { verdict, by, reason, fault } = end;
  const words = fault === null ? reason && reasonWords(reason) : `${fault.code}: ${fault.what}`;
  const result = verdict === 0 ? "allow" : "deny";
  return { result, verdict: verdictWords(verdict), attachment: by, reason: words, place };
}
