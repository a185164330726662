import { type Bounds, type Constraint, scaled } from "./constraints.js";

interface Row {
  readonly constant: bigint;
  readonly of: ReadonlyMap<string, bigint>;
  readonly isStrict: boolean;
}

const MOST_ROWS = 2_000;

/** Fourier–Motzkin elimination over the rationals, without `!= 0`: whether no numbers satisfy all constraints. */
export function isRefuted(constraints: readonly Constraint[], bounds: ReadonlyMap<string, Bounds>): boolean {
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
        const of = scaled(one.of, a);
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
