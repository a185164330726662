import { type Bounds, type Constraint, compares } from "./constraints.js";

const MOST_VALUES = 300n;
const MOST_COMBINATIONS = 4_096;

/**
 * Whether constraints on symbols with few values, such as bits, cannot all hold, which all combinations show. Symbols
 * that no constraint connects are tried apart from each other.
 */
export function isExhausted(constraints: readonly Constraint[], bounds: ReadonlyMap<string, Bounds>): boolean {
  const isSmall = (name: string) => (countOf(bounds.get(name)!) ?? MOST_VALUES) < MOST_VALUES;
  let open = constraints.filter(({ of }) => of.size > 1 && [...of.keys()].every(isSmall));
  while (open.length > 0) {
    const names = new Set(open[0]!.of.keys());
    for (let before = -1; before !== names.size; ) {
      before = names.size;
      for (const { of } of open)
        if ([...of.keys()].some((name) => names.has(name))) for (const name of of.keys()) names.add(name);
    }
    const own = open.filter(({ of }) => [...of.keys()].some((name) => names.has(name)));
    if (isImpossible(own, [...names], bounds)) return true;
    open = open.filter((one) => !own.includes(one));
  }
  return false;
}

/** How many values an integer can have; null if it has no bounds, or is no integer. */
function countOf({ least, most, isInteger, step }: Bounds): bigint | null {
  return isInteger !== true || least === null || most === null ? null : (most - least) / step + 1n;
}

function isImpossible(
  constraints: readonly Constraint[],
  names: readonly string[],
  bounds: ReadonlyMap<string, Bounds>,
): boolean {
  const combinations = names.reduce((product, name) => product * Number(countOf(bounds.get(name)!)), 1);
  if (combinations > MOST_COMBINATIONS) return false;
  const values = new Map<string, bigint>();
  const isPossible = (index: number): boolean => {
    const name = names[index];
    if (name === undefined)
      return constraints.every(({ constant, of, is }) => {
        let sum = constant;
        for (const [its, by] of of) sum += by * values.get(its)!;
        return compares(sum, is);
      });
    for (const value of valuesOf(bounds.get(name)!)) {
      values.set(name, value);
      if (isPossible(index + 1)) return true;
    }
    return false;
  };
  return !isPossible(0);
}

/** The values of an integer with bounds. */
export function* valuesOf({ least, most, step, excluded }: Bounds): Generator<bigint> {
  // The first multiple of the step from the lower bound on
  const first = -floorDivide(-least!, step) * step;
  for (let value = first; value <= most!; value += step) if (!excluded.has(value)) yield value;
}

export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by !== 0n && value < 0n !== by < 0n ? quotient - 1n : quotient;
}
