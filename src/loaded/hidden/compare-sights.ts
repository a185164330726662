import type { Sight } from "./hidden-object.js";

/** What one way saw in a round: keys such as `program:12`, `module:ext4`. */
export type Sights = ReadonlyMap<Sight, ReadonlySet<string>>;

/** An object that was seen each time by a way, and never by another, which should see all objects of its kind. */
export interface Contradiction {
  readonly key: string;
  readonly seenBy: readonly Sight[];
  readonly notSeenBy: readonly Sight[];
}

/** The ways that should see all objects of a kind. */
const COMPLETE: Readonly<Record<string, readonly Sight[]>> = {
  program: ["list", "id", "memory"],
  map: ["list", "id", "memory"],
  link: ["list", "id", "memory"],
  symbol: ["program"],
  function: ["targets"],
  module: ["modules", "sysfs"],
};

export function kindOf(key: string): string {
  return key.slice(0, key.indexOf(":"));
}

/**
 * What rounds of looking agree on. Objects come and go between two looks, so that one look against another proves
 * nothing. An object that a way saw before and after another one looked was there: ids are not given twice.
 *
 * @param wasTried whether a key is among those that the way looked for
 */
export function contradictions(
  rounds: readonly Sights[],
  wasTried: (key: string, by: Sight) => boolean,
): readonly Contradiction[] {
  const [first, ...later] = rounds;
  if (first === undefined) return [];
  const keys = new Set([...first.values()].flatMap((seen) => [...seen]));
  return [...keys].flatMap((key) => {
    const has = (by: Sight) => (round: Sights) => round.get(by)?.has(key) === true;
    const ways = [...first.keys()];
    const seenBy = ways.filter((by) => has(by)(first) && later.every(has(by)));
    const should = COMPLETE[kindOf(key)] ?? [];
    const notSeenBy = should.filter((by) => first.has(by) && wasTried(key, by) && !rounds.some(has(by)));
    return seenBy.length === 0 || notSeenBy.length === 0 ? [] : [{ key, seenBy, notSeenBy }];
  });
}
