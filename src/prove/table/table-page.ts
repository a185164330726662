import { element, htmlPage, text } from "../../html-page.js";
import type { ConfigurationTable } from "./configuration-table.js";
import type { DecisionTable } from "./decision-table.js";
import {
  configurationHeading,
  deciderOf,
  headingOf,
  namesOf,
  reasonOf,
  resultCounts,
  resultOf,
  waysOf,
} from "./table-text.js";

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
      return section(headingOf(made), [...HEAD, "line"], rows, made);
    }),
    ...configuration.map((made) => {
      const rows = made.rows.map((row, index): Row => {
        return { ...row, number: index + 1, conditions: waysOf(row), shown: resultOf(row), by: deciderOf(row) };
      });
      return section(configurationHeading(made), ["row", ...HEAD, "decided by"], rows, made);
    }),
    element("h2", ["Assumed"]),
    element(
      "ul",
      assumptions.map((one) => element("li", [text(one)])),
    ),
  ]);
}

const HEAD = ["result", "if all of these hold", "reason"] as const;

interface Row {
  /** The number for `prove witness --row`; absent in the table of an attachment. */
  readonly number?: number;
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
  words: readonly string[],
  rows: readonly Row[],
  made: Pick<DecisionTable, "names" | "cases" | "rows" | "unfinished">,
): string {
  const head = words.map((one) => element("th", [text(one)]));
  const names = namesOf(made).map((line) => element("li", [text(line)]));
  const table = element("table", [element("tr", head), ...rows.map(tableRow)]);
  return element("article", [
    element("h2", [text(heading)]),
    element("p", [text(resultCounts(made))], "dim"),
    ...(made.unfinished === null ? [] : [element("p", [text(`not complete: ${made.unfinished}`)], "audit")]),
    ...(names.length === 0 ? [] : [folded(`${names.length} names`, element("ul", names))]),
    rows.length <= MOST_OPEN ? table : folded(`${rows.length} rows`, table),
  ]);
}

/** Rows of a table that is not folded at first. */
const MOST_OPEN = 20;

function folded(summary: string, content: string): string {
  return element("details", [element("summary", [text(summary)]), content]);
}

function tableRow({ number, result, shown, conditions, reason, by }: Row): string {
  const all = conditions.length === 0 ? ["always"] : conditions;
  return element("tr", [
    ...(number === undefined ? [] : [element("td", [String(number)])]),
    element("td", [element("b", [text(shown)], CLASSES[result])]),
    element("td", [all.map((one) => element("div", [text(one)])).join("")]),
    element("td", [reasonCell(reason)]),
    element("td", [text(by)]),
  ]);
}

/** A long reason is folded behind its beginning. */
function reasonCell(reason: string | null): string {
  const short = reasonOf({ reason });
  return short === reason ? text(reason ?? "") : folded(short!, text(reason!));
}
