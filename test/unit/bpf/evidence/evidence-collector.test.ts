import { describe, expect, it } from "vitest";
import { codeOf } from "../../../../src/bpf/assembly/assembly.js";
import { EvidenceCollector } from "../../../../src/bpf/evidence/evidence-collector.js";

describe("the evidence for an effect", () => {
  it("is worded only if it is kept: the first pieces in program order", () => {
    const findings = new EvidenceCollector(codeOf("r0 = 0; exit", { type: "xdp" }));
    const worded: number[] = [];
    for (let time = 0; time < 3; time++) for (let slot = 5; slot < 1000; slot++) note(findings, slot, worded);
    expect(worded).toEqual([5, 6, 7, 8]);
    for (let slot = 3; slot >= 0; slot--) note(findings, slot, worded);
    expect(worded).toEqual([5, 6, 7, 8, 3, 2, 1, 0]);
    expect(findings.evidence().map(({ insn, because }) => [insn, because])).toEqual([
      [0, "returns at 0"],
      [1, "returns at 1"],
      [2, "returns at 2"],
      [3, "returns at 3"],
    ]);
  });

  it("ends `read_only` also if it is not kept", () => {
    const findings = new EvidenceCollector(codeOf("r0 = 0; exit", { type: "xdp" }));
    for (let slot = 0; slot < 4; slot++) findings.noteHarmless("decides", slot, "perf may not record the event");
    expect(findings.effects()).toMatchObject({ decides: true, read_only: true });
    findings.note("decides", 4, () => expect.unreachable("there is no room for it"));
    expect(findings.effects()).toMatchObject({ decides: true, read_only: false });
  });
});

function note(findings: EvidenceCollector, slot: number, worded: number[]): void {
  findings.note("decides", slot, () => {
    worded.push(slot);
    return `returns at ${slot}`;
  });
}
