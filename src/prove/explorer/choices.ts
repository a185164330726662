import type { Atom } from "../shared/atom.js";
import { type Condition, keyOf } from "../solver/condition.js";
import { type Answer, type Knowledge, solve } from "../solver/solver.js";

export interface Choice extends Condition {
  /** Whether the other value is impossible, so that the condition follows from those before it. */
  readonly isForced: boolean;
  /** The number of the place where the policy first asked for it; see `RewrittenPolicy.placeOf`. */
  readonly place: number;
  /** The solver's answer to this choice and those before it. */
  readonly answer: Answer;
  /** How many symbols and origins the solver knew then: if there are more now, `answer` may be outdated. */
  readonly known: number;
}

/** The conditions of a path in the order in which they were chosen, and their values. */
export class Choices {
  readonly taken: Choice[] = [];
  /** The choices of paths that begin in the same way and have another value at the end. */
  readonly others: (readonly Choice[])[] = [];
  readonly #values = new Map<string, boolean>();

  constructor(taken: readonly Choice[]) {
    for (const choice of taken) this.take(choice);
  }

  take(choice: Choice): void {
    this.taken.push(choice);
    this.#values.set(keyOf(choice.atom), choice.is);
  }

  valueOf(atom: Atom): boolean | undefined {
    return this.#values.get(keyOf(atom));
  }

  /** The conditions as JSON, with their values. */
  get values(): readonly (readonly [atom: string, is: boolean])[] {
    return [...this.#values];
  }
}

/** The conditions that do not follow from those before them. */
export function essential(choices: readonly Choice[]): readonly Condition[] {
  return choices.filter(({ isForced }) => !isForced).map(({ atom, is }) => ({ atom, is }));
}

/** The values that a condition can have after others: one or both. */
export function possibleChoices(
  atom: Atom,
  place: number,
  before: readonly Choice[],
  knowledge: Knowledge,
): readonly Choice[] {
  const known = amountOf(knowledge);
  const both = [true, false].map((is) => {
    return { atom, is, place, answer: solve([...before, { atom, is }], knowledge), known };
  });
  const possible = both.filter(({ answer }) => answer !== "unsatisfiable");
  // The conditions before it are impossible, which was not found out: the path ends without an example
  if (possible.length === 0) return [{ ...both[1]!, isForced: false }];
  return possible.map((one) => ({ ...one, isForced: possible.length === 1 }));
}

/** Values for which all choices of a path hold. */
export function exampleOf(taken: readonly Choice[], knowledge: Knowledge): Answer {
  const last = taken.at(-1);
  // What is known only grows, and the answer can depend on all of it
  return last !== undefined && last.known === amountOf(knowledge) ? last.answer : solve(taken, knowledge);
}

function amountOf({ symbols, origins }: Knowledge): number {
  return symbols.size + origins.size;
}
