import { bitOf } from "../../src/bpf/analysis/values/numbers.js";
import type { Values } from "../../src/bpf/analysis/values/values.js";

/** The low and the high word of a 64-bit number. */
export const low = (value: bigint) => Number(BigInt.asIntN(32, value));
export const high = (value: bigint) => Number(BigInt.asIntN(32, value >> 32n));

/** A value that may be any of these numbers, joined as paths join. */
export function either(values: Values, numbers: readonly bigint[]): number {
  return numbers.map((each) => values.constant(low(each), high(each))).reduce((a, b) => values.join(a, b));
}

/** Whether a value says that it may be this number. */
export function holds(values: Values, value: number, concrete: bigint): boolean {
  const bytes = [0, 1, 2, 3, 4, 5, 6, 7].every((byte) => {
    if ((values.mask(value) & (1 << byte)) === 0) return true;
    const word = byte < 4 ? values.lo(value) : values.hi(value);
    return ((word >>> (8 * (byte & 3))) & 0xff) === Number((BigInt.asUintN(64, concrete) >> BigInt(8 * byte)) & 0xffn);
  });
  return (
    bytes && (values.set(value) & bitOf(low(concrete))) !== 0 && (values.highSet(value) & bitOf(high(concrete))) !== 0
  );
}
