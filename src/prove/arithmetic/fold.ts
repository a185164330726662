import type { FoldText } from "../shared/atom.js";
import { isSafe, type Range, rangeOfNumber, spanOf } from "./range.js";

/** How a loop makes the next value of a variable from the one before: by sums and differences, or by extremes. */
export type Fold =
  /** `size` is not less than the sum of the terms, apart from their signs. */
  | { readonly by: "sum"; readonly terms: number; readonly size: bigint; readonly never: Never }
  /** Each value is the accumulator or in this range. */
  | { readonly by: "extreme"; readonly range: Range; readonly never: Never };

/** What no term does. */
interface Never {
  readonly decreases: boolean;
  readonly isFraction: boolean;
}

/** The accumulator itself. */
export const ACCUMULATOR: Fold = { by: "sum", terms: 0, size: 0n, never: { decreases: true, isFraction: true } };

interface FoldOperand {
  readonly range: Range;
  /** Null if the accumulator is not in it, or in another way. */
  readonly fold: Fold | null;
}

/** The fold after an operation with something in which the accumulator is not; null for any other operation. */
export function foldedFurther(operation: string, one: FoldOperand, other: FoldOperand): Fold | null {
  const [fold, { range }] = one.fold === null ? [other.fold, one] : [one.fold, other];
  if (fold === null) return null;
  const isFirst = one.fold !== null;
  const { decreases, isFraction } = fold.never;
  const never = (isDecrease: boolean) => ({
    decreases: decreases && !isDecrease,
    isFraction: isFraction && range.isInteger,
  });
  if (operation === "+" || (operation === "-" && isFirst)) {
    if (fold.by !== "sum" || fold.terms >= MOST_TERMS) return null;
    const size = fold.size + spanOf([range.least, -range.least, range.most, -range.most], true).most;
    const isDecrease = operation === "+" ? range.least < 0n : range.most > 0n;
    return { by: "sum", terms: fold.terms + 1, size, never: never(isDecrease) };
  }
  if (operation !== "Math.max" && operation !== "Math.min") return null;
  if (fold.by === "sum" && fold.terms > 0) return null;
  const all = fold.by === "sum" ? range : spanOf([fold.range.least, fold.range.most, range.least, range.most], true);
  return { by: "extreme", range: { ...all, isInteger: true }, never: never(operation === "Math.min") };
}

/** The fold of a loop whose passes have these, each for some elements; null if there is none. */
export function foldOfAll(folds: readonly Fold[]): Fold | null {
  const never = {
    decreases: folds.every((one) => one.never.decreases),
    isFraction: folds.every((one) => one.never.isFraction),
  };
  const sums = folds.flatMap((one) => (one.by === "sum" ? [one] : []));
  if (sums.length === folds.length) {
    const terms = Math.max(...sums.map((one) => one.terms));
    const size = spanOf(
      sums.map((one) => one.size),
      true,
    ).most;
    return { by: "sum", never, terms, size };
  }
  const ranges = folds.flatMap((one) => (one.by === "extreme" ? [one.range] : []));
  const all = spanOf(
    ranges.flatMap(({ least, most }) => [least, most]),
    ranges.every((one) => one.isInteger),
  );
  return ranges.length === folds.length ? { by: "extreme", range: all, never } : null;
}

export function textOfFold(fold: Fold): FoldText {
  if (fold.by === "sum") return { ...fold, size: String(fold.size) };
  const { least, most, isInteger } = fold.range;
  return { by: "extreme", never: fold.never, least: String(least), most: String(most), isInteger };
}

export function foldOfText(text: FoldText): Fold {
  if (text.by === "sum") return { ...text, size: BigInt(text.size) };
  const range = { least: BigInt(text.least), most: BigInt(text.most), isInteger: text.isInteger };
  return { by: "extreme", never: text.never, range };
}

const MOST_TERMS = 1_000;
/** The most elements that a list can have. */
const MOST_ELEMENTS = 2n ** 32n - 1n;
/** Sums below this are finite, with whatever is added to them once. */
const MOST_SIZE = 2n ** 1000n;

/** The range of a fold over any number of elements; null if a value may be no finite number. */
export function rangeOfFold(fold: Fold, initial: number): Range | null {
  const first = rangeOfNumber(initial);
  const isInteger = first.isInteger && fold.never.isFraction;
  const largest = fold.by === "sum" ? sizeOfSum(fold.size, first, isInteger) : null;
  if (largest !== null && largest > MOST_SIZE) return null;
  const all =
    fold.by === "sum"
      ? { least: -largest!, most: largest! }
      : spanOf([first.least, first.most, fold.range.least, fold.range.most], isInteger);
  return { least: fold.never.decreases ? first.least : all.least, most: all.most, isInteger };
}

/**
 * A sum is rounded at most 2^32 times 1,000: each time, it is larger by a factor of at most 1 + 2^-53, so that all of
 * them together are less than twice as large. Integers up to 2^53 are not rounded.
 */
function sizeOfSum(size: bigint, first: Range, isInteger: boolean): bigint {
  const begun = spanOf([first.least, -first.least, first.most, -first.most], true).most;
  const exact = begun + MOST_ELEMENTS * size;
  return isSafe({ least: -exact, most: exact, isInteger }) ? exact : 2n * exact;
}
