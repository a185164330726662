import { element, htmlPage, text } from "../../html-page.js";
import type { ConfigurationTable } from "./configuration-table.js";
import type { DecisionTable } from "./decision-table.js";
import { configurationHeading, countsOf, deciderOf, headingOf, resultOf, waysOf } from "./table-text.js";

/** Decision tables as one HTML file without a script, which loads nothing. */
export function tablePage(
  tables: readonly DecisionTable[],
  configuration: readonly ConfigurationTable[],
  assumptions: readonly string[],
): string {
  return htmlPage("decision tables", [
    element("h1", ["Decision tables"]),
    ...tables.map((made) => {
      const rows = made.rows.map((row): Row => ({ ...row, shown: resultOf(row), by: row.place ?? "" }));
      return section(headingOf(made), "line", rows, made);
    }),
    ...configuration.map((made) => {
      const rows = made.rows.map((row): Row => {
        return { ...row, conditions: waysOf(row), shown: resultOf(row), by: deciderOf(row) };
      });
      return section(configurationHeading(made), "decided by", rows, made);
    }),
    element("h2", ["Assumed"]),
    element(
      "ul",
      assumptions.map((one) => element("li", [text(one)])),
    ),
  ]);
}

interface Row {
  readonly result: DecisionTable["rows"][number]["result"];
  /** The result in words. */
  readonly shown: string;
  readonly conditions: readonly string[];
  readonly reason: string | null;
  /** What decides. */
  readonly by: string;
}

/** How a result looks. */
const CLASSES: Readonly<Record<Row["result"], string>> = {
  allow: "allowed",
  deny: "denied",
  fault: "denied",
  "not decided": "audit",
};

function section(
  heading: string,
  last: string,
  rows: readonly Row[],
  made: Pick<DecisionTable, "rows" | "unfinished">,
): string {
  const head = ["result", "if all of these hold", "reason", last].map((one) => element("th", [text(one)]));
  return element("article", [
    element("h2", [text(heading)]),
    element("table", [element("tr", head), ...rows.map(tableRow)]),
    element("p", [text(countsOf(made))], "dim"),
    ...(made.unfinished === null ? [] : [element("p", [text(`not complete: ${made.unfinished}`)], "audit")]),
  ]);
}

function tableRow({ result, shown, conditions, reason, by }: Row): string {
  const all = conditions.length === 0 ? ["always"] : conditions;
  return element("tr", [
    element("td", [element("b", [text(shown)], CLASSES[result])]),
    element("td", [all.map(text).join("<br>")]),
    element("td", [text(reason ?? "")]),
    element("td", [text(by)]),
  ]);
}
