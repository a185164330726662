import type { Origin } from "../shared/atom.js";
import { namesIn } from "../solver/element-conditions.js";
import type { Knowledge } from "../solver/solver.js";
import { ALWAYS, type Formula } from "./formula.js";
import { type ChosenValue, type NamedValue, quoted } from "./named-value.js";
import type { TableRow } from "./table-rows.js";

/** Rows whose conditions name the values above the table. */
export interface NamedRows {
  /** Each after those that its cases name. A name stands in conditions in `⟨⟩`. */
  readonly names: readonly NamedValue[];
  readonly rows: readonly TableRow[];
}

/** A name for each look-up and each long expression that stands in several rows, and a noun for each name. */
export function namedRows(
  rows: readonly TableRow[],
  values: readonly NamedValue[],
  { origins }: Pick<Knowledge, "origins">,
): NamedRows {
  let named = withoutAbsent({ names: usedIn(rows, values), rows });
  for (const name of [...origins.keys()].sort((one, other) => one.length - other.length))
    if (origins.get(name)!.kind === "lookup" || name.length > LONG) named = withName(named, name);
  const expressions = new Set(named.rows.flatMap(({ conditions }) => conditions.flatMap(expressionsIn)));
  for (const name of expressions) named = withName(named, name);
  return withNouns(named, origins);
}

/** In characters. */
const LONG = 40;

function usedIn(rows: readonly TableRow[], values: readonly NamedValue[]): readonly NamedValue[] {
  const used: NamedValue[] = [];
  for (const value of [...values].reverse()) if (JSON.stringify([rows, used]).includes(value.name)) used.unshift(value);
  return used;
}

/** A value that is written as `undefined` if it is absent needs no name. */
function withoutAbsent({ names, rows }: NamedRows): NamedRows {
  let text = JSON.stringify(rows);
  const left = names.filter(({ name, cases }) => {
    const [first, other] = cases.map(({ value }) => value);
    if (!isUndefined(first) || other === undefined || !("symbol" in other)) return true;
    text = text.replaceAll(name, quoted(other.symbol));
    return false;
  });
  return { names: left, rows: JSON.parse(text) as TableRow[] };
}

function isUndefined(value: ChosenValue | undefined): boolean {
  return value !== undefined && "constant" in value && value.constant === "undefined";
}

/** The names of long expressions with numbers. */
function expressionsIn(formula: Formula): readonly string[] {
  if ("all" in formula) return formula.all.flatMap(expressionsIn);
  if ("any" in formula) return formula.any.flatMap(expressionsIn);
  const { atom } = formula;
  return atom.kind === "number" ? namesIn(atom).filter((name) => name.length > LONG && name.endsWith(")")) : [];
}

/** Names a symbol by another name if it stands in several rows. */
function withName({ names, rows }: NamedRows, symbol: string): NamedRows {
  const key = quoted(symbol);
  const texts = rows.map((row) => JSON.stringify(row));
  if (texts.filter((text) => text.includes(key)).length < 2) return { names, rows };
  const name = `⟨${names.length + 1} ${symbol.length}⟩`;
  const renamed = texts.map((text) => JSON.parse(text.replaceAll(key, name)) as TableRow);
  return { names: [...names, { name, cases: [{ if: ALWAYS, value: { symbol } }] }], rows: renamed };
}

/** What the values of helpers are called; a look-up has the name of its map. */
const NOUNS: Readonly<Partial<Record<Origin["kind"], string>>> = {
  verify_program: "verification",
  verify_signature: "verification",
  signer_of: "signer",
  signer_of_program: "signer",
  statement_of: "statement",
  hash: "hash",
  folded: "total",
};

function withNouns({ names, rows }: NamedRows, origins: Knowledge["origins"]): NamedRows {
  const taken = new Map<string, number>();
  let text = JSON.stringify({ names, rows });
  for (const value of names) {
    const noun = nounOf(value, names, origins);
    const number = (taken.get(noun) ?? 0) + 1;
    taken.set(noun, number);
    text = text.replaceAll(value.name, `⟨${number === 1 ? noun : `${noun}_${number}`}⟩`);
  }
  return JSON.parse(text) as NamedRows;
}

function nounOf({ cases }: NamedValue, names: readonly NamedValue[], origins: Knowledge["origins"]): string {
  const { value } = cases.at(-1)!;
  if (!("symbol" in value)) return "value";
  const other = names.find(({ name }) => name === value.symbol);
  if (other !== undefined) return nounOf(other, names, origins);
  const origin = origins.get(value.symbol);
  if (origin?.kind === "lookup") {
    const [key] = origin.key.length === 1 ? origin.key : [];
    return typeof key === "string" && /^[A-Za-z_]\w*$/.test(key) ? `${origin.map}.${key}` : origin.map;
  }
  if (origin !== undefined) return NOUNS[origin.kind] ?? "value";
  return /\["([A-Za-z_]\w*)"\]$/.exec(value.symbol)?.[1] ?? (value.symbol.includes(".reduce(") ? "total" : "value");
}
