import type { Scan } from "../model/scan.js";
import { groupedBy, type ObjectState, objectStates } from "./object-state.js";
import { StateKeys } from "./state-keys.js";

/**
 * A program, map or link that is not as it was: `new`, `gone`, or `moved`, which is attached or pinned elsewhere than
 * before. An object that is gone has no `after`, a new one no `before`.
 */
export interface ScanDifference {
  readonly change: "new" | "moved" | "gone";
  readonly before: ObjectState | null;
  readonly after: ObjectState | null;
}

export interface ScanComparison {
  /** Whether both scans are of one boot of one machine. */
  readonly isSameBoot: boolean;
  /** What is new, then what has moved, then what is gone. */
  readonly differences: readonly ScanDifference[];
}

/**
 * What two scans have differently. Objects are matched by their ids if both scans are of one boot, and else by what
 * they are: type, name, tag, sizes, and for a link its target.
 */
export function compareScans(before: Scan, after: Scan): ScanComparison {
  const isSameBoot = before.bootId !== null && before.bootId === after.bootId;
  const [old, now] = [new StateKeys(before, isSameBoot), new StateKeys(after, isSameBoot)];
  const left = new Map(
    [...groupedBy(objectStates(before), (state) => old.identity(state))].map(([key, states]) => [key, [...states]]),
  );
  const unmatched = takeMatches(objectStates(after), left, now, (state, candidates) => {
    const place = now.place(state);
    return candidates.findIndex((candidate) => old.place(candidate) === place);
  }).rest;
  const { pairs, rest } = takeMatches(unmatched, left, now, () => 0);
  return {
    isSameBoot,
    differences: [
      ...rest.map((state) => ({ change: "new", before: null, after: state }) as const),
      ...pairs.map(([was, is]) => ({ change: "moved", before: was, after: is }) as const),
      ...[...left.values()].flat().map((state) => ({ change: "gone", before: state, after: null }) as const),
    ],
  };
}

/** Takes for each state one of those that are left with its identity: that of an index, if it is not negative. */
function takeMatches(
  states: readonly ObjectState[],
  left: ReadonlyMap<string, ObjectState[]>,
  keys: StateKeys,
  indexOf: (state: ObjectState, candidates: readonly ObjectState[]) => number,
) {
  const pairs: (readonly [was: ObjectState, is: ObjectState])[] = [];
  const rest: ObjectState[] = [];
  for (const state of states) {
    const candidates = left.get(keys.identity(state)) ?? [];
    const index = candidates.length === 0 ? -1 : indexOf(state, candidates);
    const [was] = index < 0 ? [] : candidates.splice(index, 1);
    if (was === undefined) rest.push(state);
    else pairs.push([was, state]);
  }
  return { pairs, rest };
}
