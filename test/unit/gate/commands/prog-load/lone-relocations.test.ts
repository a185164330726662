import { beforeEach, describe, expect, it, vi } from "vitest";
import { CMD } from "../../../../../src/bpf/model/commands.js";
import { LOAD } from "../../../../../src/gate/call/attr.js";
import type { Make } from "../../../../../src/gate/task/blocking/blocking-op.js";
import { addressOf } from "../../../../../src/sys/libc.js";
import { attrOf, FakeGate } from "../../../../support/fake-gate.js";
import { kernel, resetKernel } from "../../../../support/fake-kernel.js";

vi.mock("../../../../../src/sys/bpf.js", async () => (await import("../../../../support/fake-kernel.js")).BPF);

beforeEach(resetKernel);

/** The gate's fd of the loaded program, of the task's BTF, and the task's fd of that BTF. */
const [LOADED, BTF, BTF_OF_TASK] = [77, 60, 6];
const [EBADF, EFAULT, EINVAL] = [9, 14, 22];
/** `r0 = 2; exit`, which returns XDP_PASS, and the record of a relocation of its first instruction. */
const CODE = Buffer.from("b7000000020000009500000000000000", "hex");
const WORDS = [0, 1, 1, 10];
const RELOCATION = new Uint8Array(Uint32Array.from(WORDS).buffer);
const XDP = 6;

interface Passed {
  readonly insnCount: number;
  readonly btf: number;
  readonly relocations: readonly number[] | null;
}

type Words = Readonly<Record<number, number | bigint>>;

/**
 * Loads a program with core_relos alone. `answer` is what the kernel answers to the gate's question. Returns the load's
 * outcome and what the gate passed to the kernel, without the question.
 */
function load(answer: number, words: (gate: FakeGate) => Words = () => ({}), set?: (gate: FakeGate) => void) {
  const gate = new FakeGate();
  const { task } = gate;
  const tag = "0".repeat(16);
  const info = { type: XDP, id: 7, tag, jitedLength: 8, xlatedLength: 8, verifiedInsns: 2, mapIds: [], name: "p" };
  kernel.programs.set(LOADED, info);
  task.fds.set(BTF_OF_TASK, BTF);
  set?.(gate);
  const passed: Passed[] = [];
  task.result = (made) => {
    const found = passedBy(made);
    if (found.insnCount === 1 && found.btf === -1) return answer;
    passed.push(found);
    return LOADED;
  };
  const given: Words = {
    ...{ [LOAD.progType]: XDP, [LOAD.insnCount]: CODE.byteLength / 8, [LOAD.insns]: task.place(CODE) },
    ...{ [LOAD.license]: task.place("GPL"), [LOAD.progBtfFd]: BTF_OF_TASK, [LOAD.coreReloCount]: 1 },
    ...{ [LOAD.coreReloRecordSize]: RELOCATION.byteLength, [LOAD.coreRelos]: task.place(RELOCATION) },
    ...words(gate),
  };
  const outcome = gate.bpf(CMD.BPF_PROG_LOAD, attrOf(LOAD.size, given));
  return { outcome, passed, gate, questions: task.made.length - passed.length };
}

/** The attr of a call, and its core_relos as it finds them in the memory that the gate holds. */
function passedBy({ words, held = [] }: Omit<Make, "do" | "during">): Passed {
  const attr = words[1] as Uint8Array;
  const view = new DataView(attr.buffer, attr.byteOffset, attr.byteLength);
  const address = view.getBigUint64(LOAD.coreRelos, true);
  const found = held.find((bytes) => bytes.byteLength > 0 && BigInt(addressOf(bytes)) === address);
  const relocations = address === 0n ? null : [...new Uint32Array(Uint8Array.from(found as Uint8Array).buffer)];
  const btf = view.getInt32(LOAD.progBtfFd, true);
  return { insnCount: view.getUint32(LOAD.insnCount, true), btf, relocations };
}

describe("core_relos without func_info and line_info", () => {
  it("are left out if the kernel ignores them, and the program has the values of its instructions", () => {
    const { passed, gate, questions } = load(-EINVAL);
    expect(questions).toBe(1);
    expect(passed).toEqual([{ insnCount: 2, btf: BTF, relocations: null }]);
    expect(gate.asked[0]?.subject).toMatchObject({ effects: { decides: false } });
  });

  it("are copied if the kernel applies them, and the values of relocated instructions are unknown", () => {
    const { passed, gate } = load(-EBADF);
    expect(passed).toEqual([{ insnCount: 2, btf: BTF, relocations: WORDS }]);
    expect(gate.asked[0]?.subject).toMatchObject({ effects: { decides: true } });
  });

  it("are of the BTF behind the task's fd 0 if that is what the load names", () => {
    const ofZero = (fd: number) =>
      load(
        -EBADF,
        () => ({ [LOAD.progBtfFd]: 0 }),
        ({ task }) => task.fds.set(0, fd),
      );
    expect(ofZero(61).passed).toMatchObject([{ btf: 61 }]);
    expect(load(-EBADF, () => ({ [LOAD.progBtfFd]: 0 })).passed).toMatchObject([{ btf: -EBADF }]);
  });

  it.each([
    ["cannot be read", EFAULT, { [LOAD.coreRelos]: 8n }],
    ["have no size", EINVAL, { [LOAD.coreReloRecordSize]: 0 }],
    ["are longer than the kernel takes", EINVAL, { [LOAD.coreReloRecordSize]: 256 }],
  ])("fail the load if they %s, but only on a kernel that applies them", (_, errno, words) => {
    expect(load(-EBADF, () => words)).toMatchObject({ outcome: { result: -errno }, passed: [] });
    expect(load(-EINVAL, () => words).passed).toMatchObject([{ relocations: null }]);
  });

  it("need no question if the load has func_info, or if a guard denies all loads with core_relos", () => {
    const functions = ({ task }: FakeGate) => ({
      ...{ [LOAD.funcInfo]: task.place(new Uint8Array(8)), [LOAD.funcInfoCount]: 1, [LOAD.funcInfoRecordSize]: 8 },
    });
    const withFunctions = load(-EINVAL, functions);
    expect(withFunctions.questions).toBe(0);
    expect(withFunctions.passed).toMatchObject([{ relocations: WORDS }]);
    const sealed = load(-EBADF, undefined, (gate) => {
      gate.settings = { ...gate.settings, agent: true };
    });
    expect(sealed.questions).toBe(0);
    expect(sealed.passed).toMatchObject([{ relocations: null }]);
  });

  it("make no difference to a caller that has exited: no policy is asked", () => {
    const { outcome, gate } = load(-EBADF, undefined, ({ task }) => {
      task.stillWaits = false;
    });
    expect(outcome).toBe("gone");
    expect(gate.asked).toEqual([]);
  });
});
