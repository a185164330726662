import type { LinkReport, MapReport, ProgramReport } from "../model/objects.js";
import type { Place } from "../model/places.js";
import { keyOf, type ObjectName, type PinReference } from "../model/references.js";
import type { Scan } from "../model/scan.js";

/** One object of a scan, with where it is attached and pinned. */
export type ObjectState = ProgramState | MapState | LinkState;

interface State {
  readonly pins: readonly PinReference[];
  /** Where the program is attached, as targets say; none for maps. */
  readonly places: readonly Place[];
  /** The links of a program, or the link itself; none for maps. */
  readonly links: readonly LinkReport[];
}

export interface ProgramState extends State {
  readonly kind: "program";
  readonly object: ProgramReport;
}

export interface MapState extends State {
  readonly kind: "map";
  readonly object: MapReport;
}

export interface LinkState extends State {
  readonly kind: "link";
  readonly object: LinkReport;
}

/** The objects of a scan: programs, then maps, then links. */
export function objectStates(scan: Scan): readonly ObjectState[] {
  const placesOf = groupedBy(scan.places, ({ program }) => program);
  const linksOf = groupedBy(scan.links, ({ program }) => program);
  const pins = (kind: ObjectName["kind"], { id }: { readonly id: number }) =>
    (scan.references.get(keyOf({ kind, id })) ?? []).filter((one) => one.by === "pin");
  return [
    ...scan.programs.map((object): ObjectState => {
      const [places, links] = [placesOf.get(object.id) ?? [], linksOf.get(object.id) ?? []];
      return { kind: "program", object, places, links, pins: pins("program", object) };
    }),
    ...scan.maps.map((object): ObjectState => {
      return { kind: "map", object, places: [], links: [], pins: pins("map", object) };
    }),
    ...scan.links.map((object): ObjectState => {
      return { kind: "link", object, places: [], links: [object], pins: pins("link", object) };
    }),
  ];
}

export function groupedBy<K, T>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
