import { describe, expect, it } from "vitest";
import { CallOrder } from "../../../../../src/bpf/analysis/states/call-order.js";
import { flowOf } from "../../../../../src/bpf/analysis/states/flow.js";
import { codeOf } from "../../../../../src/bpf/assembly/assembly.js";

/** The functions in the order in which their leaders are followed. */
function followed(text: string): string[] {
  const code = codeOf(text, { type: "xdp" });
  const flow = flowOf(code);
  if ("because" in flow) throw new Error(flow.because);
  const order = new CallOrder(code, flow);
  const names: string[] = [];
  for (let place = 0; place < flow.leaders.length; place++) {
    const leader = order.leaderAt(place);
    expect(order.placeOf(leader)).toBe(place);
    const { name } = code.functions[flow.functionOf[leader]!]!;
    if (names.at(-1) !== name) names.push(name);
  }
  return names;
}

describe("the order of leaders", () => {
  it("has the callees of a function before it, wherever they are in the program", () => {
    expect(
      followed(`
        call second; if r0 == 0 goto out; call first; out: exit
        fn first: r0 = 1; exit
        fn second: call first; if r0 == 0 goto end; r0 = 2; end: exit`),
    ).toEqual(["first", "second", "main"]);
  });

  it("has callbacks before the function that passes them, and what nobody calls at last", () => {
    expect(
      followed(`
        r1 = 1; r2 = func each; r3 = 0; r4 = 0; call 181; r0 = 0; exit
        fn each: r0 = 1; exit
        fn nobody: r0 = 1; exit`),
    ).toEqual(["each", "main", "nobody"]);
  });

  it("has every function of a recursion once", () => {
    expect(
      followed(`
        call one; exit
        fn one: call two; exit
        fn two: call one; exit`),
    ).toEqual(["two", "one", "main"]);
  });
});
