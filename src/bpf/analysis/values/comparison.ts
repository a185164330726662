import { addressBytes, isNumber, withAddress, withoutAddress } from "./addresses.js";
import { ANY_NUMBER, KIND } from "./kinds.js";
import { bitOf, filterSet, upTo } from "./numbers.js";
import { ALL_BYTES, UPPER_BYTES, type Values } from "./values.js";

/** Operation codes of JMP and JMP32 (RFC 9669, section 4.3). */
const JUMP = {
  EQ: 0x10,
  GT: 0x20,
  GE: 0x30,
  SET: 0x40,
  NE: 0x50,
  SGT: 0x60,
  SGE: 0x70,
  LT: 0xa0,
  LE: 0xb0,
  SLT: 0xc0,
  SLE: 0xd0,
};

/** The comparisons of two numbers: as unsigned numbers, or as signed ones. */
const UNSIGNED: Readonly<Record<number, (a: bigint, b: bigint) => boolean>> = {
  [JUMP.EQ]: (a, b) => a === b,
  [JUMP.NE]: (a, b) => a !== b,
  [JUMP.SET]: (a, b) => (a & b) !== 0n,
  [JUMP.GT]: (a, b) => a > b,
  [JUMP.GE]: (a, b) => a >= b,
  [JUMP.LT]: (a, b) => a < b,
  [JUMP.LE]: (a, b) => a <= b,
};
const SIGNED: Readonly<Record<number, (a: bigint, b: bigint) => boolean>> = {
  [JUMP.SGT]: (a, b) => a > b,
  [JUMP.SGE]: (a, b) => a >= b,
  [JUMP.SLT]: (a, b) => a < b,
  [JUMP.SLE]: (a, b) => a <= b,
};

/** The result of comparing a register with a constant; null if the register's value is not known completely. */
export function outcomeOf(
  values: Values,
  value: number,
  comparison: number,
  wide: boolean,
  constant: number,
): boolean | null {
  if (!values.isConstant(value)) return null;
  const bits = wide ? 64 : 32;
  const number = (BigInt(values.hi(value)) << 32n) | BigInt(values.lo(value) >>> 0);
  const signed = SIGNED[comparison];
  if (signed !== undefined) return signed(BigInt.asIntN(bits, number), BigInt(constant));
  return UNSIGNED[comparison]?.(BigInt.asUintN(bits, number), BigInt.asUintN(bits, BigInt(constant))) ?? null;
}

/**
 * How each ordering splits the numbers in two: [signed comparison, whether the constant itself is on the lower side,
 * whether the condition means the greater side].
 */
const ORDERINGS: Readonly<Record<number, readonly [signed: boolean, inclusive: boolean, greater: boolean]>> = {
  [JUMP.GT]: [false, true, true],
  [JUMP.GE]: [false, false, true],
  [JUMP.LE]: [false, true, false],
  [JUMP.LT]: [false, false, false],
  [JUMP.SGT]: [true, true, true],
  [JUMP.SGE]: [true, false, true],
  [JUMP.SLE]: [true, true, false],
  [JUMP.SLT]: [true, false, false],
};

/**
 * The value of a register after a comparison with a constant had the result `outcome`. Sets are those of the low 32
 * bits: a 64-bit comparison removes members only if the upper half is known to be zero, or the comparison proves it.
 */
export function refine(
  values: Values,
  value: number,
  comparison: number,
  wide: boolean,
  constant: number,
  outcome: boolean,
): number {
  const mask = values.mask(value);
  if (values.kinds(value) !== KIND.NUMBER) {
    if (!isNumber(values, value)) return refinePointer(values, value, comparison, wide, constant, outcome);
    const number = refine(values, withoutAddress(values, value), comparison, wide, constant, outcome);
    return withAddress(values, number, addressBytes(values, value));
  }
  if (mask === ALL_BYTES) return value;
  const upper = mask & UPPER_BYTES;
  const low = !wide || (upper === UPPER_BYTES && values.hi(value) === 0);
  const set = values.set(value);
  let narrowed = set;
  if (comparison === JUMP.EQ || comparison === JUMP.NE) {
    if ((comparison === JUMP.EQ) === outcome)
      return wide
        ? values.constant(constant)
        : values.number(constant, values.hi(value), upper | 0x0f, bitOf(constant));
    // As a 64-bit number, a negative constant is not below 2^32.
    if (low && (constant >= 0 || !wide) && bitOf(constant) >= 0) narrowed = set & ~bitOf(constant);
  } else {
    const ordering = ORDERINGS[comparison];
    if (ordering === undefined) return value;
    const [signed, inclusive, greater] = ordering;
    // The largest number on the lower side.
    const bound = inclusive ? constant : constant - 1;
    const below = greater !== outcome;
    if (signed) {
      if (wide) return value;
      narrowed = filterSet(set, (member) => member <= bound === below);
    } else {
      if (constant < 0 || bound < 0) return value;
      const lower = upTo(bound);
      if (lower === ANY_NUMBER) return value;
      if (below) narrowed = set & lower;
      else if (low) narrowed = set & ~lower;
    }
  }
  return narrowed === set || narrowed === 0
    ? value
    : values.withTag(
        values.number(values.lo(value), values.hi(value), mask, narrowed, values.highSet(value)),
        values.tag(value),
      );
}

/**
 * A pointer or NULL that is not NULL is a pointer. The other outcome says nothing, since a pointer may be NULL as well.
 */
function refinePointer(
  values: Values,
  value: number,
  comparison: number,
  wide: boolean,
  constant: number,
  outcome: boolean,
): number {
  const unequal = comparison === JUMP.NE ? outcome : comparison === JUMP.EQ && !outcome;
  const isNull = constant === 0 && values.mask(value) === ALL_BYTES && values.lo(value) === 0 && values.hi(value) === 0;
  if (!wide || !unequal || !isNull) return value;
  const kinds = values.kinds(value) & ~KIND.NUMBER;
  return values.pointer(kinds, values.maps(value), values.offset(value), values.frame(value));
}
