import { describe, expect, it } from "vitest";
import { inCiliumOrder } from "../../../../src/bpf/core/cilium-order.js";
import { CALL, type Insn, insnsOf, LD_IMM64, MOV, rowsOf } from "../../../support/core-program.js";

const EXIT: Insn = [0x95];

/** A program with functions that are each a list of the functions that they call; the last instruction is `exit`. */
function program(functions: Readonly<Record<string, readonly string[]>>) {
  const starts = new Map<string, number>();
  let slots = 0;
  for (const [name, calls] of Object.entries(functions)) {
    starts.set(name, slots);
    slots += calls.length + 2;
  }
  const insns = Object.entries(functions).flatMap(([name, calls]) => [
    [MOV, 0, 0, 0, starts.get(name)!] as Insn,
    ...calls.map((to, index): Insn => [CALL, 0, 1, 0, starts.get(to)! - (starts.get(name)! + 1 + index) - 1]),
    EXIT,
  ]);
  return {
    name: "main",
    insns: insnsOf(insns),
    functions: [...starts].map(([name, start]) => ({ name, start })),
    relocations: [],
    externReferences: [],
  };
}

describe("the order of functions of cilium/ebpf", () => {
  it("is level by level, and by name in each function", () => {
    const linked = program({ main: ["b", "a"], b: ["d"], d: [], a: ["c"], c: ["d"] });
    const { insns, slots } = inCiliumOrder(linked, true)!;
    const rows = rowsOf(insns);
    const starts = [3, 6, 9, 12].map(
      (_, index) => rows.flatMap(([opcode], at) => (opcode === MOV ? [at] : []))[index + 1]!,
    );
    const names = [...linked.functions].sort((a, b) => slots[a.start]! - slots[b.start]!).map(({ name }) => name);
    expect(names).toEqual(["main", "a", "b", "c", "d"]);
    const target = (at: number) => at + 1 + rows[at]![4]!;
    expect([target(1), target(2)]).toEqual([starts[1], starts[0]]);
    expect(slots[linked.functions[3]!.start]).toBe(starts[0]);
  });

  it("is often that of libbpf", () => {
    expect(inCiliumOrder(program({ main: ["a", "b"], a: [], b: [] }), true)).toBeNull();
    expect(inCiliumOrder(program({ main: ["b"], b: [] }), true)).toBeNull();
  });

  it("follows addresses of callbacks", () => {
    const insns = insnsOf([
      [LD_IMM64, 2, 4, 0, 4],
      [0],
      [CALL, 0, 1, 0, 1],
      EXIT,
      [MOV, 0, 0, 0, 1],
      [MOV, 0, 0, 0, 2],
    ]);
    const functions = [
      { name: "main", start: 0 },
      { name: "z", start: 4 },
      { name: "callback", start: 5 },
    ];
    const { insns: result } = inCiliumOrder({ ...program({}), insns, functions }, true)!;
    expect(rowsOf(result).map(([, , , , imm]) => imm)).toEqual([3, 0, 2, 0, 2, 1]);
  });

  it("is refused for a function that nothing refers to, as an exception callback", () => {
    const linked = program({ main: ["a"], a: [], callback: [] });
    expect(() => inCiliumOrder(linked, true)).toThrow(expect.objectContaining({ code: "CORE_UNSUPPORTED" }));
  });
});
