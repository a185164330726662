import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf } from "../../../../src/bpf/assembly/assembly.js";

/** Whether a program may send a signal: the side of the branch that is asked about does. */
const signals = (text: string) => effectsOf(codeOf(text, { type: "raw_tracepoint" })).effects.sends_signal;
const SIGNAL = "r1 = 9; call bpf_send_signal";

describe("a branch that a constant decides", () => {
  it.each([
    ["r1 = 0", "r1 == 0", true],
    ["r1 = 1", "r1 == 0", false],
    ["r1 = 0", "r1 != 0", false],
    ["r1 = 5", "r1 != 0", true],
    ["r1 = 5", "r1 > 5", false],
    ["r1 = 5", "r1 >= 5", true],
    ["r1 = -1", "r1 > 5", true],
    ["r1 = -1", "r1 s> 5", false],
    ["r1 = -1", "r1 s< 0", true],
    ["r1 = -1", "r1 s<= -1", true],
    ["r1 = 3", "r1 < 3", false],
    ["r1 = 3", "r1 <= 3", true],
    ["r1 = 0x100000000 ll", "r1 == 0", false],
    ["r1 = 0x100000000 ll", "w1 == 0", true],
    ["r1 = 0xffffffff ll", "w1 s< 0", true],
    ["r1 = 0xffffffff ll", "r1 s< 0", false],
    ["r1 = 0xffffffffffffffff ll", "r1 == -1", true],
    ["r1 = 6", "r1 & 4", true],
    ["r1 = 6", "r1 & 1", false],
  ])("%s; if %s goto: taken %s", (assignment, condition, taken) => {
    const text = (side: string, other: string) =>
      `${assignment}; if ${condition} goto yes; ${other}; goto out; yes: ${side}; out: r0 = 0; exit`;
    expect(signals(text(SIGNAL, "r2 = 0"))).toBe(taken);
    expect(signals(text("r2 = 0", SIGNAL))).toBe(!taken);
  });

  it("is only decided if every path has the same constant", () => {
    const joined = (other: number) =>
      `r6 = *(u64 *)(r1 + 0); r1 = 0; if r6 == 7 goto join; r1 = ${other}; join: if r1 == 0 goto out;
       ${SIGNAL}; out: r0 = 0; exit`;
    expect(signals(joined(0))).toBe(false);
    expect(signals(joined(1))).toBe(true);
  });

  it("is not decided by a counter, whose first value is a constant", () => {
    expect(signals(`r6 = 0; again: if r6 == 3 goto three; r6 += 1; goto again; three: ${SIGNAL}; r0 = 0; exit`)).toBe(
      true,
    );
  });

  it("is not decided by what a relocation or a symbol fills in before the load", () => {
    const guarded = (assignment: string) => `${assignment}; if r1 == 0 goto out; ${SIGNAL}; out: r0 = 0; exit`;
    expect(signals(guarded("r1 = 0"))).toBe(false);
    expect(signals(guarded("r1 = 0 @core"))).toBe(true);
    expect(signals(guarded("r1 = ksym bpf_symbol"))).toBe(true);
  });

  it("leaves out a subprogram that is only called where it is not taken", () => {
    const text = (value: number) =>
      `fn main: r1 = ${value}; if r1 == 0 goto out; call inner; out: r0 = 0; exit; fn inner: ${SIGNAL}; r0 = 0; exit`;
    expect(signals(text(0))).toBe(false);
    expect(signals(text(1))).toBe(true);
  });

  it("leaves out a callback that is only passed where it is not taken", () => {
    const text = (value: number) =>
      `fn main: r1 = ${value}; if r1 == 0 goto out; r1 = 8; r2 = func each; r3 = 0; r4 = 0; call bpf_loop;
       out: r0 = 0; exit; fn each: ${SIGNAL}; r0 = 0; exit`;
    expect(signals(text(0))).toBe(false);
    expect(signals(text(1))).toBe(true);
  });

  it("does not leave out an exception callback, which the kernel calls", () => {
    const thrown = `fn main: r1 = 1; call kfunc bpf_throw; r0 = 0; exit; fn caught: ${SIGNAL}; r0 = 0; exit`;
    expect(signals(thrown)).toBe(true);
    const alsoCalled = `fn main: r6 = 0; if r6 == 0 goto throw; call caught; throw: r1 = 1; call kfunc bpf_throw; r0 = 0;
       exit; fn caught: ${SIGNAL}; r0 = 0; exit`;
    expect(signals(alsoCalled)).toBe(true);
  });
});
