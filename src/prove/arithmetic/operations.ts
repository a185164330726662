import { type Range, rounded, spanOf } from "./range.js";

/** An operand whose value may be known. */
export interface Operand {
  readonly range: Range;
  /** Null if it is not known. */
  readonly constant: number | null;
}

/** An operation on finite numbers. */
export interface Operation {
  /** As JavaScript computes it (ECMA-262, 6.1.6.1): on finite numbers, all engines have the same results. */
  readonly value: (one: number, other: number) => number;
  /** All results are in this range; null if that is not known, or one may be no finite number. */
  readonly range: (one: Operand, other: Operand) => Range | null;
  /** How many operands it has. */
  readonly takes: 1 | 2;
}

const INT32: Range = { least: -(2n ** 31n), most: 2n ** 31n - 1n, isInteger: true };
const UINT32 = 2n ** 32n - 1n;

function binary(value: Operation["value"], range: (one: Operand, other: Operand) => Range | null): Operation {
  return { value, range, takes: 2 };
}

/** A function that keeps the order of numbers, and each integer: its results are between the same integers. */
function toInteger(value: (one: number) => number): Operation {
  return { value, range: ({ range }) => ({ ...range, isInteger: true }), takes: 1 };
}

function ofBits(value: Operation["value"]): Operation {
  return binary(value, () => INT32);
}

function masked({ constant }: Operand, { constant: other }: Operand): Range {
  const mask = constant ?? other;
  if (mask === null || (mask | 0) < 0) return INT32;
  return { least: 0n, most: BigInt(mask | 0), isInteger: true };
}

function quotient({ range }: Operand, { constant }: Operand): Range | null {
  if (constant === null || !Number.isInteger(constant) || constant === 0) return null;
  const by = BigInt(constant);
  const ends = [range.least, range.most].flatMap((end) => [end / by - 1n, end / by + 1n]);
  return rounded(spanOf(ends, false));
}

/** The remainder has the sign of the first operand, and is exact. */
function remainder({ range: { least, most, isInteger } }: Operand, { constant }: Operand): Range | null {
  if (constant === null || !Number.isInteger(constant) || constant === 0) return null;
  const below = BigInt(Math.abs(constant)) - (isInteger ? 1n : 0n);
  return {
    least: least >= 0n ? 0n : least > -below ? least : -below,
    most: most <= 0n ? 0n : most < below ? most : below,
    isInteger,
  };
}

function shifted({ range }: Operand, { constant }: Operand): Range | null {
  if (constant === null) return null;
  const by = BigInt(constant & 31);
  return {
    least: 0n,
    most: range.least >= 0n && range.most <= UINT32 ? range.most >> by : UINT32 >> by,
    isInteger: true,
  };
}

const PLUS = binary(
  (one, other) => one + other,
  ({ range: a }, { range: b }) =>
    rounded({ least: a.least + b.least, most: a.most + b.most, isInteger: a.isInteger && b.isInteger }),
);
const MINUS = binary(
  (one, other) => one - other,
  ({ range: a }, { range: b }) =>
    rounded({ least: a.least - b.most, most: a.most - b.least, isInteger: a.isInteger && b.isInteger }),
);
const TIMES = binary(
  (one, other) => one * other,
  ({ range: a }, { range: b }) => {
    const ends = [a.least * b.least, a.least * b.most, a.most * b.least, a.most * b.most];
    return rounded(spanOf(ends, a.isInteger && b.isInteger));
  },
);

/** Operations on numbers that are not known, by how a policy writes them. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  "+": PLUS,
  "-": MINUS,
  "*": TIMES,
  "/": binary((one, other) => one / other, quotient),
  "%": binary((one, other) => one % other, remainder),
  "&": binary((one, other) => one & other, masked),
  "|": ofBits((one, other) => one | other),
  "^": ofBits((one, other) => one ^ other),
  "<<": ofBits((one, other) => one << other),
  ">>": ofBits((one, other) => one >> other),
  ">>>": binary((one, other) => one >>> other, shifted),
  "Math.floor": toInteger(Math.floor),
  "Math.ceil": toInteger(Math.ceil),
  "Math.trunc": toInteger(Math.trunc),
  "Math.round": toInteger(Math.round),
  "Math.abs": {
    value: Math.abs,
    range: ({ range: { least, most, isInteger } }) => {
      const ends = spanOf([least < 0n ? -least : least, most < 0n ? -most : most], isInteger);
      return least <= 0n && most >= 0n ? { ...ends, least: 0n } : ends;
    },
    takes: 1,
  },
  "Math.max": binary(Math.max, ({ range: a }, { range: b }) => ({
    least: spanOf([a.least, b.least], true).most,
    most: spanOf([a.most, b.most], true).most,
    isInteger: a.isInteger && b.isInteger,
  })),
  "Math.min": binary(Math.min, ({ range: a }, { range: b }) => ({
    least: spanOf([a.least, b.least], true).least,
    most: spanOf([a.most, b.most], true).least,
    isInteger: a.isInteger && b.isInteger,
  })),
};
