import { element, htmlPage, text } from "../../html-page.js";
import type { ObjectName } from "../../loaded/model/references.js";
import type { Scan } from "../../loaded/model/scan.js";
import type { ExaminedScan, NamedScan } from "../../loaded/scan.js";
import type { ScanVerdict } from "../loaded/scan-verdicts.js";
import { AttachedPlaces } from "./attached-places.js";
import { type ComparedScans, comparedViews, comparisonTable } from "./comparison.js";
import { objectLines } from "./named-text.js";
import { scanNotes, scanTables, timeOf } from "./scan-text.js";
import type { TitledTable } from "./table.js";
import { verdictTable } from "./verdict-table.js";

/** A scan as one HTML file without a script, which loads nothing: its tables, then each object in full, folded. */
export function scanPage(
  scan: Scan,
  found: Omit<ExaminedScan, "scan">,
  verdicts: readonly ScanVerdict[] | null,
): string {
  const { programs, maps, links } = scan;
  const objects: readonly ObjectName[] = [
    ...programs.map(({ id }): ObjectName => ({ kind: "program", id })),
    ...maps.map(({ id }): ObjectName => ({ kind: "map", id })),
    ...links.map(({ id }): ObjectName => ({ kind: "link", id })),
  ];
  const details = { programs: new Map(), maps: new Map() };
  return page(scan, [
    ...scanNotes(scan, found).map((note) => element("p", [text(note)])),
    ...scanTables(scan, found, verdicts).map(section),
    element("h2", ["In full"]),
    ...inFull({ scan, examined: found.examined, details }, objects).map(([first, ...lines]) =>
      folded(first, preformatted(lines)),
    ),
  ]);
}

/** The same of objects that are named. */
export function namedPage(
  found: NamedScan,
  named: readonly ObjectName[],
  verdicts: readonly ScanVerdict[] | null,
): string {
  const objects = inFull(found, named).map(([first, ...lines]) =>
    element("article", [
      element("h2", [text(first)]),
      lines.length <= MOST_OPEN ? preformatted(lines) : folded(`${lines.length} lines`, preformatted(lines)),
    ]),
  );
  return page(found.scan, [...objects, ...(verdicts === null ? [] : [section(verdictTable(verdicts))])]);
}

/** The same of what is new, has moved or is gone. */
export function comparisonPage(compared: ComparedScans): string {
  return page({ ...compared.after, views: comparedViews(compared) }, [section(comparisonTable(compared))]);
}

type Lines = readonly [first: string, ...others: string[]];

function inFull(found: NamedScan, objects: readonly ObjectName[]): readonly Lines[] {
  const places = new AttachedPlaces(found.scan);
  return objects.map((object) => objectLines(found, object, places) as Lines);
}

/** `contents` between what the scan is of and what could not be read. */
function page({ bootId, bootTime, views }: Scan, contents: readonly string[]): string {
  const gaps = views.flatMap(({ name, reason }) => (reason === null ? [] : [`view of ${name}: ${reason}`]));
  const booted = `booted ${timeOf(new Date(Number(bootTime / 1_000_000n)))} (UTC), boot id ${bootId ?? "unknown"}`;
  return htmlPage("scan", [
    element("h1", ["What is loaded"]),
    element("p", [text(booted)], "dim"),
    ...(gaps.length === 0
      ? []
      : [
          element("article", [
            element("h2", ["Not read"]),
            element(
              "ul",
              gaps.map((gap) => element("li", [text(gap)], "audit")),
            ),
          ]),
        ]),
    ...contents,
  ]);
}

/** Rows or lines that are not folded at first. */
const MOST_OPEN = 100;

function section({ title, head, rows, below }: TitledTable): string {
  const words = element(
    "tr",
    head.map((word) => element("th", [text(word)])),
  );
  const table = element("table", [words, ...rows.map((row) => tableRow(head, row))]);
  return element("article", [
    element("h2", [text(title)]),
    ...(rows.length === 0 ? [] : [rows.length <= MOST_OPEN ? table : folded(`${rows.length} rows`, table)]),
    ...below.map((line) => element("p", [text(line)])),
  ]);
}

function tableRow(head: readonly string[], row: readonly string[]): string {
  return element(
    "tr",
    row.map((cell, column) => {
      const style = head[column] === "VERDICT" ? CLASSES[cell] : undefined;
      return element("td", [style === undefined ? text(cell) : element("b", [text(cell)], style)]);
    }),
  );
}

/** How a verdict looks. */
const CLASSES: Readonly<Record<string, string>> = { denied: "denied", "not decided": "audit", allowed: "allowed" };

function folded(summary: string, content: string): string {
  return element("details", [element("summary", [text(summary)]), content]);
}

function preformatted(lines: readonly string[]): string {
  return element("pre", [lines.map(text).join("\n")]);
}
