import { describe, expect, it } from "vitest";
import { EvidenceOf } from "../../../../src/engine/decision/evidence.js";

const subject = {
  name: "p",
  evidence: [
    { effect: "decides", insn: null, text: null, source: null, because: "its type is xdp", ends_read_only: true },
    {
      effect: "reads_kernel_memory",
      insn: 9,
      text: "call 0x71",
      source: "p.c:20",
      because: "calls `bpf_probe_read_kernel`",
      ends_read_only: false,
    },
    {
      effect: "reads_kernel_memory",
      insn: 12,
      text: "call 0x71",
      source: null,
      because: "calls `bpf_probe_read_kernel`",
      ends_read_only: false,
    },
    {
      effect: "writes_packet",
      insn: 3,
      text: null,
      source: null,
      because: "stores into the packet",
      ends_read_only: true,
    },
    { effect: "changes_socket", insn: 5, text: null, source: null, because: "names it", ends_read_only: false },
  ],
};

describe("the evidence behind a reason", () => {
  it("is that of the effects which the policy looks at, each by its first instruction", () => {
    expect(new EvidenceOf("if (prog.effects.reads_kernel_memory) return -1;").in(subject)).toEqual([
      "reads_kernel_memory: calls `bpf_probe_read_kernel` at p.c:20 (instruction 9)",
    ]);
    expect(new EvidenceOf("const { decides, writes_packet } = prog.effects").in(subject)).toEqual([
      "decides: its type is xdp",
      "writes_packet: stores into the packet at instruction 3",
    ]);
    expect(new EvidenceOf('prog.effects["writes_packet"]').in(subject)).toHaveLength(1);
  });

  it("is that of everything that changes something where a policy asks for read-only programs", () => {
    expect(new EvidenceOf("prog.effects.read_only").in(subject).map((line) => line.split(":")[0])).toEqual([
      "decides",
      "writes_packet",
    ]);
  });

  it("is empty if the policy reads no effect, or no effect is true", () => {
    expect(new EvidenceOf("/* whoever decides */ prog.name === 'decide'").in(subject)).toEqual([]);
    expect(new EvidenceOf("prog.effects.decides").in({ name: "blob" })).toEqual([]);
  });
});
