import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LOAD } from "../../../../../src/gate/call/attr.js";
import { IssuedObjects } from "../../../../../src/gate/call/issued-objects.js";
import { copyLoad } from "../../../../../src/gate/commands/prog-load/live-load.js";
import { Facts } from "../../../../../src/gate/commands/prog-load/load-facts.js";
import { LiveKernel, NO_FILES } from "../../../../../src/gate/recognition/live-kernel.js";
import { type Analysis, analyse } from "../../../../../src/gate/task/blocking/load-analysis.js";
import { attrOf } from "../../../../support/fake-gate.js";
import { kernel, resetKernel } from "../../../../support/fake-kernel.js";
import { FakeTask } from "../../../../support/fake-task.js";

vi.mock("../../../../../src/sys/bpf.js", async () => (await import("../../../../support/fake-kernel.js")).BPF);

beforeEach(resetKernel);
afterEach(() => vi.restoreAllMocks());

const SOCKET_FILTER = 1;
const ARRAY = 2;
const RDONLY_PROG = 1 << 7;
/** The fds of the map: the task's, which the instructions name, and the gate's. */
const [OF_TASK, OF_GATE] = [5, 50];
/** `r1 = the value of map fd 5; r0 = 0; exit` */
const CODE = Buffer.from("18210000050000000000000000000000b7000000000000009500000000000000", "hex");
/** `r0 = 0; exit` */
const RETURNS = Buffer.from("b7000000000000009500000000000000", "hex");

it("has the contents of a constant map and their digest from one read, whatever a second one would return", () => {
  kernel.maps.set(OF_GATE, {
    ...{ type: ARRAY, id: 12, keySize: 4, valueSize: 8, maxEntries: 1, flags: RDONLY_PROG, name: ".rodata" },
  });
  kernel.frozen.add(OF_GATE);
  const reads = vi.spyOn(kernel.values, "get");
  reads.mockImplementation(() => new Uint8Array(8).fill(reads.mock.calls.length));
  const task = new FakeTask();
  task.fds.set(OF_TASK, OF_GATE);
  const words = {
    ...{ [LOAD.progType]: SOCKET_FILTER, [LOAD.insnCount]: CODE.byteLength / 8 },
    ...{ [LOAD.insns]: task.place(CODE), [LOAD.license]: task.place("GPL") },
  };
  const load = copyLoad(task, attrOf(LOAD.size, words));
  let analysed: Analysis | null = null;
  const analyst = {
    hasAnalysed: false,
    analyse: (given: Analysis) => {
      analysed = given;
      return analyse(given);
    },
  };
  const facts = new Facts({ find: () => null }, {}, new LiveKernel(NO_FILES));
  const { maps } = facts.of(load, new IssuedObjects(), task.process, analyst);
  const data = analysed!.maps.get(`fd ${OF_TASK}`)?.data;
  expect(data).toEqual(new Uint8Array(8).fill(1));
  expect(maps.map(({ contents }) => contents)).toEqual([createHash("sha256").update(data!).digest("hex")]);
  expect(reads).toHaveBeenCalledTimes(1);
});

it("keeps the instructions of a program, and not the memory that they were read into", () => {
  const task = new FakeTask();
  const pool = new Uint8Array(8192);
  vi.spyOn(task, "readAll").mockImplementation((spans) => {
    const length = spans.reduce((sum, span) => sum + span.length, 0);
    pool.set(RETURNS);
    pool.set(Buffer.from("GPL\0"), RETURNS.byteLength);
    return pool.subarray(0, length);
  });
  const words = { [LOAD.progType]: SOCKET_FILTER, [LOAD.insnCount]: 2, [LOAD.insns]: 4096, [LOAD.license]: 4096 };
  const load = copyLoad(task, attrOf(LOAD.size, words));
  const facts = new Facts({ find: () => null }, {}, new LiveKernel(NO_FILES));
  const { raw_insns } = facts.of(load, new IssuedObjects(), task.process, { hasAnalysed: false, analyse });
  expect(Buffer.from(raw_insns)).toEqual(RETURNS);
  expect(raw_insns.buffer.byteLength).toBe(RETURNS.byteLength);
});
