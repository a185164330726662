import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALU } from "../../../../src/bpf/analysis/values/alu.js";
import { compute, extend, truncate } from "../../../../src/bpf/analysis/values/arithmetic.js";
import { refine } from "../../../../src/bpf/analysis/values/comparison.js";
import { Scratch } from "../../../../src/bpf/analysis/values/scratch.js";
import { Values } from "../../../../src/bpf/analysis/values/values.js";
import { either, high, holds, low } from "../../../support/known-numbers.js";

/** 64-bit numbers, most of them of the kind that programs compute with. */
const number = fc
  .oneof(
    fc.bigInt({ min: -40n, max: 40n }),
    fc.constantFrom(0xffffffffn, 0x100000000n, 0x100000002n, -0x80000000n, 0x7fffffffn, -(1n << 63n)),
    fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  )
  .map((value) => BigInt.asIntN(64, value));
const immediate = fc.oneof(fc.integer({ min: -3, max: 32 }), fc.integer({ min: -0x80000000, max: 0x7fffffff }));

const unsigned = (value: bigint, wide: boolean) => BigInt.asUintN(wide ? 64 : 32, value);
const signed = (value: bigint, wide: boolean) => BigInt.asIntN(wide ? 64 : 32, value);

/** What the processor computes (RFC 9669, section 4.1). */
const RESULTS: Readonly<Record<string, (a: bigint, b: bigint, wide: boolean) => bigint>> = {
  ADD: (a, b) => a + b,
  SUB: (a, b) => a - b,
  MUL: (a, b) => a * b,
  DIV: (a, b, wide) => (unsigned(b, wide) === 0n ? 0n : unsigned(a, wide) / unsigned(b, wide)),
  MOD: (a, b, wide) => (unsigned(b, wide) === 0n ? a : unsigned(a, wide) % unsigned(b, wide)),
  OR: (a, b) => a | b,
  AND: (a, b) => a & b,
  XOR: (a, b) => a ^ b,
  LSH: (a, b, wide) => a << (b & (wide ? 63n : 31n)),
  RSH: (a, b, wide) => unsigned(a, wide) >> (b & (wide ? 63n : 31n)),
  ARSH: (a, b, wide) => signed(a, wide) >> (b & (wide ? 63n : 31n)),
  NEG: (a) => -a,
};
const settle = (value: bigint, wide: boolean) => (wide ? BigInt.asIntN(64, value) : BigInt.asUintN(32, value));

describe("computing with numbers that are known in part", () => {
  it.each(Object.keys(RESULTS))("%s holds what the processor would make of each", (name) => {
    const some = fc.array(number, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(some, number, fc.boolean(), (as, b, wide) => {
        const values = new Values(100, new Scratch());
        const constant = values.constant(low(b), high(b));
        const value = compute(values, ALU[name as keyof typeof ALU], wide, either(values, as), constant);
        return as.every((a) => holds(values, value, settle(RESULTS[name]!(a, b, wide), wide)));
      }),
    );
  });

  it("knows the result where it knows both, for what compilers leave to the program", () => {
    const values = new Values(100, new Scratch());
    const sum = compute(values, ALU.ADD, true, values.constant(-1, 0), values.constant(1));
    expect([values.lo(sum), values.hi(sum), values.isConstant(sum)]).toEqual([0, 1, true]);
  });

  it("cuts and extends as moves do", () => {
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(8, 16, 32),
        fc.boolean(),
        (as, bits, wide) => {
          const values = new Values(100, new Scratch());
          const value = either(values, as);
          return as.every(
            (a) =>
              holds(values, truncate(values, value), BigInt.asUintN(32, a)) &&
              holds(values, extend(values, value, bits, wide), settle(BigInt.asIntN(bits, a), wide)),
          );
        },
      ),
    );
  });
});

/** By operation code of JMP. */
const COMPARISONS: readonly (readonly [code: number, holds: (a: bigint, b: bigint, wide: boolean) => boolean])[] = [
  [0x10, (a, b, wide) => unsigned(a, wide) === unsigned(b, wide)],
  [0x20, (a, b, wide) => unsigned(a, wide) > unsigned(b, wide)],
  [0x30, (a, b, wide) => unsigned(a, wide) >= unsigned(b, wide)],
  [0x40, (a, b, wide) => (unsigned(a, wide) & unsigned(b, wide)) !== 0n],
  [0x50, (a, b, wide) => unsigned(a, wide) !== unsigned(b, wide)],
  [0x60, (a, b, wide) => signed(a, wide) > signed(b, wide)],
  [0x70, (a, b, wide) => signed(a, wide) >= signed(b, wide)],
  [0xa0, (a, b, wide) => unsigned(a, wide) < unsigned(b, wide)],
  [0xb0, (a, b, wide) => unsigned(a, wide) <= unsigned(b, wide)],
  [0xc0, (a, b, wide) => signed(a, wide) < signed(b, wide)],
  [0xd0, (a, b, wide) => signed(a, wide) <= signed(b, wide)],
];

describe("comparing numbers that are known in part", () => {
  it.each(COMPARISONS)("(operation 0x%s) leaves every number for which it came out so", (code, compare) => {
    const some = fc.array(number, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(some, immediate, fc.boolean(), fc.boolean(), (as, imm, wide, cut) => {
        const values = new Values(100, new Scratch());
        const concrete = cut ? as.map((a) => BigInt.asUintN(32, a)) : as;
        const joined = either(values, as);
        const value = cut ? truncate(values, joined) : joined;
        return concrete.every((a) =>
          holds(values, refine(values, value, code, wide, imm, compare(a, BigInt(imm), wide)), a),
        );
      }),
      { numRuns: 400 },
    );
  });
});

describe("joining", () => {
  it("holds both, and joining again changes nothing", () => {
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 1, maxLength: 5 }),
        fc.array(number, { minLength: 1, maxLength: 5 }),
        (as, bs) => {
          const values = new Values(100, new Scratch());
          const [a, b] = [either(values, as), either(values, bs)];
          const joined = values.join(a, b);
          expect(values.join(joined, a)).toBe(joined);
          expect(values.join(b, joined)).toBe(joined);
          expect(values.join(b, a)).toBe(joined);
          const widened = values.widen(a, b);
          return [...as, ...bs].every((each) => holds(values, joined, each) && holds(values, widened, each));
        },
      ),
    );
  });
});
