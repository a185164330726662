import type { Condition, Path } from "../check/path.js";
import { isRefuted, type Row, rowOf } from "../check/refutation.js";
import { plus, type Sum } from "../check/value.js";
import type { FarkasRow, Refutation } from "../shared/certificate.js";

/** The most conditions that are split one after the other. */
const MOST_SPLITS = 2;
/** The most rows of an elimination. */
const MOST_ROWS = 500;

/** Finds out why conditions cannot all hold, in the form that the checker verifies; null if no reason is found. */
export function findRefutation(conditions: readonly Condition[], path: Path, splits = MOST_SPLITS): Refutation | null {
  for (const refutation of simple(conditions, path)) if (isRefuted(refutation, conditions, path)) return refutation;
  if (splits === 0) return null;
  for (const [index, { atom, is }] of conditions.entries()) {
    if (atom.kind !== "number" || atom.is !== "= 0" || is) continue;
    const below: Condition = { atom: { ...atom, is: "< 0" }, is: true };
    const above: Condition = { atom: { ...atom, is: "<= 0" }, is: false };
    const first = findRefutation([...conditions, below], path, splits - 1);
    const second = first && findRefutation([...conditions, above], path, splits - 1);
    if (first !== null && second !== null) return { split: index, below: first, above: second };
  }
  return null;
}

function* simple(conditions: readonly Condition[], path: Path): Generator<Refutation> {
  for (const first of conditions.keys())
    for (const second of conditions.keys()) if (first !== second) yield { clash: [first, second] };
  for (const index of conditions.keys()) yield { domain: index };
  const lists = [...conditions.keys()].filter((index) => conditions[index]!.atom.kind === "some");
  for (const element of lists) yield { element };
  for (const none of lists) for (const first of lists) yield { none: [none, first] };
  for (const values of path.symbols.domains.keys()) yield { values };
  for (const key of path.symbols.places.keys()) yield { key };
  yield { set: propagated(conditions, path) };
  const rows = farkas(conditions, path);
  if (rows !== null) yield { farkas: rows };
}

/** The constraints between facts, in the order in which each fixes one more fact. */
function propagated(conditions: readonly Condition[], path: Path): readonly number[] {
  const { argument, clauses } = path.declarations;
  const flags = new Map<string, boolean>();
  const texts = new Map<string, string>();
  for (const { atom, is } of conditions) {
    if (atom.kind === "flag") flags.set(atom.of, is);
    if (atom.kind === "equals" && is) texts.set(atom.of, atom.text);
  }
  const used: number[] = [];
  for (let before = -1; before !== used.length; ) {
    before = used.length;
    for (const [number, { any }] of clauses.entries()) {
      if (used.includes(number)) continue;
      const open = any.filter((literal) => {
        const name = `${argument}.${literal.fact}`;
        if ("is" in literal) return flags.get(name) !== !literal.is;
        const text = texts.get(name);
        return text === undefined || literal.of.includes(text) === literal.among;
      });
      const [only] = open;
      if (only === undefined) return [...used, number];
      const name = `${argument}.${only.fact}`;
      if (open.length > 1 || !("is" in only) || flags.get(name) === only.is) continue;
      flags.set(name, only.is);
      used.push(number);
    }
  }
  return [];
}

/** A row with the multiples of the given rows that it is the sum of. */
interface Combined {
  readonly sum: Sum;
  readonly isStrict: boolean;
  readonly times: ReadonlyMap<number, bigint>;
}

/** Fourier–Motzkin elimination, which keeps how each row was made. */
function farkas(conditions: readonly Condition[], path: Path): readonly FarkasRow[] | null {
  const given: { readonly row: Row; readonly as: (times: string) => FarkasRow }[] = [];
  const { domains } = path.symbols;
  for (const [condition, one] of conditions.entries()) {
    const row = rowOf(one, domains);
    if (row !== null) given.push({ row, as: (times) => ({ times, condition }) });
  }
  const names = new Set(given.flatMap(({ row }) => [...row.sum.of.keys()]));
  for (const symbol of names) {
    const domain = domains.get(symbol);
    if (domain === undefined || domain.kind === "text") continue;
    const { least, most } = domain;
    const bound = (by: bigint, constant: bigint): Row => ({
      sum: { constant, of: new Map([[symbol, by]]) },
      is: "<= 0",
    });
    if (least !== null)
      given.push({ row: bound(-1n, least), as: (times) => ({ times, symbol, least: String(least) }) });
    if (most !== null) given.push({ row: bound(1n, -most), as: (times) => ({ times, symbol, most: String(most) }) });
  }
  let rows = given.flatMap(({ row: { sum, is } }, index): Combined[] => {
    const isStrict = is === "< 0";
    const positive = { sum, isStrict, times: new Map([[index, 1n]]) };
    if (is !== "= 0") return [positive];
    const negative = plus({ constant: 0n, of: new Map() }, sum, -1n);
    return [positive, { sum: negative, isStrict, times: new Map([[index, -1n]]) }];
  });
  for (const name of names) {
    rows = eliminated(rows, name);
    if (rows.length > MOST_ROWS) return null;
  }
  const found = rows.find(({ sum, isStrict }) => (isStrict ? sum.constant >= 0n : sum.constant > 0n));
  if (found === undefined) return null;
  return [...found.times].filter(([, times]) => times !== 0n).map(([index, times]) => given[index]!.as(String(times)));
}

function eliminated(rows: readonly Combined[], name: string): Combined[] {
  const signed = (sign: bigint) => rows.filter(({ sum }) => (sum.of.get(name) ?? 0n) * sign > 0n);
  const left = rows.filter(({ sum }) => !sum.of.has(name));
  for (const one of signed(1n))
    for (const other of signed(-1n)) {
      const [a, b] = [-other.sum.of.get(name)!, one.sum.of.get(name)!];
      const scaled = plus({ constant: 0n, of: new Map() }, one.sum, a);
      const times = new Map([...one.times].map(([index, by]) => [index, a * by]));
      for (const [index, by] of other.times) times.set(index, (times.get(index) ?? 0n) + b * by);
      left.push({ sum: plus(scaled, other.sum, b), isStrict: one.isStrict || other.isStrict, times });
    }
  return left;
}
