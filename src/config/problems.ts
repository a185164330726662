import { CountersignError } from "../error.js";

/** Collects the errors in a document, so that all of them are reported at once. */
export class Problems {
  readonly #errors: CountersignError[] = [];

  add(error: CountersignError): void {
    this.#errors.push(error);
  }

  /** What `make` returns. If it throws an error about the document, the error is kept, and the result is undefined. */
  attempt<Result>(make: () => Result): Result | undefined {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      this.add(error);
      return undefined;
    }
  }

  /** Throws one error with all that were kept, each once, in the order of their places. */
  throwAny(): void {
    const distinct = new Map(this.#errors.map((error) => [String(error), error]));
    const [first, ...others] = [...distinct.values()].sort((a, b) => compare(positionOf(a), positionOf(b)));
    if (first !== undefined) throw CountersignError.together([first, ...others]);
  }
}

type Position = readonly [line: number, column: number];

/** The line and column of an error of a document, whose place begins with `file:line:column`. */
function positionOf({ place = "" }: CountersignError): Position {
  const [, line, column] = /:(\d+):(\d+)(?::|$)/.exec(place) ?? [];
  return [Number(line ?? 0), Number(column ?? 0)];
}

function compare([leftLine, leftColumn]: Position, [rightLine, rightColumn]: Position): number {
  return leftLine - rightLine || leftColumn - rightColumn;
}
