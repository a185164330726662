import type { ConfigurationRow, ConfigurationTable } from "./configuration-table.js";
import type { DecisionRow, DecisionTable } from "./decision-table.js";

/** A table as plain text. */
export interface PlainTable {
  readonly heading: string;
  /** What the names in it stand for, a line each. */
  readonly names: readonly string[];
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** How many rows have each result. */
  readonly counts: string;
}

const CONDITIONS = "if all of these hold: reason";

/** The table of an attachment as plain text. */
export function plainTable(made: DecisionTable): PlainTable {
  const rows = made.rows.map((row) => [resultOf(row), row.place ?? "", reasoned(row.conditions, row)]);
  const head = ["result", "line", CONDITIONS];
  return { heading: headingOf(made), names: namesOf(made), head, rows, counts: resultCounts(made) };
}

/** The table of a configuration as plain text, with the numbers of its rows. */
export function plainConfiguration(made: ConfigurationTable): PlainTable {
  const rows = made.rows.map((row, index) => {
    return [String(index + 1), resultOf(row), deciderOf(row), reasoned(waysOf(row), row)];
  });
  const head = ["row", "result", "decided by", CONDITIONS];
  return { heading: configurationHeading(made), names: namesOf(made), head, rows, counts: resultCounts(made) };
}

function reasoned(conditions: readonly string[], row: Pick<DecisionRow, "reason">): string {
  const reason = reasonOf(row);
  return `${conditions.join(" and ") || "always"}${reason === null ? "" : `: ${reason}`}`;
}

/** The heading of a table: attachment, hook and policy, and what is different from the usual. */
export function headingOf({ attachment, hook, policy, mode, on_fault, scope }: DecisionTable): string {
  const special = [
    ...(mode === "audit" ? ["audit: it never denies"] : []),
    ...(on_fault === "allow" ? ["a fault allows"] : []),
    ...(Object.keys(scope).length > 0 ? [`scope ${JSON.stringify(scope)}`] : []),
  ];
  return `${attachment} at ${hook} (${[policy, ...special].join("; ")})`;
}

/** The longest reason that is printed, in characters; JSON has all of it. */
const MOST_REASON = 120;

/** A reason as it is printed. */
export function reasonOf({ reason }: Pick<DecisionRow, "reason">): string | null {
  return reason === null || reason.length <= MOST_REASON ? reason : `${reason.slice(0, MOST_REASON - 1)}…`;
}

/** What the names in a table stand for, a line each. */
export function namesOf({ names, cases }: Pick<DecisionTable, "names" | "cases">): readonly string[] {
  return [
    ...names.map(({ name, is }) => `${name} = ${is}`),
    ...cases.map(({ name, conditions }) => `${name}: ${conditions.join(" and ")}`),
  ];
}

/** How many rows have each result: `3 allow, 1 deny`. */
export function resultCounts({ rows }: { readonly rows: readonly Counted[] }): string {
  const results = ["allow", "deny", "fault", "not decided"] as const;
  const counts = results.map((result) => [sumOf(rows.filter((row) => row.result === result)), result] as const);
  return counts
    .filter(([count]) => count > 0)
    .map(([count, result]) => `${count} ${result}`)
    .join(", ");
}

type Counted = Pick<DecisionRow, "result"> & { readonly more?: number };

function sumOf(rows: readonly Counted[]): number {
  return rows.reduce((sum, { more = 0 }) => sum + 1 + more, 0);
}

export function resultOf({ result, verdict }: DecisionRow | ConfigurationRow): string {
  return result === "deny" ? `deny ${verdict}` : result;
}

/** The heading of a configuration's table. */
export function configurationHeading({ hook, mode, default: rule, attachments }: ConfigurationTable): string {
  const audit = attachments.filter(({ mode }) => mode === "audit").map(({ name }) => name);
  const special = [
    `default ${rule}`,
    ...(audit.length > 0 ? [`without ${audit.join(", ")}, in audit`] : []),
    ...(mode === "audit" ? ["a dry run: nothing is denied"] : []),
  ];
  return `all attachments at ${hook} (${special.join("; ")})`;
}

/** What decides: an attachment and its line, or the default. */
export function deciderOf({ result, attachment, place }: ConfigurationRow): string {
  if (attachment === null) return result === "deny" ? "the default" : (place ?? "");
  return `${attachment}${place === null ? "" : ` ${place}`}`;
}

/** The conditions of a row, and how many ways to the same end were left out. */
export function waysOf({ conditions, more }: ConfigurationRow): readonly string[] {
  return [
    ...(conditions.length === 0 ? ["always"] : conditions),
    ...(more > 0 ? [`(${more} more ${more === 1 ? "way" : "ways"})`] : []),
  ];
}

/** The table of a configuration in Markdown, with a heading of the second level. */
export function configurationMarkdown(made: ConfigurationTable): string {
  const rows = made.rows.map((row, index) => {
    return [String(index + 1), waysOf(row).join("<br>"), resultOf(row), reasonOf(row) ?? "", deciderOf(row)];
  });
  const head = ["row", "if all of these hold", "result", "reason", "decided by"];
  return markdownTable(configurationHeading(made), head, rows, made);
}

/** The table of an attachment in Markdown, with a heading of the second level. */
export function markdownOf(made: DecisionTable): string {
  const rows = made.rows.map((row) => {
    return [row.conditions.join("<br>") || "always", resultOf(row), reasonOf(row) ?? "", row.place ?? ""];
  });
  const head = ["if all of these hold", "result", "reason", "line"];
  return markdownTable(headingOf(made), head, rows, made);
}

function markdownTable(
  heading: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  made: Pick<DecisionTable, "names" | "cases" | "unfinished">,
): string {
  const { unfinished } = made;
  const names = namesOf(made);
  return [
    `## ${escaped(heading)}`,
    "",
    ...names.map((line) => `- ${escaped(line)}`),
    ...(names.length === 0 ? [] : [""]),
    `| ${head.join(" | ")} |`,
    `| ${head.map(() => "---").join(" | ")} |`,
    ...rows.map((cells) => `| ${cells.map(escaped).join(" | ")} |`),
    ...(unfinished === null ? [] : ["", `Not complete: ${escaped(unfinished)}.`]),
    "",
  ].join("\n");
}

function escaped(text: string): string {
  return text
    .replace(/[|\\]/g, "\\$&")
    .replace(/\n/g, " ")
    .replace(/<(?!br>)/g, "&lt;");
}
