import type { ElementCase, FoldedOrigin } from "../shared/atom.js";

/** Names of symbols that stand for elements of lists and for numbers of them: the same one for the same cases. */
export class SymbolNames {
  readonly #names = new Map<string, string>();
  readonly #taken = new Map<string, number>();

  /** The first element of a list that is in one of some cases: `prog.maps[first]`, `prog.maps[first 2]`. */
  first(list: string, where: readonly ElementCase[]): string {
    return this.#name(`${list}[first`, where);
  }

  /** The number of elements of a list that are in one of some cases: `prog.maps[count]`. */
  count(list: string, where: readonly ElementCase[]): string {
    return this.#name(`${list}[count`, where);
  }

  /** The number of values that are in an array: `values[count]`. */
  there(values: readonly (readonly ElementCase[])[]): string {
    return this.#name("values[count", values);
  }

  /** What a loop adds up for some elements of a list: `prog.maps[total]`. */
  total({ list, initial, cases }: FoldedOrigin): string {
    return this.#name(`${list}[total`, [initial, cases]);
  }

  #name(beginning: string, where: readonly unknown[]): string {
    const key = JSON.stringify([beginning, where]);
    let name = this.#names.get(key);
    if (name === undefined) {
      const number = (this.#taken.get(beginning) ?? 0) + 1;
      this.#taken.set(beginning, number);
      name = `${beginning}${number === 1 ? "" : ` ${number}`}]`;
      this.#names.set(key, name);
    }
    return name;
  }
}
