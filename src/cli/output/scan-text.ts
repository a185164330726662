import type { MapReport, ProgramReport } from "../../loaded/model/objects.js";
import type { Scan } from "../../loaded/model/scan.js";
import type { ExaminedScan } from "../../loaded/scan.js";
import { visibleText } from "../../visible-text.js";
import type { ScanVerdict } from "../loaded/scan-verdicts.js";
import { AttachedPlaces } from "./attached-places.js";
import { examinedTable } from "./examined-table.js";
import { comparedNotes, hiddenTable } from "./hidden-table.js";
import { holders } from "./holders.js";
import { loadedAt } from "./scan-lines.js";
import { type TitledTable, titledText } from "./table.js";
import { verdictTable } from "./verdict-table.js";

/** What is loaded as tables for a terminal. */
export function scanText(
  scan: Scan,
  found: Omit<ExaminedScan, "scan">,
  verdicts: readonly ScanVerdict[] | null,
): string {
  return [...scanTables(scan, found, verdicts).map(titledText), scanNotes(scan, found).join("\n")].join("\n\n");
}

/** What is loaded, what hides first. A table without rows and lines is left out. */
export function scanTables(
  scan: Scan,
  { examined, comparison }: Omit<ExaminedScan, "scan">,
  verdicts: readonly ScanVerdict[] | null,
): readonly TitledTable[] {
  const places = new AttachedPlaces(scan);
  const tables = [
    ...(comparison === null ? [] : [hiddenTable(comparison)]),
    programTable(scan, places),
    ...(examined === null ? [] : [examinedTable(scan, examined)]),
    ...(verdicts === null ? [] : [verdictTable(verdicts)]),
    ...[mapTable(scan), linkTable(scan, places), structOpsTable(scan)],
  ];
  return tables.filter(({ rows, below }) => rows.length + below.length > 0);
}

/** How many objects there are, and what was not compared. */
export function scanNotes(scan: Scan, { comparison }: Omit<ExaminedScan, "scan">): readonly string[] {
  return [summary(scan), ...(comparison === null ? [] : comparedNotes(comparison))];
}

const NOTHING = "-";

function programTable(scan: Scan, places: AttachedPlaces): TitledTable {
  const counts = scan.programs.some(({ runs }) => runs.count > 0n);
  const head = [
    "PROGRAM",
    "NAME",
    "TYPE",
    "TAG",
    "LOADED (UTC)",
    "UID",
    ...(counts ? ["RUNS"] : []),
    "ATTACHED",
    "HELD BY",
  ];
  return tableOf(
    "Programs",
    head,
    scan.programs.map((program) => [
      ...[String(program.id), nameOf(program), program.type, program.tag, timeOf(loadedAt(program, scan.bootTime))],
      ...[String(program.uid), ...(counts ? [String(program.runs.count)] : []), attachedText(program, places)],
      holders(scan, { kind: "program", id: program.id }, places.tellOf(program.id)),
    ]),
  );
}

/** At most this many places are in one cell. */
const PLACES = 8;

/** Where a program is attached, or by what it can be that the kernel does not show. */
function attachedText(program: ProgramReport, places: AttachedPlaces): string {
  const [all, unseen] = [places.ofProgram(program.id), places.unseen(program)];
  if (all.length === 0) return unseen.length === 0 ? NOTHING : `no view of ${unseen.join(", ")}`;
  const more = all.length - PLACES;
  return `${all.slice(0, PLACES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** `2026-03-01 12:00:00`. */
export function timeOf(date: Date): string {
  return date.toISOString().slice(0, 19).replace("T", " ");
}

function nameOf({ name }: ProgramReport | MapReport): string {
  return name === "" ? NOTHING : visibleText(name);
}

function mapTable(scan: Scan): TitledTable {
  const users = new Map<number, number[]>();
  for (const { id, maps } of scan.programs)
    for (const map of new Set(maps)) {
      const others = users.get(map);
      if (others === undefined) users.set(map, [id]);
      else others.push(id);
    }
  return tableOf(
    "Maps",
    ["MAP", "NAME", "TYPE", "KEY", "VALUE", "ENTRIES", "FROZEN", "USED BY", "HELD BY"],
    scan.maps.map((map) => [
      ...[String(map.id), nameOf(map), map.type, String(map.keySize), String(map.valueSize), String(map.maxEntries)],
      map.frozen === null ? "unknown" : map.frozen ? "yes" : "no",
      numbersOf(users.get(map.id) ?? []),
      holders(scan, { kind: "map", id: map.id }),
    ]),
  );
}

/** At most this many ids are in one cell. */
const IDS = 8;

function numbersOf(ids: readonly number[]): string {
  if (ids.length === 0) return NOTHING;
  const more = ids.length - IDS;
  return `${ids.slice(0, IDS).join(" ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function linkTable(scan: Scan, places: AttachedPlaces): TitledTable {
  return tableOf(
    "Links",
    ["LINK", "TYPE", "PROGRAM", "ATTACHED", "HELD BY"],
    scan.links.map((link) => [
      ...[String(link.id), link.type, String(link.program ?? NOTHING), places.ofLink(link)],
      holders(scan, { kind: "link", id: link.id }),
    ]),
  );
}

function structOpsTable({ structOps }: Scan): TitledTable {
  return tableOf(
    "Structures of the kernel",
    ["MAP", "STRUCT_OPS"],
    structOps.map(({ map, structure }) => [String(map), structure ?? "unknown"]),
  );
}

function tableOf(title: string, head: TitledTable["head"], rows: TitledTable["rows"]): TitledTable {
  return { title, head, rows, below: [] };
}

function summary({ programs, maps, links }: Scan): string {
  const count = (things: readonly unknown[], noun: string) =>
    `${things.length} ${noun}${things.length === 1 ? "" : "s"}`;
  return `${count(programs, "program")}, ${count(maps, "map")}, ${count(links, "link")}`;
}
