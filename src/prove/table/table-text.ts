import type { ConfigurationRow, ConfigurationTable } from "./configuration-table.js";
import type { DecisionRow, DecisionTable } from "./decision-table.js";

/** The heading of a table: attachment, hook and policy, and what is different from the usual. */
export function headingOf({ attachment, hook, policy, mode, on_fault, scope }: DecisionTable): string {
  const special = [
    ...(mode === "audit" ? ["audit: it never denies"] : []),
    ...(on_fault === "allow" ? ["a fault allows"] : []),
    ...(Object.keys(scope).length > 0 ? [`scope ${JSON.stringify(scope)}`] : []),
  ];
  return `${attachment} at ${hook} (${[policy, ...special].join("; ")})`;
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
    return [String(index + 1), waysOf(row).join("<br>"), resultOf(row), row.reason ?? "", deciderOf(row)];
  });
  const head = ["row", "if all of these hold", "result", "reason", "decided by"];
  return markdownTable(configurationHeading(made), head, rows, made.unfinished);
}

/** The table of an attachment in Markdown, with a heading of the second level. */
export function markdownOf(made: DecisionTable): string {
  const rows = made.rows.map((row) => {
    return [row.conditions.join("<br>") || "always", resultOf(row), row.reason ?? "", row.place ?? ""];
  });
  const head = ["if all of these hold", "result", "reason", "line"];
  return markdownTable(headingOf(made), head, rows, made.unfinished);
}

function markdownTable(
  heading: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  unfinished: string | null,
): string {
  return [
    `## ${escaped(heading)}`,
    "",
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
