import type { LinkReport, ProgramReport } from "../model/objects.js";
import type { Place } from "../model/places.js";
import { keyOf, type ObjectName, type References } from "../model/references.js";
import type { Reads } from "../reads/reads.js";
import { type IdList, idsOf, linkById } from "../views/kernel-objects.js";
import type { Sights } from "./compare-sights.js";
import type { Sight } from "./hidden-object.js";
import type { MemoryObjects } from "./memory-objects.js";
import { moduleSights } from "./module-sights.js";
import {
  HIDDEN_ADDRESS,
  type ProgramSymbol,
  type ProgramTraces,
  programSymbols,
  programTraces,
} from "./program-symbols.js";
import { functionsWithPrograms } from "./traced-functions.js";

type Kind = ObjectName["kind"];
export const KINDS: readonly Kind[] = ["program", "map", "link"];

/** What views that come before the round's own have found. */
export interface Found {
  readonly programs: readonly ProgramReport[];
  readonly links: readonly LinkReport[];
  readonly places: readonly Place[];
  readonly references: References;
}

/** What a round sees, and what it cannot. */
export interface Round {
  readonly sights: Sights;
  readonly unread: ReadonlyMap<Sight, string>;
  /** By address, or by place in the list if the kernel hides addresses. */
  readonly symbols: ReadonlyMap<string, ProgramSymbol>;
}

/**
 * Looks at all objects in each way. The lists that should have all objects come last: what came before is in them, or
 * is gone in the next round.
 *
 * @param tried the ids of each kind that can be opened
 */
export function look(
  reads: Reads,
  found: Found,
  memory: MemoryObjects,
  tried: (kind: Kind) => ReadonlySet<number>,
): Round {
  const unread = new Map<Sight, string>();
  const sights = new Map<Sight, Set<string>>();
  const see = (by: Sight, keys: Iterable<string>) => sights.set(by, new Set([...(sights.get(by) ?? []), ...keys]));
  const keys = (kind: Kind, ids: Iterable<number | null>) =>
    [...ids].flatMap((id) => (id === null ? [] : [keyOf({ kind, id })]));

  const triedIds = new Map(KINDS.map((kind) => [kind, tried(kind)]));
  const links = [...found.links, ...unlistedLinks(reads, found, triedIds.get("link")!)];
  see(
    "link",
    keys(
      "program",
      links.map(({ program }) => program),
    ),
  );
  see(
    "program",
    keys(
      "map",
      found.programs.flatMap(({ maps }) => maps),
    ),
  );
  see(
    "place",
    keys(
      "program",
      found.places.map(({ program }) => program),
    ),
  );
  for (const [key, references] of found.references) {
    if (references.some(({ by }) => by === "process")) see("descriptor", [key]);
    if (references.some(({ by }) => by === "pin")) see("pin", [key]);
  }
  const symbols = programSymbols(reads);
  if (symbols === null) unread.set("symbols", "the kernel does not show its symbols");
  const functions = functionsWithPrograms(reads);
  if (functions === null) unread.set("functions", "there is no file system of ftrace at /sys/kernel/tracing");
  else
    see(
      "functions",
      functions.map(({ name }) => `function:${name}`),
    );
  if (memory.reason === null) see("memory", memory.objects.map(keyOf));
  else unread.set("memory", memory.reason);
  for (const kind of KINDS) see("id", keys(kind, triedIds.get(kind)!));

  const lists = new Map<Kind, IdList>(KINDS.map((kind) => [kind, idsOf(reads, kind)]));
  for (const [kind, { ids }] of lists) see("list", keys(kind, ids));
  const traces = lists.get("program")!.ids.flatMap((id) => programTraces(reads, id) ?? []);
  const listed = (symbols ?? []).map((symbol, index) => [symbolKey(symbol, index), symbol] as const);
  if (symbols !== null) {
    see(
      "symbols",
      listed.map(([key]) => key),
    );
    see("program", symbolsOf(listed, traces));
  }
  const targets = new Set(traces.map(({ key }) => key));
  see(
    "targets",
    (functions ?? []).flatMap(({ name, key }) => (targets.has(key) ? [`function:${name}`] : [])),
  );
  for (const [by, names] of Object.entries(moduleSights(reads)) as [Sight, readonly string[] | null][]) {
    if (names === null) unread.set(by, "the kernel does not show it");
    else
      see(
        by,
        names.map((name) => `module:${name}`),
      );
  }
  return { sights, unread, symbols: new Map(listed) };
}

/** The links that can be opened by their ids, and that no list had. */
function unlistedLinks(reads: Reads, { links }: Found, ids: ReadonlySet<number>): readonly LinkReport[] {
  const listed = new Set(links.map(({ id }) => id));
  return [...ids].flatMap((id) => (listed.has(id) ? [] : (linkById(reads, id) ?? [])));
}

function symbolKey({ address, tag, name }: ProgramSymbol, index: number): string {
  return `symbol:${address === HIDDEN_ADDRESS ? `${index}` : address} ${tag} ${name}`;
}

/** The symbols that belong to listed programs. If the kernel hides addresses, only their number can be compared. */
function symbolsOf(
  symbols: readonly (readonly [key: string, symbol: ProgramSymbol])[],
  traces: readonly ProgramTraces[],
): readonly string[] {
  const addresses = new Set(traces.flatMap((each) => each.addresses));
  const isHidden = symbols.some(([, { address }]) => address === HIDDEN_ADDRESS);
  const known = isHidden
    ? symbols.slice(
        0,
        traces.reduce((sum, { count }) => sum + count, 0),
      )
    : symbols.filter(([, { address }]) => addresses.has(address));
  return known.map(([key]) => key);
}
