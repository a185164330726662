import { describe, expect, it } from "vitest";
import {
  extendedTag,
  helperTag,
  intTag,
  SIGN,
  shiftedTag,
  signsAfter,
  slotOfTag,
  swappedComparison,
  truncatedTag,
} from "../../../../../src/bpf/analysis/values/call-tags.js";

const LSH = 0x60;
const RSH = 0x70;
const ARSH = 0xc0;
const SLOT = 77;
const HELPER = helperTag(SLOT);
const SHIFTED = shiftedTag(HELPER, LSH, 32);

/** Each form of a result: its tag, and what the register holds if the call returned a number of 32 bits. */
const FORMS: Readonly<Record<string, readonly [tag: number, held: (result: bigint) => bigint]>> = {
  "the result of a helper": [HELPER, (result) => BigInt.asUintN(64, result)],
  "its low half": [truncatedTag(HELPER), (result) => BigInt.asUintN(32, result)],
  "its low half, shifted up": [SHIFTED, (result) => BigInt.asUintN(64, result << 32n)],
  "its low half, shifted up and down": [shiftedTag(SHIFTED, RSH, 32), (result) => BigInt.asUintN(32, result)],
  "its low half, with its sign": [shiftedTag(SHIFTED, ARSH, 32), (result) => BigInt.asUintN(64, result)],
  "an int above which anything is": [intTag(SLOT), (result) => BigInt.asUintN(32, result) | (0xdeadn << 40n)],
  "an int, extended by its sign": [extendedTag(intTag(SLOT)), (result) => BigInt.asUintN(64, result)],
  "an int above which is zero": [intTag(SLOT), (result) => BigInt.asUintN(32, result)],
};

type Holds = (a: bigint, b: bigint) => boolean;
const signed = (holds: Holds) => (a: bigint, b: bigint, bits: number) =>
  holds(BigInt.asIntN(bits, a), BigInt.asIntN(bits, b));
const unsigned = (holds: Holds) => (a: bigint, b: bigint, bits: number) =>
  holds(BigInt.asUintN(bits, a), BigInt.asUintN(bits, b));

/** By operation code (RFC 9669, section 4.3). */
const COMPARISONS: Readonly<Record<number, (a: bigint, b: bigint, bits: number) => boolean>> = {
  16: unsigned((a, b) => a === b),
  32: unsigned((a, b) => a > b),
  48: unsigned((a, b) => a >= b),
  64: unsigned((a, b) => (a & b) !== 0n),
  80: unsigned((a, b) => a !== b),
  96: signed((a, b) => a > b),
  112: signed((a, b) => a >= b),
  160: unsigned((a, b) => a < b),
  176: unsigned((a, b) => a <= b),
  192: signed((a, b) => a < b),
  208: signed((a, b) => a <= b),
};

const RESULTS = [-(2n ** 31n), -4095n, -14n, -2n, -1n, 0n, 1n, 2n, 5n, 64n, 2n ** 31n - 1n];
const CONSTANTS = [-(2 ** 31), -14, -2, -1, 0, 1, 2, 5, 64, 2 ** 31 - 1];

const signOf = (result: bigint) => (result < 0n ? SIGN.NEGATIVE : result === 0n ? SIGN.ZERO : SIGN.POSITIVE);

describe("the signs of a call's result after a comparison", () => {
  it.each(Object.entries(FORMS))("of %s include that of every result with the same outcome", (_, [tag, held]) => {
    expect(slotOfTag(tag)).toBe(SLOT);
    for (const [code, holds] of Object.entries(COMPARISONS))
      for (const wide of [false, true])
        for (const constant of CONSTANTS)
          for (const result of RESULTS) {
            const outcome = holds(held(result), BigInt(constant), wide ? 64 : 32);
            const signs = signsAfter(tag, Number(code), wide, constant, outcome);
            expect(signs & signOf(result), `${code} ${wide} ${constant} ${result} ${outcome}`).not.toBe(0);
          }
  });

  it("are the same with exchanged operands", () => {
    for (const [code, holds] of Object.entries(COMPARISONS))
      for (const a of RESULTS)
        for (const b of RESULTS) expect(COMPARISONS[swappedComparison(Number(code))]!(b, a, 64)).toBe(holds(a, b, 64));
  });

  it("tell success where programs ask for it", () => {
    const success = SIGN.ZERO | SIGN.POSITIVE;
    expect(signsAfter(HELPER, 0xc0, true, 0, false)).toBe(success);
    expect(signsAfter(HELPER, 0x50, true, 0, false)).toBe(SIGN.ZERO);
    expect(signsAfter(intTag(SLOT), 0xc0, false, 0, false)).toBe(success);
    expect(signsAfter(intTag(SLOT), 0xc0, true, 0, false)).toBe(SIGN.ANY);
  });

  it("are not told by other operations", () => {
    expect(shiftedTag(HELPER, LSH, 31)).toBe(-1);
    expect(shiftedTag(HELPER, RSH, 32)).toBe(-1);
    expect(shiftedTag(SHIFTED, LSH, 32)).toBe(-1);
    expect(truncatedTag(SHIFTED)).toBe(-1);
    expect(extendedTag(SHIFTED)).toBe(-1);
  });
});
