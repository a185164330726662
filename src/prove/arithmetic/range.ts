/** Numbers from `least` to `most`; with `isInteger` only integers. The bounds need not be numbers of JavaScript. */
export interface Range {
  readonly least: bigint;
  readonly most: bigint;
  readonly isInteger: boolean;
}

const LARGEST = BigInt(Number.MAX_VALUE);

/** All finite numbers. */
export const ANY_NUMBER: Range = { least: -LARGEST, most: LARGEST, isInteger: false };

/** Whether all integers of a range are represented exactly, with all smaller ones. */
export function isSafe({ least, most, isInteger }: Range): boolean {
  return isInteger && least >= -BigInt(Number.MAX_SAFE_INTEGER) && most <= BigInt(Number.MAX_SAFE_INTEGER);
}

/**
 * The range of exact results after they are rounded to doubles, which keeps their order. Null if a result may be too
 * large for a double.
 */
export function rounded({ least, most, isInteger }: Range): Range | null {
  const [low, high] = [Number(least), Number(most)];
  return Number.isFinite(low) && Number.isFinite(high) ? { least: BigInt(low), most: BigInt(high), isInteger } : null;
}

/** The range of all of some numbers. */
export function spanOf(values: readonly bigint[], isInteger: boolean): Range {
  let [least, most] = [values[0]!, values[0]!];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most, isInteger };
}

/** The integers around a number that is not one, or the number itself. */
export function rangeOfNumber(value: number): Range {
  return {
    least: BigInt(Math.floor(value)),
    most: BigInt(Math.ceil(value)),
    isInteger: Number.isInteger(value),
  };
}
