import type { Atom, SymbolDomain } from "../shared/atom.js";
import type { Condition } from "./condition.js";
import type { Effort } from "./effort.js";

type NumberAtom = Extract<Atom, { kind: "number" }>;
type Is = NumberAtom["is"] | "!= 0";
type Found = ReadonlyMap<string, number> | "unsatisfiable" | "unknown";

/** A linear term and how it compares with 0. */
interface Constraint {
  readonly constant: bigint;
  readonly of: ReadonlyMap<string, bigint>;
  readonly is: Is;
}

/** The bounds of a symbol; null for none. A symbol of JSON is any double, an integer symbol an integer. */
interface Bounds {
  least: bigint | null;
  most: bigint | null;
  readonly isInteger: boolean;
  readonly excluded: Set<bigint>;
}

/**
 * Finds a number for each symbol, such that all conditions are true. `unsatisfiable` is certain, by arithmetic with
 * BigInt; `unknown` means that neither was found.
 */
export function findNumbers(
  conditions: readonly Condition[],
  domainOf: (name: string) => SymbolDomain | undefined,
  effort: Effort,
): Found {
  const constraints = conditions.flatMap(({ atom, is }) => (atom.kind === "number" ? [constraintOf(atom, is)] : []));
  const bounds = new Map<string, Bounds>();
  for (const name of new Set(constraints.flatMap(({ of }) => [...of.keys()]))) {
    const domain = domainOf(name);
    const isInteger = domain?.kind === "integer";
    const [least, most] = isInteger ? [BigInt(domain.least), BigInt(domain.most)] : [leastOf(domain), null];
    bounds.set(name, { least, most, isInteger, excluded: new Set() });
  }
  for (const constraint of constraints) if (!narrow(constraint, bounds)) return "unsatisfiable";
  for (const its of bounds.values()) if (isEmpty(its)) return "unsatisfiable";
  if (constraints.some((one) => one.of.size > 1) && isRefuted(constraints, bounds)) return "unsatisfiable";
  return search(constraints, bounds, effort) ?? "unknown";
}

function leastOf(domain: SymbolDomain | undefined): bigint | null {
  return domain?.kind === "amount" ? 0n : null;
}

function constraintOf({ term, is }: NumberAtom, isTrue: boolean): Constraint {
  const of = new Map(term.of.map(([coefficient, name]) => [name, BigInt(coefficient)]));
  const constant = BigInt(term.constant);
  if (isTrue) return { constant, of, is };
  if (is === "= 0") return { constant, of, is: "!= 0" };
  // not a < 0: -a <= 0
  const negated = new Map([...of].map(([name, coefficient]) => [name, -coefficient]));
  return { constant: -constant, of: negated, is: is === "< 0" ? "<= 0" : "< 0" };
}

/** Narrows the bounds of the symbol of a constraint with one symbol. False if it cannot hold. */
function narrow({ constant, of, is }: Constraint, bounds: ReadonlyMap<string, Bounds>): boolean {
  if (of.size === 0) return compares(constant, is);
  if (of.size > 1) return true;
  const [[name, coefficient]] = [...of] as [[string, bigint]];
  const its = bounds.get(name)!;
  const isWhole = constant % coefficient === 0n;
  const root = -constant / coefficient;
  if (is === "= 0" || is === "!= 0") {
    if (!isWhole) return is === "!= 0" || !its.isInteger;
    if (is === "!= 0") its.excluded.add(root);
    else {
      its.least = its.least === null || its.least < root ? root : its.least;
      its.most = its.most === null || its.most > root ? root : its.most;
    }
    return true;
  }
  if (!its.isInteger) {
    if (!isWhole) return true;
    // The bound itself may be excluded, and numbers between integers are not
    if (is === "< 0") its.excluded.add(root);
    if (coefficient > 0n) its.most = its.most === null || root < its.most ? root : its.most;
    else its.least = its.least === null || root > its.least ? root : its.least;
    return true;
  }
  if (coefficient > 0n) {
    const most = floorDivide(-constant - (is === "< 0" ? 1n : 0n), coefficient);
    its.most = its.most === null || most < its.most ? most : its.most;
  } else {
    const least = -floorDivide(-constant - (is === "< 0" ? 1n : 0n), -coefficient);
    its.least = its.least === null || least > its.least ? least : its.least;
  }
  return true;
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by !== 0n && value < 0n !== by < 0n ? quotient - 1n : quotient;
}

function compares(value: bigint, is: Is): boolean {
  switch (is) {
    case "= 0":
      return value === 0n;
    case "!= 0":
      return value !== 0n;
    case "< 0":
      return value < 0n;
    case "<= 0":
      return value <= 0n;
  }
}

const FEW = 10_000n;

function isEmpty({ least, most, isInteger, excluded }: Bounds): boolean {
  if (least === null || most === null) return false;
  if (least > most) return true;
  if (least === most) return excluded.has(least);
  if (!isInteger || most - least >= FEW) return false;
  for (let value = least; value <= most; value++) if (!excluded.has(value)) return false;
  return true;
}

/** Fourier–Motzkin elimination over the rationals, without `!= 0`: whether no numbers satisfy all constraints. */
function isRefuted(constraints: readonly Constraint[], bounds: ReadonlyMap<string, Bounds>): boolean {
  type Row = { constant: bigint; of: ReadonlyMap<string, bigint>; isStrict: boolean };
  let rows: Row[] = [];
  for (const { constant, of, is } of constraints) {
    if (is === "!= 0") continue;
    rows.push({ constant, of, isStrict: is === "< 0" });
    if (is === "= 0") rows.push({ constant: -constant, of: scaled(of, -1n), isStrict: false });
  }
  for (const [name, { least, most }] of bounds) {
    if (most !== null) rows.push({ constant: -most, of: new Map([[name, 1n]]), isStrict: false });
    if (least !== null) rows.push({ constant: least, of: new Map([[name, -1n]]), isStrict: false });
  }
  for (const name of bounds.keys()) {
    const [above, below] = [1n, -1n].map((sign) => rows.filter(({ of }) => (of.get(name) ?? 0n) * sign > 0n)) as [
      Row[],
      Row[],
    ];
    const others = rows.filter(({ of }) => !of.has(name) || of.get(name) === 0n);
    if (above.length * below.length > MOST_ROWS) return false;
    for (const one of above)
      for (const other of below) {
        const [a, b] = [-other.of.get(name)!, one.of.get(name)!];
        const of = new Map(scaled(one.of, a));
        for (const [its, coefficient] of other.of) of.set(its, (of.get(its) ?? 0n) + b * coefficient);
        of.delete(name);
        const isStrict = one.isStrict || other.isStrict;
        others.push({ constant: a * one.constant + b * other.constant, of, isStrict });
      }
    rows = others;
    if (rows.length > MOST_ROWS) return false;
  }
  return rows.some(({ constant, isStrict }) => (isStrict ? constant >= 0n : constant > 0n));
}

const MOST_ROWS = 2_000;

function scaled(of: ReadonlyMap<string, bigint>, by: bigint): Map<string, bigint> {
  return new Map([...of].map(([name, coefficient]) => [name, by * coefficient]));
}

/** Tries the bounds, the numbers beside those that are excluded, and the solutions of each constraint. */
function search(constraints: readonly Constraint[], bounds: ReadonlyMap<string, Bounds>, effort: Effort): Found | null {
  const names = [...bounds.keys()];
  const values = new Map<string, bigint>();
  let rounds = 0;
  const choose = (index: number): boolean => {
    if (index === names.length) return constraints.every((one) => compares(termValue(one, values), one.is));
    const name = names[index]!;
    for (const value of tries(name, bounds.get(name)!, constraints, values)) {
      if (++rounds > MOST_ROUNDS || !effort.spend()) return false;
      values.set(name, value);
      if (choose(index + 1)) return true;
    }
    values.delete(name);
    return false;
  };
  if (!choose(0)) return null;
  return new Map([...values].map(([name, value]) => [name, Number(value)]));
}

const MOST_ROUNDS = 20_000;

function termValue({ constant, of }: Constraint, values: ReadonlyMap<string, bigint>): bigint {
  let sum = constant;
  for (const [name, coefficient] of of) sum += coefficient * (values.get(name) ?? 0n);
  return sum;
}

function tries(
  name: string,
  { least, most, excluded }: Bounds,
  constraints: readonly Constraint[],
  values: ReadonlyMap<string, bigint>,
): Iterable<bigint> {
  const found = new Set<bigint>();
  const add = (value: bigint) => {
    if ((least === null || value >= least) && (most === null || value <= most) && !excluded.has(value))
      found.add(value);
  };
  const around = (value: bigint) => {
    for (const by of [0n, 1n, -1n]) add(value + by);
  };
  // The likeliest errno first: they are the documented ones of verifications
  if (least === -4095n) for (const errno of [0n, 61n, 126n, 129n, 128n, 127n, 74n, 65n]) add(-errno);
  around(0n);
  for (const constraint of constraints) {
    const coefficient = constraint.of.get(name);
    if (coefficient === undefined) continue;
    const rest = termValue({ ...constraint, of: new Map([...constraint.of].filter(([its]) => its !== name)) }, values);
    around(-rest / coefficient);
  }
  for (const value of excluded) around(value);
  if (least !== null) around(least);
  if (most !== null) around(most);
  if (least !== null) for (let by = 0n; by < 64n; by++) add(least + by);
  return found;
}
