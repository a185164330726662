import { describe, expect, it } from "vitest";
import type { Evidence } from "../../../../src/bpf/model/facts.js";
import { describeEvidence } from "../../../../src/bpf/report/evidence-text.js";

const EVIDENCE = {
  effect: "reads_kernel_memory",
  ends_read_only: false,
  insn: 12,
  text: "call bpf_probe_read_kernel#113",
  source: "peek.c:7",
  because: "calls a helper",
} as const satisfies Evidence;

describe("evidence on one line", () => {
  it.each([
    [EVIDENCE, "calls a helper; at 12: call bpf_probe_read_kernel#113 (peek.c:7)"],
    [{ ...EVIDENCE, source: null }, "calls a helper; at 12: call bpf_probe_read_kernel#113"],
    [{ ...EVIDENCE, text: null, source: null }, "calls a helper; at 12: ?"],
    [{ ...EVIDENCE, insn: 0 }, "calls a helper; at 0: call bpf_probe_read_kernel#113 (peek.c:7)"],
    [{ ...EVIDENCE, insn: null, text: null, source: null }, "calls a helper"],
  ])("has the instruction and its place as far as they are known: %#", (evidence, text) => {
    expect(describeEvidence(evidence)).toBe(text);
  });
});
