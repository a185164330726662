import { describe, expect, it } from "vitest";
import { flowOf } from "../../../../../src/bpf/analysis/states/flow.js";
import { Frames } from "../../../../../src/bpf/analysis/states/frames.js";
import { States } from "../../../../../src/bpf/analysis/states/states.js";
import { Work } from "../../../../../src/bpf/analysis/states/work.js";
import { KIND } from "../../../../../src/bpf/analysis/values/kinds.js";
import { Scratch } from "../../../../../src/bpf/analysis/values/scratch.js";
import { Values } from "../../../../../src/bpf/analysis/values/values.js";
import { codeOf } from "../../../../../src/bpf/assembly/assembly.js";

/** The largest value that fits into 16 bits. */
const LAST = 0xffff;
const OUT = 1;

/** States of a program with the leaders 0 and OUT. */
function given(): { values: Values; state: Int32Array; join: () => void; loaded: () => Int32Array } {
  const code = codeOf("if r1 == 0 goto out; r0 = 1; out: r0 = 2; exit", { type: "xdp" });
  const flow = flowOf(code);
  if ("because" in flow) throw new Error(flow.because);
  const [scratch, work] = [new Scratch(), new Work(4)];
  const values = new Values(4, scratch);
  const frames = new Frames(values, 1, false, work, scratch);
  const states = new States(code, flow, values, frames, work, scratch);
  return {
    values,
    state: frames.state,
    join: () => states.join(OUT, 0),
    loaded: () => {
      states.load(OUT);
      return frames.state;
    },
  };
}

/** Makes new values up to this one. */
function make(values: Values, last: number): void {
  for (let number = 1000; values.constant(number) < last; ) number += 1;
}

describe("the state at a leader", () => {
  it("keeps values that do not fit into 16 bits", () => {
    const { values, state, join, loaded } = given();
    state[2] = values.constant(5);
    join();
    make(values, LAST);
    const pointer = values.pointer(KIND.STACK, 0, -16, 0);
    expect(pointer).toBeGreaterThan(LAST);
    state[3] = pointer;
    join();
    expect(loaded()[2]).toBe(values.constant(5));
    expect(loaded()[3]).toBe(values.join(values.any, pointer));
    expect(loaded()[3]).toBeGreaterThan(LAST);
  });

  it("is not lost where a join makes the last value that fits", () => {
    const { values, state, join, loaded } = given();
    state[4] = values.constant(1);
    join();
    state[4] = values.constant(2);
    make(values, LAST - 1);
    join();
    expect(values.join(values.constant(1), values.constant(2))).toBe(LAST);
    expect(loaded()[4]).toBe(LAST);
  });
});
