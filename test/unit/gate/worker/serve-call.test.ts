import { describe, expect, it } from "vitest";
import { CMD } from "../../../../src/bpf/model/commands.js";
import { ATTR_SIZE } from "../../../../src/gate/call/attr.js";
import { COMMANDS } from "../../../../src/gate/call/command.js";
import { I386, X32, X32_BIT } from "../../../../src/gate/call/filter.js";
import { GATE_RULES } from "../../../../src/gate/call/rules.js";
import { NR } from "../../../../src/sys/numbers.js";
import { attrOf, FakeGate, itFails } from "../../../support/fake-gate.js";

const UNKNOWN = COMMANDS.length;
const ARCH_I386 = 0x40000003;
const TOKEN_CREATE = CMD.BPF_TOKEN_CREATE;
const PASSING = CMD.BPF_PROG_QUERY;
const INITIAL_USER_NAMESPACE = 0xeffffffd;

describe("a bpf(2) command", () => {
  itFails({
    "that the gate does not know": {
      errno: 22,
      call: (gate) => gate.bpf(UNKNOWN, attrOf(8, {})),
      denial: { rule: "unknown_command", hook: "bpf", name: `command ${UNKNOWN}`, reason: /does not know bpf/ },
    },
    "with a high bit set": {
      errno: 22,
      call: (gate) => gate.bpf(0x10000 + 5, attrOf(8, {})),
      denial: { rule: "unknown_command", hook: "bpf", name: "command 65541", reason: /command 65541/ },
    },
    "that the gate does not know, in no memory": { errno: 14, call: (gate) => gate.bpf(UNKNOWN, null, 8) },
    "that the gate does not know, with a longer attr": {
      errno: 22,
      call: (gate) => gate.bpf(UNKNOWN, attrOf(ATTR_SIZE + 8, { [ATTR_SIZE]: 1 })),
      denial: { rule: "unknown_field", hook: "bpf", name: "(unnamed)", reason: /byte 168/ },
    },
    "that the gate does not know, with an attr that is longer than the kernel's": {
      errno: 7,
      call: (gate) => {
        gate.task.result = () => -7;
        return gate.bpf(UNKNOWN, attrOf(8, { 4: 1 }));
      },
    },
    "that creates a token": {
      errno: 2,
      call: (gate) => gate.bpf(TOKEN_CREATE, attrOf(8, {})),
      denial: {
        rule: "token_create",
        hook: "bpf_token_create",
        name: "BPF_TOKEN_CREATE",
        reason: /cannot make a token/,
      },
    },
  });

  const passing = COMMANDS.flatMap(({ name, number: cmd, treatment }) => (treatment === "pass" ? [{ name, cmd }] : []));
  it.each(passing)("is executed by the kernel: $name", ({ cmd }) => {
    expect(new FakeGate().bpf(cmd, null)).toBe("continue");
  });

  const byRegisters = COMMANDS.flatMap(({ name, number: cmd, treatment, kind }) =>
    treatment !== "copy" && kind !== "path" ? [{ name, cmd }] : [],
  );
  it.each(byRegisters)("is denied at hook bpf by a policy's verdict on its registers: $name", ({ name, cmd }) => {
    const gate = new FakeGate();
    gate.served.add("bpf");
    gate.verdicts.bpf = -13;
    expect(gate.bpf(cmd, null, 8)).toEqual({ result: -13 });
    expect(gate.asked).toMatchObject([{ hook: "bpf", subject: { name, cmd, size: 8 } }]);
    expect([gate.records, gate.task.made]).toEqual([[], []]);
  });

  it("that creates a token is left to the kernel where it creates none, unless a policy denies it", () => {
    const gate = new FakeGate();
    gate.served.add("bpf_token_create");
    gate.current = { ...gate.current, namespaces: { user: INITIAL_USER_NAMESPACE } };
    expect(gate.bpf(TOKEN_CREATE, null)).toBe("continue");
    gate.verdicts.bpf_token_create = -1;
    expect(gate.bpf(TOKEN_CREATE, null)).toEqual({ result: -1 });
  });
});

describe("a system call", () => {
  const foreign = (arch: number, call: number) => (gate: FakeGate) => gate.call(call, [], arch);
  itFails({
    "of the i386 ABI": {
      errno: 1,
      call: foreign(ARCH_I386, 1),
      denial: { rule: "foreign_call", hook: "bpf", name: "i386 system call 1", reason: /only arguments of the x86-64/ },
    },
    "of the i386 ABI that loads a module": {
      errno: 1,
      call: foreign(ARCH_I386, I386.init_module!),
      denial: {
        rule: "foreign_call",
        hook: "kernel_read_file",
        name: `i386 system call ${I386.init_module}`,
        reason: /\(init_module\)/,
      },
    },
    "of the x32 ABI": {
      errno: 1,
      call: (gate) => gate.call(X32.bpf! | X32_BIT, []),
      denial: { rule: "foreign_call", hook: "bpf", name: `x32 system call ${X32.bpf}`, reason: /\(bpf\)/ },
    },
    "that loads a new kernel": {
      errno: 1,
      call: (gate) => gate.call(NR.kexec_load, []),
      denial: { rule: "kexec", hook: "kernel_read_file", name: "kexec_load", reason: /new kernel/ },
    },
    "that the gate does not handle": {
      errno: 1,
      call: (gate) => gate.call(999, []),
      denial: { rule: "unknown_call", hook: "bpf", name: "system call 999", reason: /does not handle it/ },
    },
    "that would change the gate's limits": {
      errno: 1,
      call: (gate) => gate.call(NR.prlimit64, [BigInt(process.pid), 0n, 1n]),
      denial: {
        rule: "gate_target",
        hook: "bpf",
        name: "prlimit64",
        reason: /one of its threads would change the gate/,
      },
    },
  });

  it("that targets another process is executed by the kernel", () => {
    expect(new FakeGate().call(NR.prlimit64, [0x7fffffffn, 0n, 1n])).toBe("continue");
  });

  it("that is repeated is recorded once and counted after that", () => {
    const gate = new FakeGate();
    const answers = [0, 1, 2].map(() => gate.call(1, [], ARCH_I386));
    expect(answers).toEqual(Array(3).fill({ result: -GATE_RULES.foreign_call.errno }));
    expect([gate.records.length, gate.counts]).toEqual([1, ["repeats", "repeats"]]);
  });

  it("ends neither in a reply nor in a record if the gate itself fails", () => {
    const gate = new FakeGate();
    gate.task.read = () => {
      throw new Error("a fault of the gate");
    };
    expect(() => gate.bpf(0, null, 8)).toThrow("a fault of the gate");
    expect(gate.records).toEqual([]);
  });
});

describe("a call that takes several turns", () => {
  const verdict = (errno: number) => ({
    ...{ verdict: -errno, answered: true, delegated: false, freezes: false },
    outcome: errno === 0 ? ("allowed" as const) : ("denied" as const),
  });

  it("gets the verdict of an earlier turn, and no policy is asked again", () => {
    const gate = new FakeGate();
    gate.served.add("bpf");
    gate.decided = [verdict(13)];
    expect(gate.bpf(PASSING, null)).toEqual({ result: -13 });
    gate.decided = [verdict(0)];
    expect(gate.bpf(PASSING, null)).toBe("continue");
    expect(gate.asked).toEqual([]);
  });

  it("is denied by the gate though the earlier turn allowed it, and the denial is not recorded twice", () => {
    const gate = new FakeGate();
    gate.decided = [verdict(0)];
    expect(gate.call(NR.kexec_load, [])).toEqual({ result: -GATE_RULES.kexec.errno });
    gate.decided = [verdict(1)];
    expect(gate.call(NR.kexec_load, [])).toEqual({ result: -1 });
    expect(gate.records).toEqual([]);
  });
});
