import { describe, expect, it } from "vitest";
import type { Evidence } from "../../../../src/bpf/model/facts.js";
import { evidenceFor } from "../../../../src/workbench/explain/evidence-read.js";
import type { ExplainedAttachment, TraceEvent } from "../../../../src/workbench/explain/explanation.js";

const evidence = (effect: string, insn: number, ends_read_only = false) =>
  ({ effect, insn, ends_read_only, text: null, source: null, because: "it does" }) as Evidence;
const READS = evidence("reads_kernel_memory", 1);
const SENDS = evidence("sends_signal", 2, true);
const subject = (all: unknown) => ({ kind: "program", facts: { evidence: all } }) as never;
const reading = (...facts: readonly (readonly [fact: string, value: unknown])[]) => {
  const trace = facts.map(([fact, value]): TraceEvent => ({ event: "read", fact, value }));
  return [{ trace } as unknown as ExplainedAttachment];
};
const effects = (...given: Parameters<typeof evidenceFor>) => evidenceFor(...given).map(({ effect }) => effect);

describe("the evidence of an explanation", () => {
  it("is that of the effects that policies found to be true", () => {
    const all = subject([READS, SENDS]);
    expect(effects(all, reading(["prog.effects.reads_kernel_memory", true]), true)).toEqual(["reads_kernel_memory"]);
    expect(effects(all, reading(["prog.effects.reads_kernel_memory", false]), true)).toEqual([]);
    expect(effects(all, reading(["prog.type", "kprobe"]), true)).toEqual([]);
    expect(effects(all, [], true)).toEqual([]);
  });

  it("is that of all effects that end `read_only`, if a policy found that it is false", () => {
    const all = subject([READS, SENDS]);
    expect(effects(all, reading(["prog.effects.read_only", false]), true)).toEqual(["sends_signal"]);
    expect(effects(all, reading(["prog.effects.read_only", true]), true)).toEqual([]);
  });

  it("is that of every effect without traces", () => {
    expect(effects(subject([READS, SENDS]), [], false)).toEqual(["reads_kernel_memory", "sends_signal"]);
  });

  it("has the first eight instructions of one effect, without code", () => {
    const many = Array.from({ length: 20 }, (_, insn) => evidence("sends_signal", insn));
    const found = evidenceFor(subject([...many, READS]), [], false);
    expect(found.map(({ insn }) => insn)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 1]);
    expect(found.every(({ code }) => code.length === 0)).toBe(true);
  });

  it.each([null, { kind: "program" }, { facts: null }, subject(undefined), subject("x"), subject({ length: 1 })])(
    "is empty if the log has none: %j",
    (content) => {
      expect(evidenceFor(content as never, [], false)).toEqual([]);
    },
  );
});
