import { setTimeout } from "node:timers/promises";
import type { ScannedKernel } from "../effects/scanned-kernel.js";
import { keyOf } from "../model/references.js";
import type { Scan } from "../model/scan.js";
import type { Reads } from "../reads/reads.js";
import { fileResult } from "../reads/values.js";
import { wholeFile } from "../reads/whole-file.js";
import { mapById, programById } from "../views/kernel-objects.js";
import { type Contradiction, contradictions, kindOf } from "./compare-sights.js";
import type { Comparison, HiddenObject, UntriedIds } from "./hidden-object.js";
import type { MemoryObjects } from "./memory-objects.js";
import { objectsInMemory } from "./objects-in-memory.js";
import { inRound } from "./round.js";
import { type KINDS, look, type Round } from "./round-sights.js";
import { unexplainedTaints } from "./taint.js";
import { type Patience, type TellTried, TRIALS, triedAgain, triedIds } from "./tried-ids.js";

/** Number of times that all ways look before something counts as hidden. */
const ROUNDS = 4;
/** Milliseconds between two rounds: in the meantime what is being loaded or removed comes to its end. */
const PAUSE = 100;
/** Ids beyond the highest known one that are tried where the kernel's memory does not say the next one. */
const BEYOND = 1024;

/**
 * Looks for objects that some views of the kernel show and others do not, after those of a scan.
 *
 * @param scanAgain makes the scan of a further round
 * @param tell is told how far the ids are tried
 */
export async function hiddenObjects(
  reads: Reads,
  scan: Scan,
  kernel: ScannedKernel,
  patience: Patience,
  scanAgain: (reads: Reads) => Promise<Scan>,
  tell: TellTried,
): Promise<Comparison> {
  const untried: UntriedIds[] = [];
  const first = inRound(reads, 1);
  const memory = objectsInMemory(first, kernel);
  // read now, if not above: after the scan, and before the lists
  const symbols = () => kernel.symbolText;
  const round = look(first, scan, memory, symbols, (kind) => {
    const highest = highestId(kind, scan, memory);
    const tried = triedIds(first, kind, highest, TRIALS[patience], tell);
    if (tried.untried > 0) untried.push({ kind, upTo: tried.untried });
    return tried.ids;
  });
  await reads.stored();
  const rounds = [round];
  const wasTried = (key: string) => untried.every(({ kind, upTo }) => kind !== kindOf(key) || idOf(key) > upTo);
  const compared = () =>
    contradictions(
      rounds.map(({ sights }) => sights),
      (key, by) => by !== "id" || wasTried(key),
    );
  while (rounds.length < ROUNDS && compared().length > 0) {
    if (reads.isLive) await setTimeout(PAUSE);
    const again = inRound(reads, rounds.length + 1);
    const suspects = compared().map(({ key }) => key);
    const found = await scanAgain(again);
    const objects = objectsInMemory(again, kernel);
    rounds.push(
      look(again, found, objects, once(symbolText), (kind) => triedAgain(again, kind, idsAmong(suspects, kind))),
    );
    await reads.stored();
  }
  const hidden = rounds.length < ROUNDS ? [] : described(compared(), rounds[0]!, reads, memory);
  const unread = [...round.unread].map(([sight, reason]) => ({ sight, reason }));
  return { hidden, untried, unread, taints: unexplainedTaints(first) };
}

/** Makes a value at the first question. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const symbolText = () => fileResult(() => wholeFile("/proc/kallsyms"));

const idOf = (key: string) => Number(key.slice(key.indexOf(":") + 1));

function idsAmong(keys: readonly string[], kind: string): readonly number[] {
  return keys.filter((key) => kindOf(key) === kind).map(idOf);
}

function highestId(kind: (typeof KINDS)[number], scan: Scan, memory: MemoryObjects): number {
  const next = memory.next.get(kind);
  const known = { program: scan.programs, map: scan.maps, link: scan.links }[kind].map(({ id }) => id);
  const highest = [...known, ...idsAmong([...scan.references.keys()], kind)].reduce(
    (most, id) => Math.max(most, id),
    0,
  );
  return next === undefined ? highest + BEYOND : Math.max(highest, next - 1);
}

function described(
  found: readonly Contradiction[],
  { symbols }: Round,
  reads: Reads,
  memory: MemoryObjects,
): readonly HiddenObject[] {
  const inMemory = new Map(memory.objects.map((object) => [keyOf(object), object]));
  const again = inRound(reads, ROUNDS + 1);
  const objects = found.map(({ key, seenBy, notSeenBy }): HiddenObject => {
    const kind = kindOf(key) as HiddenObject["kind"];
    const symbol = symbols.get(key);
    if (symbol !== undefined) return { kind, id: null, name: symbol.name, tag: symbol.tag, seenBy, notSeenBy };
    if (kind === "function" || kind === "module")
      return { kind, id: null, name: key.slice(kind.length + 1), tag: null, seenBy, notSeenBy };
    const id = idOf(key);
    const program = kind === "program" ? programById(again, id) : null;
    const map = kind === "map" ? mapById(again, id) : null;
    const known = inMemory.get(key);
    const name = program?.name ?? map?.name ?? known?.name ?? null;
    return { kind, id, name: name || null, tag: program?.tag ?? known?.tag ?? null, seenBy, notSeenBy };
  });
  return withoutSymbolsOf(objects);
}

/** The symbol of a hidden program is another way to see it, and no object of its own. */
function withoutSymbolsOf(objects: readonly HiddenObject[]): readonly HiddenObject[] {
  const symbols = objects.filter(({ kind }) => kind === "symbol");
  const tags = new Set(objects.flatMap(({ kind, tag }) => (kind === "program" && tag !== null ? [tag] : [])));
  const seen = new Set(symbols.map(({ tag }) => tag));
  return objects
    .filter(({ kind, tag }) => kind !== "symbol" || !tags.has(tag!))
    .map((object) =>
      object.kind === "program" && seen.has(object.tag)
        ? { ...object, seenBy: [...object.seenBy, "symbols" as const] }
        : object,
    );
}
