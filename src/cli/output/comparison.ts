import type { ScanComparison, ScanDifference } from "../../loaded/compare/compare.js";
import type { ObjectState } from "../../loaded/compare/object-state.js";
import type { Scan } from "../../loaded/model/scan.js";
import type { View } from "../../loaded/model/view.js";
import { visibleText } from "../../visible-text.js";
import { AttachedPlaces } from "./attached-places.js";
import { linkLine, placeLine, referenceJson } from "./scan-lines.js";
import { type TitledTable, titledText } from "./table.js";

/** Two scans and what they have differently. */
export interface ComparedScans {
  readonly before: Scan;
  readonly after: Scan;
  readonly comparison: ScanComparison;
}

/** What is new, has moved or is gone as a table for a terminal, and how many. */
export function comparisonText(compared: ComparedScans): string {
  return titledText(comparisonTable(compared));
}

export function comparisonTable({ before, after, comparison }: ComparedScans): TitledTable {
  const { differences, isSameBoot } = comparison;
  const [placesBefore, placesAfter] = [new AttachedPlaces(before), new AttachedPlaces(after)];
  const rows = differences.map(({ change, before: was, after: is }) => {
    const shown = is ?? was;
    const [then, now] = [placesOf(was, placesBefore), placesOf(is, placesAfter)];
    const where = change === "moved" ? `${then}, now ${now}` : is === null ? then : now;
    return shown === null ? [] : [change, `${shown.kind} ${shown.object.id}`, nameOf(shown), shown.object.type, where];
  });
  const boot = isSameBoot ? "" : "; another boot or machine: compared by type, name and tag";
  const summary = `${CHANGES.map((change) => `${countOf(differences, change)} ${change}`).join(", ")}${boot}`;
  const head = ["CHANGE", "OBJECT", "NAME", "TYPE", "ATTACHED OR PINNED"];
  return { title: "Changes", head, rows, below: [summary] };
}

/** What could not be read of both scans. */
export function comparedViews({ before, after }: Pick<ComparedScans, "before" | "after">): readonly View[] {
  return [...before.views.map((view) => ({ ...view, name: `${view.name} of the archive` })), ...after.views];
}

const CHANGES = ["new", "moved", "gone"] as const;

function countOf(differences: readonly ScanDifference[], change: ScanDifference["change"]): number {
  return differences.filter((difference) => difference.change === change).length;
}

function nameOf(state: ObjectState): string {
  return state.kind === "link" || state.object.name === "" ? "-" : visibleText(state.object.name);
}

function placesOf(state: ObjectState | null, places: AttachedPlaces): string {
  if (state === null) return "";
  const attached = state.kind === "program" ? places.ofProgram(state.object.id) : [];
  const linked = state.kind === "link" ? [places.ofLink(state.object)] : [];
  const pinned = state.pins.map(({ path, mountNamespace }) => {
    return visibleText(mountNamespace === null ? path : `${path} of mount namespace ${mountNamespace}`);
  });
  return [...attached, ...linked, ...pinned].join(", ") || "-";
}

/** The lines of `scan --compare --json`, in the form of schema/scan.schema.json. */
export function* comparisonLines({ after, comparison }: ComparedScans): Generator<object> {
  const { differences, isSameBoot } = comparison;
  for (const { change, before: was, after: is } of differences)
    yield { kind: "difference", change, before: stateJson(was), after: stateJson(is) };
  const counts = CHANGES.map((change) => [change, countOf(differences, change)]);
  yield { kind: "comparison", same_boot: isSameBoot, ...Object.fromEntries(counts) };
  yield { kind: "views", views: after.views };
}

function stateJson(state: ObjectState | null): object | null {
  if (state === null) return null;
  const { kind, object, places, links, pins } = state;
  return {
    ...{ object: kind, id: object.id, type: object.type },
    name: kind === "link" ? null : object.name,
    tag: kind === "program" ? object.tag : null,
    places: places.map(placeLine),
    links: links.map(linkLine),
    pins: pins.map(referenceJson),
  };
}
