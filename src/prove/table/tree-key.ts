import { type ConditionTree, isQuestion } from "./condition-tree.js";
import type { Formula } from "./formula.js";

/** Numbers of trees: equal trees have the same number. */
export class TreeKeys {
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<object, number>();
  readonly #sizes = new WeakMap<ConditionTree, number>();

  of(tree: ConditionTree): number {
    let number = this.#known.get(tree);
    if (number === undefined) {
      number = isQuestion(tree)
        ? this.ofQuestion(tree.if, this.of(tree.yes), this.of(tree.no))
        : this.#numberOf(JSON.stringify(tree));
      this.#known.set(tree, number);
    }
    return number;
  }

  /** The number of the tree that asks a question, by the numbers of what follows it. */
  ofQuestion(its: Formula, yes: number, no: number): number {
    let question = this.#known.get(its);
    if (question === undefined) {
      question = this.#numberOf(JSON.stringify(its));
      this.#known.set(its, question);
    }
    return this.#numberOf(`${question} ${yes} ${no}`);
  }

  /** How many ends a tree has. */
  sizeOf(tree: ConditionTree): number {
    let size = this.#sizes.get(tree);
    if (size === undefined) {
      size = isQuestion(tree) ? this.sizeOf(tree.yes) + this.sizeOf(tree.no) : 1;
      this.#sizes.set(tree, size);
    }
    return size;
  }

  #numberOf(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(text, number);
    }
    return number;
  }
}
