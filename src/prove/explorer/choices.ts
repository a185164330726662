import type { Atom } from "../shared/atom.js";
import type { Condition } from "../solver/condition.js";

export interface Choice extends Condition {
  /** Whether the other value is impossible, so that the condition follows from those before it. */
  readonly isForced: boolean;
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
    this.#values.set(JSON.stringify(choice.atom), choice.is);
  }

  valueOf(atom: Atom): boolean | undefined {
    return this.#values.get(JSON.stringify(atom));
  }
}

/** The conditions that do not follow from those before them. */
export function essential(choices: readonly Choice[]): readonly Condition[] {
  return choices.filter(({ isForced }) => !isForced).map(({ atom, is }) => ({ atom, is }));
}
