import type { TextMeasure, TextStep } from "../shared/text-step.js";
import { type CodeUnits, SPACES } from "./regular-expression.js";

/** What an automaton knows after a part of a text: the same number for what it does not tell apart. */
export interface Reached {
  readonly number: number;
  readonly accepts: boolean;
}

/** A deterministic automaton over UTF-16 code units. */
export interface TextAutomaton {
  /** Code units that it tells apart, as ranges. */
  readonly units: CodeUnits;
  begin(): Reached;
  step(reached: Reached, unit: number): Reached;
}

/** A machine: `key` is the same text for states that it does not tell apart. */
interface Machine<S> {
  readonly units: CodeUnits;
  readonly first: S;
  next(state: S, unit: number): S;
  accepts(state: S): boolean;
  key(state: S): string;
}

const MOST_STATES = 20_000;

class Known<S> implements Reached {
  readonly after = new Map<number, Known<S>>();
  constructor(
    readonly state: S,
    readonly number: number,
    readonly accepts: boolean,
  ) {}
}

/** Numbers the states of a machine. Throws RangeError if there are too many. */
class MachineAutomaton<S> implements TextAutomaton {
  readonly #known = new Map<string, Known<S>>();

  constructor(private readonly machine: Machine<S>) {}

  get units(): CodeUnits {
    return this.machine.units;
  }

  begin(): Known<S> {
    return this.#intern(this.machine.first);
  }

  step(reached: Reached, unit: number): Reached {
    const known = reached as Known<S>;
    let next = known.after.get(unit);
    if (next === undefined) {
      next = this.#intern(this.machine.next(known.state, unit));
      known.after.set(unit, next);
    }
    return next;
  }

  #intern(state: S): Known<S> {
    const key = this.machine.key(state);
    let its = this.#known.get(key);
    if (its === undefined) {
      if (this.#known.size >= MOST_STATES) throw new RangeError("the automaton is too large");
      its = new Known(state, this.#known.size, this.machine.accepts(state));
      this.#known.set(key, its);
    }
    return its;
  }
}

/** The texts of which a part, by a step, is accepted by an automaton. */
export function wholesOf(its: TextStep, part: TextAutomaton): TextAutomaton {
  switch (its.step) {
    case "trim":
      return wholesOf({ step: "trimStart" }, wholesOf({ step: "trimEnd" }, part));
    case "trimStart":
      return afterSpaces(part);
    case "trimEnd":
      return beforeSpaces(part);
    case "toLowerCase":
    case "toUpperCase":
      return changedCase(its.step, part);
    case "slice":
      return between(its.from, its.to ?? Infinity, part);
    case "last":
      return lastUnits(its.count, part);
    case "without last":
      return withoutLast(its.count, part);
    case "before first":
    case "after first":
      return atFirst(its.unit.charCodeAt(0), its.step === "before first", part);
    case "after last":
      return afterLast(its.unit.charCodeAt(0), part);
    case "before last":
      return beforeLast(its.unit.charCodeAt(0), part);
  }
}

function isSpace(unit: number): boolean {
  return SPACES.some(([from, to]) => unit >= from && unit <= to);
}

function oneUnit(unit: number): CodeUnits {
  return [[unit, unit]];
}

function afterSpaces(part: TextAutomaton): TextAutomaton {
  return new MachineAutomaton<{ readonly at: Reached; readonly hasBegun: boolean }>({
    units: [...part.units, ...SPACES],
    first: { at: part.begin(), hasBegun: false },
    next: ({ at, hasBegun }, unit) => {
      return !hasBegun && isSpace(unit) ? { at, hasBegun } : { at: part.step(at, unit), hasBegun: true };
    },
    accepts: ({ at }) => at.accepts,
    key: ({ at, hasBegun }) => `${at.number} ${hasBegun}`,
  });
}

function beforeSpaces(part: TextAutomaton): TextAutomaton {
  return new MachineAutomaton<{ readonly at: Reached; readonly end: Reached }>({
    units: [...part.units, ...SPACES],
    first: { at: part.begin(), end: part.begin() },
    next({ at, end }, unit) {
      const next = part.step(at, unit);
      return { at: next, end: isSpace(unit) ? end : next };
    },
    accepts: ({ end }) => end.accepts,
    key: ({ at, end }) => `${at.number} ${end.number}`,
  });
}

function between(from: number, to: number, part: TextAutomaton): TextAutomaton {
  const most = to === Infinity ? from : Math.max(from, to);
  return new MachineAutomaton<{ readonly at: Reached; readonly read: number }>({
    units: part.units,
    first: { at: part.begin(), read: 0 },
    next: ({ at, read }, unit) => ({
      at: read >= from && read < to ? part.step(at, unit) : at,
      read: Math.min(read + 1, to === Infinity ? from : most),
    }),
    accepts: ({ at }) => at.accepts,
    key: ({ at, read }) => `${at.number} ${read}`,
  });
}

/** What each of the last places of a text would have reached, the latest one first, if the part began there. */
function lastUnits(count: number, part: TextAutomaton): TextAutomaton {
  return new MachineAutomaton<readonly Reached[]>({
    units: part.units,
    first: [part.begin()],
    next: (runs, unit) => [part.begin(), ...runs.slice(0, count).map((one) => part.step(one, unit))],
    accepts: (runs) => runs.at(-1)!.accepts,
    key: (runs) => runs.map(({ number }) => number).join(),
  });
}

/** What was reached before each of the last units, the latest one first. */
function withoutLast(count: number, part: TextAutomaton): TextAutomaton {
  return new MachineAutomaton<readonly Reached[]>({
    units: part.units,
    first: [part.begin()],
    next: (before, unit) => [part.step(before[0]!, unit), ...before.slice(0, count)],
    // A text that has fewer units has an empty part, as at the beginning
    accepts: (before) => before.at(-1)!.accepts,
    key: (before) => before.map(({ number }) => number).join(),
  });
}

/** What each code unit becomes by itself, for those that change; surrogates do not. */
const CHANGED = {
  toLowerCase: changedUnits("toLowerCase"),
  toUpperCase: changedUnits("toUpperCase"),
} as const;

function changedUnits(step: "toLowerCase" | "toUpperCase"): ReadonlyMap<number, readonly number[]> {
  const changed = new Map<number, readonly number[]>();
  for (let unit = 0; unit <= 0xffff; unit++) {
    const text = String.fromCharCode(unit);
    const its = text[step]();
    if (its !== text)
      changed.set(
        unit,
        Array.from({ length: its.length }, (_, index) => its.charCodeAt(index)),
      );
  }
  return changed;
}

const FINAL_SIGMA = 0x3c2;

/**
 * Throws RangeError if the part depends on more than one unit at a time: it tells surrogates apart, of which a pair
 * becomes another one, or the forms of sigma, which depend on the letters around them.
 */
function changedCase(step: "toLowerCase" | "toUpperCase", part: TextAutomaton): TextAutomaton {
  const begins = [...new Set(part.units.flatMap(([from, to]) => [from, to + 1]))].sort((a, b) => a - b);
  if (begins.some((its) => (its > 0xd800 && its <= 0xdfff) || (step === "toLowerCase" && its === FINAL_SIGMA + 1)))
    throw new RangeError("the automaton depends on more than one code unit");
  const changed = CHANGED[step];
  const classOf = (unit: number) => begins.findLastIndex((its) => its <= unit);
  const different = [...changed].filter(([unit, its]) => its.length !== 1 || classOf(unit) !== classOf(its[0]!));
  return new MachineAutomaton<Reached>({
    units: [...part.units, ...different.flatMap(([unit]) => oneUnit(unit))],
    first: part.begin(),
    next: (at, unit) => (changed.get(unit) ?? [unit]).reduce((reached, one) => part.step(reached, one), at),
    accepts: ({ accepts }) => accepts,
    key: ({ number }) => String(number),
  });
}

function atFirst(unit: number, isBefore: boolean, part: TextAutomaton): TextAutomaton {
  return new MachineAutomaton<{ readonly at: Reached; readonly wasRead: boolean }>({
    units: [...part.units, ...oneUnit(unit)],
    first: { at: part.begin(), wasRead: false },
    next({ at, wasRead }, its) {
      if (its === unit && !wasRead) return { at: isBefore ? at : part.begin(), wasRead: true };
      return { at: wasRead && isBefore ? at : part.step(at, its), wasRead };
    },
    accepts: ({ at }) => at.accepts,
    key: ({ at, wasRead }) => `${at.number} ${wasRead}`,
  });
}

function afterLast(unit: number, part: TextAutomaton): TextAutomaton {
  return new MachineAutomaton<Reached>({
    units: [...part.units, ...oneUnit(unit)],
    first: part.begin(),
    next: (at, its) => (its === unit ? part.begin() : part.step(at, its)),
    accepts: ({ accepts }) => accepts,
    key: ({ number }) => String(number),
  });
}

function beforeLast(unit: number, part: TextAutomaton): TextAutomaton {
  return new MachineAutomaton<{ readonly at: Reached; readonly end: Reached; readonly wasRead: boolean }>({
    units: [...part.units, ...oneUnit(unit)],
    first: { at: part.begin(), end: part.begin(), wasRead: false },
    next: ({ at, end, wasRead }, its) => ({
      at: part.step(at, its),
      end: its === unit || !wasRead ? at : end,
      wasRead: wasRead || its === unit,
    }),
    accepts: ({ end }) => end.accepts,
    key: ({ at, end, wasRead }) => `${at.number} ${end.number} ${wasRead}`,
  });
}

/** The texts whose measure is right; from `most` on, all measures are alike. */
export function measured(its: TextMeasure, most: number, isRight: (measure: number) => boolean): TextAutomaton {
  const unit = its.measure === "length" ? null : its.unit.charCodeAt(0);
  const up = (count: number) => Math.min(count + 1, most);
  return new MachineAutomaton<{ readonly read: number; readonly found: number }>({
    units: unit === null ? [] : oneUnit(unit),
    first: { read: 0, found: unit === null || its.measure === "count" ? 0 : -1 },
    next({ read, found }, one) {
      if (unit === null) return { read: 0, found: up(found) };
      if (its.measure === "count") return { read: 0, found: one === unit ? up(found) : found };
      const isFound = one === unit && (its.measure === "lastIndexOf" || found === -1);
      return { read: up(read), found: isFound ? read : found };
    },
    accepts: ({ found }) => isRight(found),
    key: ({ read, found }) => `${read} ${found}`,
  });
}
