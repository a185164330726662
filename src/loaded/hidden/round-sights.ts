import type { LinkReport, ProgramReport } from "../model/objects.js";
import type { Place } from "../model/places.js";
import { keyOf, type ObjectName, type References } from "../model/references.js";
import type { Raw, Reads } from "../reads/reads.js";
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
 * @param symbolText the text of /proc/kallsyms, or a negative errno
 * @param tried the ids of each kind that can be opened
 */
export function look(
  reads: Reads,
  found: Found,
  memory: MemoryObjects,
  symbolText: () => Raw,
  tried: (kind: Kind) => ReadonlySet<number>,
): Round {
  const unread = new Map<Sight, string>();
  const sights = new Map<Sight, Set<string>>();
  const see = (by: Sight, keys: Iterable<string>) => {
    const seen = sights.get(by) ?? new Set();
    for (const key of keys) seen.add(key);
    sights.set(by, seen);
  };
  const seeIds = (by: Sight, kind: Kind, ids: Iterable<number | null>) =>
    see(by, Array.from(ids, (id) => (id === null ? [] : [keyOf({ kind, id })])).flat());

  const ids = new Map(KINDS.map((kind) => [kind, tried(kind)]));
  const links = [...found.links, ...unlistedLinks(reads, found, ids.get("link")!)].map(({ program }) => program);
  const maps = found.programs.flatMap((program) => program.maps);
  const placed = found.places.map(({ program }) => program);
  seeIds("link", "program", links);
  seeIds("program", "map", maps);
  seeIds("place", "program", placed);
  for (const [key, references] of found.references) {
    if (references.some(({ by }) => by === "process")) see("descriptor", [key]);
    if (references.some(({ by }) => by === "pin")) see("pin", [key]);
  }
  const symbols = programSymbols(reads, symbolText);
  const functions = functionsWithPrograms(reads);
  if (memory.reason === null) see("memory", memory.objects.map(keyOf));
  else unread.set("memory", memory.reason);
  for (const [kind, each] of ids) seeIds("id", kind, each);

  const lists = new Map<Kind, IdList>(KINDS.map((kind) => [kind, idsOf(reads, kind)]));
  for (const [kind, list] of lists) seeIds("list", kind, list.ids);
  const traces = lists.get("program")!.ids.flatMap((id) => programTraces(reads, id) ?? []);
  const listed = (symbols ?? []).map((symbol, index) => [symbolKey(symbol, index), symbol] as const);
  if (symbols === null) unread.set("symbols", "the kernel does not show its symbols");
  else {
    const known = symbolsOf(listed, traces);
    see("program", known);
    const all = listed.map(([key]) => key);
    see("symbols", all);
  }
  if (functions === null) unread.set("functions", "there is no file system of ftrace at /sys/kernel/tracing");
  else {
    const targets = new Set(traces.map(({ key }) => key));
    const all = functions.map(({ name }) => `function:${name}`);
    see("functions", all);
    see(
      "targets",
      all.filter((_, index) => targets.has(functions[index]!.key)),
    );
  }
  for (const [by, names] of Object.entries(moduleSights(reads, symbolText)) as [Sight, readonly string[] | null][]) {
    const modules = names?.map((name) => `module:${name}`) ?? null;
    if (modules === null) unread.set(by, "the kernel does not show it");
    else see(by, modules);
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
