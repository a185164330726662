import { expect, it } from "vitest";
import { LOAD } from "../../../../../src/gate/call/attr.js";
import { copyLoad } from "../../../../../src/gate/commands/prog-load/live-load.js";
import { attrOf } from "../../../../support/fake-gate.js";
import { FakeTask } from "../../../../support/fake-task.js";

const EXIT = "b7000000000000009500000000000000";

/** Whether a load of this code, in hex, names types, variables or functions of the kernel. */
function namesKernel(code: string, words: Readonly<Record<number, number>> = {}): boolean {
  const insns = Buffer.from(code, "hex");
  const task = new FakeTask();
  const attr = attrOf(LOAD.size, {
    ...{ [LOAD.progType]: 1, [LOAD.insnCount]: insns.byteLength / 8 },
    ...{ [LOAD.insns]: task.place(insns), [LOAD.license]: task.place("GPL") },
    ...words,
  });
  return copyLoad(task, attr).namesKernel;
}

/** ld_imm64 with each value of the source register (BPF_PSEUDO_ of linux/bpf.h), and calls. */
it.each([
  ["a constant", "18000000010000000000000000000000", false],
  ["a map by its index", "18500000000000000000000000000000", false],
  ["a kernel variable by its BTF id", "18300000010000000000000000000000", true],
  ["a function of the program", "18400000000000000000000000000000", false],
  ["a helper", "8500000023000000", false],
  ["a function of the program that is called", "8510000000000000", false],
  ["a kfunc", "8520000001000000", true],
])("says of a load whether it names something of the kernel: %s", (_, code, names) => {
  expect(namesKernel(code + EXIT)).toBe(names);
});

it("says it of a load with a target, whatever its instructions name", () => {
  expect(namesKernel(EXIT)).toBe(false);
  expect(namesKernel(EXIT, { [LOAD.attachBtfId]: 5 })).toBe(true);
});
