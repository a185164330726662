import type { Exploration, Path } from "../explorer/exploration.js";
import type { PathEnd } from "../shared/atom.js";
import type { Formula } from "./formula.js";
import { rowWords } from "./formula-words.js";
import { valueWords } from "./name-words.js";
import { namedRows } from "./named-rows.js";
import type { NamedValue } from "./named-value.js";
import { type SharedCase, withSharedCases } from "./shared-cases.js";
import { tableRows } from "./table-rows.js";

/** A value that stands above a table under a name. */
export interface TableName {
  readonly name: string;
  /** What it stands for, as a policy would write it. */
  readonly is: string;
  /** The first case whose condition holds has its value. */
  readonly cases: NamedValue["cases"];
}

export interface WordedRow {
  /** All of them hold. */
  readonly conditions: readonly string[];
  /** The same conditions; a name stands in them in `⟨⟩`. */
  readonly atoms: readonly Formula[];
  readonly end: PathEnd;
  readonly place: string | null;
}

export interface WordedRows {
  readonly names: readonly TableName[];
  readonly cases: readonly SharedCase[];
  readonly rows: readonly WordedRow[];
  /** The names as they stand in atoms. */
  readonly values: readonly NamedValue[];
}

/** The rows of an exploration in words; `endOf` gives what is known of the end of a path. */
export function wordedRows(exploration: Exploration, endOf: (path: Path) => PathEnd): WordedRows {
  const { knowledge } = exploration;
  const made = tableRows(exploration, endOf);
  const { names: values, rows } = namedRows(made.rows, made.values, knowledge);
  const plain = (text: string) => values.reduce((all, { name }) => all.replaceAll(name, name.slice(1, -1)), text);
  const words = rows.map(({ conditions }) => rowWords(conditions).map(plain));
  const short = withSharedCases(words);
  const ends = JSON.parse(plain(JSON.stringify(rows.map(({ end }) => end)))) as PathEnd[];
  return {
    names: values.map((value) => {
      return { name: value.name.slice(1, -1), is: plain(valueWords(value, knowledge)), cases: value.cases };
    }),
    cases: short.cases,
    rows: rows.map(({ conditions, place }, index) => {
      return { conditions: short.rows[index]!, atoms: conditions, end: ends[index]!, place };
    }),
    values,
  };
}
