import type { Exploration } from "../../src/prove/explorer/exploration.js";
import { RowValues } from "../../src/prove/table/row-values.js";
import { type WordedRows, wordedRows } from "../../src/prove/table/table-words.js";
import type { Input } from "../../src/prove/witness/input.js";
import { SymbolValues } from "../../src/prove/witness/symbol-values.js";

/** The rows that a table of an exploration prints, as a program reads them in JSON. */
export class PrintedRows {
  readonly made: WordedRows;

  constructor(private readonly exploration: Exploration) {
    this.made = JSON.parse(JSON.stringify(wordedRows(exploration, ({ end }) => end)));
  }

  /** What is wrong with the rows for an input: it must be on exactly one, with the end of the path that it is on. */
  flaw(input: Input): string | null {
    const { knowledge, paths } = this.exploration;
    const names = this.made.names.map(({ name, cases }) => ({ name: `⟨${name}⟩`, cases }));
    const values = new RowValues(input, knowledge, names);
    const own = this.made.rows.filter(({ atoms }) => values.satisfy(atoms));
    const [row] = own;
    if (row === undefined || own.length > 1)
      return `it is on ${own.length} rows: ${own.map(({ conditions }) => conditions.join(" and ")).join(" | ")}`;
    const symbols = new SymbolValues(input, knowledge);
    const path = paths.find(({ conditions }) => symbols.satisfy(conditions))!;
    const [found, expected] = [row, path].map(({ end, place }) => JSON.stringify([end.kind, verdictIn(end), place]));
    return found === expected ? null : `its row ends with ${found}, its path with ${expected}`;
  }
}

/** A constant verdict; null for one that a helper gives. */
function verdictIn(end: object): unknown {
  const verdict = "verdict" in end ? end.verdict : null;
  return typeof verdict === "number" ? verdict : null;
}
