import { addressBytes, bytesAfter, isNumber, withAddress, withoutAddress } from "./addresses.js";
import { ALU } from "./alu.js";
import { extendedTag, shiftedTag, truncatedTag } from "./call-tags.js";
import { ANY_NUMBER, ANY_OFFSET, FOLLOWED, KIND, POINTERS } from "./kinds.js";
import { enumerable, filterSet, mapSet, upTo } from "./numbers.js";
import { ALL_BYTES, LOWER_BYTES, UPPER_BYTES, type Values } from "./values.js";

/** The result of `a op b`, in 64 bits, or in 32 bits with the upper half zero. `operation` is neither MOV nor END. */
export function compute(values: Values, operation: number, wide: boolean, a: number, b: number): number {
  const kinds = values.kinds(a) | values.kinds(b);
  if ((kinds & (POINTERS | KIND.ADDRESS)) === 0) return ofNumbers(values, operation, wide, a, b);
  const result =
    (kinds & POINTERS) !== 0
      ? withPointer(values, operation, wide, a, b)
      : ofNumbers(values, operation, wide, withoutAddress(values, a), withoutAddress(values, b));
  if ((values.kinds(result) & POINTERS) !== 0 && addressBytes(values, result) !== 0) return result;
  return withAddress(values, result, bytesAfter(values, operation, wide, a, b));
}

function ofNumbers(values: Values, operation: number, wide: boolean, a: number, b: number): number {
  if (values.isConstant(a) && values.isConstant(b)) {
    const folded = fold(values, operation, wide, a, b);
    if (folded !== -1) return folded;
  }
  const set = setAfter(values, operation, wide, a, b);
  const upper = wide ? 0 : UPPER_BYTES;
  const result = set === ANY_NUMBER && wide ? values.any : values.number(0, 0, upper, set);
  const tag = values.tag(a);
  return tag < 0 || !wide || !values.isConstant(b)
    ? result
    : values.withTag(result, shiftedTag(tag, operation, values.lo(b)));
}

/** The low 32 bits of a number with a zero upper half: the result of a 32-bit move. */
export function truncate(values: Values, value: number): number {
  if (value === values.any) return values.any32;
  if (values.kinds(value) !== KIND.NUMBER) {
    const number = isNumber(values, value) ? truncate(values, withoutAddress(values, value)) : values.any32;
    return withAddress(values, number, addressBytes(values, value) & LOWER_BYTES);
  }
  const mask = values.mask(value);
  if (mask === ALL_BYTES) return values.constant(values.lo(value), 0);
  const low = values.number(values.lo(value), 0, mask | UPPER_BYTES, values.set(value));
  const tag = values.tag(value);
  return tag < 0 ? low : values.withTag(low, truncatedTag(tag));
}

/** The result of a sign-extending move of the low `bits` bits. */
export function extend(values: Values, value: number, bits: number, wide: boolean): number {
  if (!values.isConstant(value)) {
    if (values.kinds(value) !== KIND.NUMBER) return derived(values, value);
    const tag = values.tag(value);
    return tag < 0 || bits < 32 || !wide ? values.any : values.withTag(values.any, extendedTag(tag));
  }
  const lo = bits === 32 ? values.lo(value) : (values.lo(value) << (32 - bits)) >> (32 - bits);
  return values.constant(lo, wide ? lo >> 31 : 0);
}

/** Any number that is computed from a value. */
export function derived(values: Values, value: number): number {
  return withAddress(values, values.any, addressBytes(values, value) === 0 ? 0 : ALL_BYTES);
}
/** Offsets are known within this distance. */
const NEAR = 1 << 30;

/**
 * A pointer stays a pointer if a number is added or subtracted (adjust_ptr_min_max_vals). The difference of pointers is
 * a number, and so is the result of any other operation, except for arena pointers, which allow any arithmetic.
 */
function withPointer(values: Values, operation: number, wide: boolean, a: number, b: number): number {
  const ka = values.kinds(a);
  const kb = values.kinds(b);
  if (!wide || (operation !== ALU.ADD && operation !== ALU.SUB)) {
    const arena = (ka | kb) & KIND.ARENA;
    return arena === 0 ? values.any : values.pointer(arena | KIND.NUMBER, values.maps(a) | values.maps(b));
  }
  if ((kb & POINTERS) === 0) {
    if ((ka & FOLLOWED) === 0) return (ka & KIND.NUMBER) === 0 ? values.withParameter(a, 0, 0) : forget(values, a);
    const distance = values.isConstant(b) && values.hi(b) === values.lo(b) >> 31 ? values.lo(b) : null;
    const offset = values.offset(a);
    const moved =
      distance === null || offset === ANY_OFFSET ? ANY_OFFSET : offset + (operation === ALU.ADD ? distance : -distance);
    const near = moved > -NEAR && moved < NEAR;
    const result = values.pointer(ka, values.maps(a), near ? moved : ANY_OFFSET, values.frame(a));
    const parameter = values.parameter(a);
    if (parameter === 0) return result;
    const from = values.fromParameter(a);
    const known = distance !== null && from !== ANY_OFFSET;
    const to = known ? from + (operation === ALU.ADD ? distance : -distance) : ANY_OFFSET;
    return values.withParameter(result, parameter, to > -NEAR && to < NEAR ? to : ANY_OFFSET);
  }
  if (operation === ALU.ADD && (ka & POINTERS) === 0) return withPointer(values, operation, wide, b, a);
  return withEither(values, operation, a, b);
}

/**
 * Both operands may be pointers. adjust_reg_min_max_vals of kernel/bpf/verifier.c rejects their sum and makes their
 * difference a number, so if the result is a pointer, only one operand was. Arena pointers stay arena pointers with any
 * operand. A value that may be NULL also counts as a number (calls.ts), so "certainly a pointer" holds on every path.
 */
function withEither(values: Values, operation: number, a: number, b: number): number {
  const ka = values.kinds(a);
  const kb = values.kinds(b);
  const moved = (value: number, kinds: number) =>
    values.pointer(kinds, values.maps(value), ANY_OFFSET, values.frame(value));
  const all = POINTERS | KIND.ADDRESS;
  const left = (kb & KIND.NUMBER) !== 0 ? ka & all : ka & KIND.ARENA;
  const right = operation === ALU.ADD && (ka & KIND.NUMBER) !== 0 ? kb & all : kb & KIND.ARENA;
  let result = operation === ALU.SUB || (ka & kb & KIND.NUMBER) !== 0 ? values.any : -1;
  for (const part of [left === 0 ? -1 : moved(a, left), right === 0 ? -1 : moved(b, right)])
    if (part >= 0) result = result < 0 ? part : values.join(result, part);
  return result < 0 ? values.any : result;
}

/** The same pointer kinds, or any number. */
function forget(values: Values, value: number): number {
  return values.pointer(values.kinds(value), values.maps(value), values.offset(value), values.frame(value));
}

function setAfter(values: Values, operation: number, wide: boolean, a: number, b: number): number {
  if (!values.isConstant(b)) return ANY_NUMBER;
  const set = values.set(a);
  const constant = values.lo(b);
  if (operation === ALU.MOD && constant > 0 && values.hi(b) === 0) return upTo(constant - 1);
  if (enumerable(set)) return setOfMembers(set, operation, wide, constant);
  return operation === ALU.AND ? setWithin(upTo(constant), constant) : ANY_NUMBER;
}

/** The members of a set that have no bit beside those of a constant. */
function setWithin(set: number, constant: number): number {
  return set === ANY_NUMBER ? set : filterSet(set, (member) => (member & ~constant) === 0);
}

/** The set after an operation with a constant on each member. */
function setOfMembers(set: number, operation: number, wide: boolean, constant: number): number {
  const shift = constant & (wide ? 63 : 31);
  switch (operation) {
    case ALU.ADD:
      return mapSet(set, (member) => member + constant);
    case ALU.SUB:
      return mapSet(set, (member) => member - constant);
    case ALU.MUL:
      return mapSet(set, (member) => Math.imul(member, constant));
    case ALU.AND:
      return mapSet(set, (member) => member & constant);
    case ALU.OR:
      return mapSet(set, (member) => member | constant);
    case ALU.XOR:
      return mapSet(set, (member) => member ^ constant);
    case ALU.LSH:
      return mapSet(set, (member) => (shift > 31 ? 0 : member << shift));
    case ALU.NEG:
      return mapSet(set, (member) => -member);
    // A 64-bit right shift brings unknown bits of the upper half down.
    case ALU.RSH:
      return wide ? ANY_NUMBER : mapSet(set, (member) => member >>> shift);
    case ALU.ARSH:
      return wide ? ANY_NUMBER : mapSet(set, (member) => member >> shift);
    default:
      return ANY_NUMBER;
  }
}

/** The result for two known operands; -1 if it is not computed. */
function fold(values: Values, operation: number, wide: boolean, a: number, b: number): number {
  const x = values.lo(a);
  const y = values.lo(b);
  const xHigh = values.hi(a);
  const yHigh = values.hi(b);
  switch (operation) {
    case ALU.ADD: {
      const lo = (x + y) | 0;
      return known(values, wide, lo, (xHigh + yHigh + (lo >>> 0 < x >>> 0 ? 1 : 0)) | 0);
    }
    case ALU.SUB:
      return known(values, wide, (x - y) | 0, (xHigh - yHigh - (x >>> 0 < y >>> 0 ? 1 : 0)) | 0);
    case ALU.NEG:
      return known(values, wide, -x | 0, (-xHigh - (x === 0 ? 0 : 1)) | 0);
    case ALU.OR:
      return known(values, wide, x | y, xHigh | yHigh);
    case ALU.AND:
      return known(values, wide, x & y, xHigh & yHigh);
    case ALU.XOR:
      return known(values, wide, x ^ y, xHigh ^ yHigh);
    case ALU.LSH:
    case ALU.RSH:
    case ALU.ARSH:
      return shifted(values, operation, wide, a, y & (wide ? 63 : 31));
    default:
      return -1;
  }
}

/** A known result. One of 32 bits has a zero upper half. */
function known(values: Values, wide: boolean, lo: number, hi: number): number {
  return values.constant(lo, wide ? hi : 0);
}

function shifted(values: Values, operation: number, wide: boolean, a: number, by: number): number {
  const lo = values.lo(a);
  const hi = wide ? values.hi(a) : 0;
  if (by === 0) return values.constant(lo, hi);
  if (!wide)
    return values.constant(operation === ALU.LSH ? lo << by : operation === ALU.RSH ? (lo >>> by) | 0 : lo >> by, 0);
  if (operation === ALU.LSH)
    return by < 32 ? values.constant(lo << by, (hi << by) | (lo >>> (32 - by))) : values.constant(0, lo << (by - 32));
  const sign = operation === ALU.ARSH ? hi >> 31 : 0;
  if (by >= 32) return values.constant(operation === ALU.ARSH ? hi >> (by - 32) : (hi >>> (by - 32)) | 0, sign);
  return values.constant((lo >>> by) | (hi << (32 - by)), operation === ALU.ARSH ? hi >> by : (hi >>> by) | 0);
}
