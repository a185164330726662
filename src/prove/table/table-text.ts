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
export function countsOf({ rows }: DecisionTable): string {
  const results = ["allow", "deny", "fault", "not decided"] as const;
  const counts = results.map((result) => [rows.filter((row) => row.result === result).length, result] as const);
  return counts
    .filter(([count]) => count > 0)
    .map(([count, result]) => `${count} ${result}`)
    .join(", ");
}

export function resultOf({ result, verdict }: DecisionRow): string {
  return result === "deny" ? `deny ${verdict}` : result;
}

/** A table in Markdown, with a heading of the second level. */
export function markdownOf(made: DecisionTable): string {
  const rows = made.rows.map((row) => {
    const cells = [row.conditions.join("<br>") || "always", resultOf(row), row.reason ?? "", row.place ?? ""];
    return `| ${cells.map(escaped).join(" | ")} |`;
  });
  const partial = made.unfinished === null ? [] : ["", `Not complete: ${escaped(made.unfinished)}.`];
  return [
    `## ${escaped(headingOf(made))}`,
    "",
    "| if all of these hold | result | reason | line |",
    "| --- | --- | --- | --- |",
    ...rows,
    ...partial,
    "",
  ].join("\n");
}

function escaped(text: string): string {
  return text
    .replace(/[|\\]/g, "\\$&")
    .replace(/\n/g, " ")
    .replace(/<(?!br>)/g, "&lt;");
}
