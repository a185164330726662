import { describe, expect, it } from "vitest";
import { Patcher } from "../../../../src/bpf/core/patch.js";
import type { Resolution } from "../../../../src/bpf/core/resolution.js";
import { CALL, type Insn, insnsOf, LD_IMM64, LDX_W, MOV } from "../../../support/core-program.js";

const ORDERS = ["little", "big"] as const;

const value = (from: bigint, to: bigint): Resolution => ({
  ...{ poison: false, from, to, checked: true, fromSize: 0, toSize: 0, fixedSize: false },
});
const POISON: Resolution = { ...value(0n, 0n), poison: true };

describe.each(ORDERS)("an instruction of %s endian", (order) => {
  const little = order === "little";
  const patched = (rows: readonly Insn[], patch: (patcher: Patcher) => unknown) => {
    const insns = insnsOf(rows, order);
    patch(new Patcher(insns, little));
    return insns;
  };
  const expected = (...rows: readonly Insn[]) => insnsOf(rows, order);

  it("gets an immediate of 32 bits, an offset of 16, or both immediates of an ld_imm64", () => {
    expect(patched([[MOV, 3, 0, 0, 1]], (it) => it.apply(0, value(1n, 258n)))).toEqual(expected([MOV, 3, 0, 0, 258]));
    expect(patched([[LDX_W, 3, 4, 1]], (it) => it.apply(0, value(1n, 258n)))).toEqual(expected([LDX_W, 3, 4, 258]));
    const wide = value((1n << 32n) | 5n, 0xfffffffe_00000007n);
    expect(
      patched(
        [
          [LD_IMM64, 3, 0, 0, 5],
          [0, 0, 0, 0, 1],
        ],
        (it) => it.apply(0, wide),
      ),
    ).toEqual(expected([LD_IMM64, 3, 0, 0, 7], [0, 0, 0, 0, -2]));
  });

  it("has its value compared with 64 bits, extended by sign", () => {
    const minus = value(BigInt.asUintN(64, -1n), 7n);
    expect(patched([[MOV, 3, 0, 0, -1]], (it) => it.apply(0, minus))).toEqual(expected([MOV, 3, 0, 0, 7]));
    expect(() => patched([[MOV, 3, 0, 0, -1]], (it) => it.apply(0, value(0xffffffffn, 7n)))).toThrow(
      expect.objectContaining({ code: "CORE_MALFORMED" }),
    );
  });

  it("becomes an invalid call in each of its slots", () => {
    const bad: Insn = [CALL, 0, 0, 0, 0xbad2310];
    expect(patched([[MOV, 3, 0, 9, 1]], (it) => expect(it.apply(0, POISON)).toBe(1))).toEqual(expected(bad));
    expect(
      patched(
        [
          [LD_IMM64, 3, 2, 9, 1],
          [0, 0, 0, 0, 5],
        ],
        (it) => expect(it.apply(0, POISON)).toBe(2),
      ),
    ).toEqual(expected(bad, bad));
  });

  it("gets the address of a symbol, or the id of a function", () => {
    expect(patched([[LD_IMM64, 3, 3], [0]], (it) => it.symbol(0, 0, 0xffffffff_81000010n))).toEqual(
      expected([LD_IMM64, 3, 0, 0, 0x81000010 | 0], [0, 0, 0, 0, -1]),
    );
    expect(patched([[CALL, 0, 2]], (it) => it.kfunc(0, 77, 3))).toEqual(expected([CALL, 0, 2, 3, 77]));
    expect(patched([[CALL, 0, 2]], (it) => it.missingKfunc(0, 5))).toEqual(expected([CALL, 0, 0, 0, 2_002_000_005]));
  });

  it("of an ld_imm64 for a map cannot be relocated", () => {
    for (const rows of [
      [[LD_IMM64, 3, 1], [0]],
      [
        [LD_IMM64, 3],
        [0, 1],
      ],
      [[LD_IMM64, 3, 0, 1], [0]],
    ] as const)
      expect(() => patched(rows, (it) => it.apply(0, value(0n, 1n)))).toThrow(/plain ld_imm64/);
  });
});
