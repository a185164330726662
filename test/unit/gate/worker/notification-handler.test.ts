import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Answer } from "../../../../src/gate/call/answer.js";
import type { Call } from "../../../../src/gate/call/call.js";
import { checked } from "../../../../src/gate/call/failure.js";
import { AUDIT_ARCH_X86_64 } from "../../../../src/gate/call/filter.js";
import { IssuedObjects } from "../../../../src/gate/call/issued-objects.js";
import { Listener } from "../../../../src/gate/call/listener.js";
import type { Facts } from "../../../../src/gate/commands/prog-load/load-facts.js";
import { Tally } from "../../../../src/gate/decisions/tally.js";
import type { FromThread } from "../../../../src/gate/messages/messages.js";
import { newRecording } from "../../../../src/gate/task/blocking/call-recording.js";
import { Watch } from "../../../../src/gate/task/blocking/watch.js";
import type { PidfdCache } from "../../../../src/gate/task/pidfd-cache.js";
import { NotificationHandler } from "../../../../src/gate/worker/notification-handler.js";
import type { KernelProgram } from "../../../../src/sys/bpf.js";
import type { Impersonator } from "../../../../src/sys/credentials.js";
import { NR } from "../../../../src/sys/numbers.js";
import { FakeGate, NOWHERE } from "../../../support/fake-gate.js";
import { kernel, resetKernel } from "../../../support/fake-kernel.js";

/** What happens at the listener: the waiting call, what it is answered with, and whether the answer arrives. */
const listening = vi.hoisted(() => ({
  waiting: null as Uint8Array | null,
  sent: [] as { result: bigint; errno: number; flags: number }[],
  issued: [] as number[],
  issuing: 5,
}));
/** How a call is served. */
const served = vi.hoisted(() => ({ by: (_: Call): Answer => "continue" }));

vi.mock("../../../../src/sys/seccomp.js", async (original) => ({
  ...(await original<object>()),
  receive: (_: number, buffer: Uint8Array) => {
    if (listening.waiting === null) return -2;
    buffer.set(listening.waiting);
    return 0;
  },
  send: (_: number, bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const [result, errno, flags] = [view.getBigInt64(8, true), view.getInt32(16, true), view.getUint32(20, true)];
    listening.sent.push({ result, errno, flags });
    return 0;
  },
  answerWithFd: (_: number, __: bigint, fd: number) => {
    listening.issued.push(fd);
    return listening.issuing;
  },
  stillWaits: () => true,
  lasts: () => true,
}));
vi.mock("../../../../src/sys/pidfd.js", async (original) => ({
  ...(await original<object>()),
  ...(await import("../../../support/fake-kernel.js")).PIDFD,
}));
vi.mock("../../../../src/sys/bpf.js", async (original) => ({
  ...(await original<object>()),
  programInfo: (await import("../../../support/fake-kernel.js")).BPF.programInfo,
}));
vi.mock("../../../../src/gate/worker/serve-call.js", async (original) => ({
  ...(await original<object>()),
  serveCall: (call: Call) => served.by(call),
}));

const LISTENER = 99;
const MADE = 77;
const ENTRY = { creator: 1, memory: 8, exclusive: false };
const CONTINUE = { result: 0n, errno: 0, flags: 1 };
const failed = (errno: number) => ({ result: 0n, errno: -errno, flags: 0 });

function notification(words: readonly bigint[] = [5n]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(80));
  bytes.setBigUint64(0, 1n, true);
  bytes.setUint32(8, process.pid, true);
  bytes.setInt32(16, NR.bpf, true);
  bytes.setUint32(20, AUDIT_ARCH_X86_64, true);
  for (const [index, word] of words.entries()) bytes.setBigUint64(32 + 8 * index, word, true);
  return new Uint8Array(bytes.buffer);
}

/** No load waits. */
const UNTHROTTLED = { pause: () => 0, announce: () => false };
/** What the log has of the first load that waits. */
const THROTTLED = { hook: "bpf_prog_load", name: "throttled", digest: "", rule: null, reason: null } as const;

function handler({ audit = false, seen = true, throttle = UNTHROTTLED } = {}) {
  const gate = new FakeGate(audit);
  const said: FromThread[] = [];
  const info = { tgid: process.pid, uid: 0, euid: 0, gid: 0, egid: 0 };
  const services = {
    ...gate.services(),
    impersonator: {} as Impersonator,
    watch: new Watch(),
    tally: new Tally(),
    alone: () => true,
    throttle: { ...gate.services().throttle, ...throttle },
    logThrottle: () => void gate.records.push(THROTTLED),
  };
  const cache = { find: () => seen, info, pidfd: -1 } as unknown as PidfdCache;
  const made = new NotificationHandler(services, {} as Facts, cache, (message) => said.push(message));
  const listener = new Listener(LISTENER, null, new IssuedObjects());
  return { gate, said, listener, handler: made, tally: services.tally };
}

beforeEach(() => {
  resetKernel();
  Object.assign(listening, { waiting: notification(), sent: [], issued: [], issuing: 5 });
});

describe("the reply to a call", () => {
  it.each([
    ["the kernel's, if the kernel executes it", "continue", [CONTINUE]],
    ["a result", { result: 3 }, [{ result: 3n, errno: 0, flags: 0 }]],
    ["an errno", { result: -13 }, [failed(13)]],
    ["none, if the caller has exited", "gone", []],
  ] as const)("is %s", (_, answer, sent) => {
    const { handler: served_, listener } = handler();
    served.by = () => answer;
    expect(served_.serve(listener)).toBe(true);
    expect(listening.sent).toEqual(sent);
  });

  it("is an fd: it is installed in the task, its object is remembered, and the gate's fd is closed", () => {
    const { handler: served_, listener } = handler();
    served.by = ({ task }) => ({ fd: task.adopt(MADE), issued: { id: 12, entry: ENTRY } });
    served_.serve(listener);
    expect([listening.issued, listening.sent, kernel.closed]).toEqual([[MADE], [], [MADE]]);
    expect(listener.objects.map(12)?.creator).toBe(1);
  });

  it("is an errno if the task can take no more fds, and nothing is remembered", () => {
    const { handler: served_, listener } = handler();
    served.by = ({ task }) => ({ fd: task.adopt(MADE), issued: { id: 12, entry: ENTRY } });
    listening.issuing = -24;
    served_.serve(listener);
    expect([listening.sent, kernel.closed]).toEqual([[failed(24)], [MADE]]);
    expect(listener.objects.map(12)).toBeUndefined();
  });

  it("is EFAULT if the kernel's output cannot be written, and the fd is closed and not issued", () => {
    const { handler: served_, listener } = handler();
    served.by = ({ task }) => {
      task.write(NOWHERE, Uint8Array.of(1));
      return { fd: task.adopt(MADE), issued: null };
    };
    served_.serve(listener);
    expect([listening.sent, listening.issued, kernel.closed]).toEqual([[failed(14)], [], [MADE]]);
  });

  it("is none if no call waits any more", () => {
    const { handler: served_, listener } = handler();
    listening.waiting = null;
    expect(served_.serve(listener)).toBe(false);
  });
});

describe("the fd that a failed call made", () => {
  it("is closed before the reply", () => {
    const { handler: served_, listener } = handler();
    const order: (readonly number[])[] = [];
    served.by = ({ task }) => {
      task.adopt(MADE);
      return { result: -1 };
    };
    listening.sent.push = (...sent) => {
      order.push([...kernel.closed]);
      return Array.prototype.push.apply(listening.sent, sent);
    };
    served_.serve(listener);
    expect(order).toEqual([[MADE]]);
    expect(kernel.closed).toEqual([MADE]);
  });

  it("stays open until a turn ends the call, because each turn gets it again", () => {
    const { handler: served_, listener, said } = handler();
    served.by = ({ task }) => {
      task.adopt(MADE);
      task.write(NOWHERE, Uint8Array.of(1)); // such as the verifier's log
      return { result: -1 };
    };
    listener.slowUntil = Date.now() + 60_000;
    served_.serve(listener);
    expect([kernel.closed, listening.sent]).toEqual([[], []]);
    const [message] = said as [FromThread & { is: "opNeeded" }];
    expect(message).toMatchObject({ is: "opNeeded", serialized: expect.anything() });
    message.recording.results.push({ outcome: true, memory: [] });
    served_.resume(listener, message.recording, null);
    expect([kernel.closed, listening.sent]).toEqual([[MADE], [failed(1)]]);
    expect(said.at(-1)).toMatchObject({ is: "served" });
  });
});

describe("a call that is denied without being served", () => {
  it.each([false, true])("because its task has no id here (audit: %s)", (audit) => {
    const { handler: served_, listener, gate } = handler({ audit, seen: false });
    served_.serve(listener);
    expect(gate.records).toMatchObject([{ rule: "unseen_task", name: `task ${process.pid}` }]);
    expect(listening.sent).toEqual([audit ? CONTINUE : failed(1)]);
  });

  it.each([false, true])("because it takes too long (audit: %s)", (audit) => {
    const { handler: served_, listener, gate, tally } = handler({ audit });
    served_.resume(listener, newRecording(LISTENER, notification()), "task 7 kept its memory from being read");
    expect(gate.records).toMatchObject([{ rule: "stalled", reason: "task 7 kept its memory from being read" }]);
    expect(listening.sent).toEqual([audit ? CONTINUE : failed(1)]);
    expect(tally.read().denied).toBe(1);
  });

  it("because it needs too many blocking operations", () => {
    const { handler: served_, listener, gate } = handler();
    const results = Array.from({ length: 256 }, () => ({ outcome: true, memory: [] }));
    served.by = ({ task }) => {
      for (let count = 0; count <= results.length; count += 1) task.identify(1);
      return "continue";
    };
    served_.resume(listener, { ...newRecording(LISTENER, notification()), results }, null);
    expect(gate.records).toMatchObject([{ rule: "stalled" }]);
    expect(listening.sent).toEqual([failed(1)]);
  });
});

describe("a load, if too many programs were released", () => {
  const throttle = { pause: () => 70, announce: () => true };

  it("waits before anything is done for it, and is counted, logged and reported once", () => {
    const announced = [true, false];
    const {
      handler: served_,
      listener,
      said,
      tally,
      gate,
    } = handler({
      throttle: { ...throttle, announce: () => announced.shift()! },
    });
    served.by = () => expect.unreachable();
    served_.serve(listener);
    const [message] = said as [FromThread & { is: "throttled" }];
    expect(message).toMatchObject({ is: "throttled", pause: 70, isFirst: true, recording: { listener: LISTENER } });
    served_.resume(listener, message.recording, null);
    expect(said.at(-1)).toMatchObject({ is: "throttled", isFirst: false });
    expect([listening.sent, tally.read().throttled, gate.records]).toEqual([[], 1, [THROTTLED]]);
  });

  it("is served as any other call when it need not wait any more", () => {
    const { handler: served_, listener, said, tally } = handler();
    served.by = ({ task }) => ({ fd: task.adopt(MADE), issued: null });
    served_.resume(listener, { ...newRecording(LISTENER, notification()), throttled: true }, null);
    expect([listening.issued, said]).toMatchObject([[MADE], [{ is: "served" }]]);
    expect(tally.read().throttled).toBe(0);
  });

  it.each([
    ["a slow container's load that an earlier turn has begun", { results: [{ outcome: null, memory: [] }] }],
    ["a long load that was admitted", { admitted: true }],
    ["a load that was decided when its thread was terminated", { verdicts: [{} as never] }],
  ])("does not make this wait: %s", (_, begun) => {
    const { handler: served_, listener } = handler({ throttle });
    served.by = () => ({ result: -1 });
    served_.resume(listener, { ...newRecording(LISTENER, notification()), ...begun }, null);
    expect(listening.sent).toEqual([failed(1)]);
  });

  it.each([
    ["other commands", notification([0n]), { result: -1 }],
    ["the denial of a call that takes too long", notification(), null],
  ] as const)("does not make this wait: %s", (_, waiting, answer) => {
    const { handler: served_, listener } = handler({ throttle });
    served.by = () => answer ?? expect.unreachable();
    served_.resume(listener, newRecording(LISTENER, waiting), answer === null ? "too long" : null);
    expect(listening.sent).toEqual([failed(1)]);
  });

  it.each([
    ["is denied because it takes too long", "too long", true],
    ["belongs to a task that has exited", null, false],
  ])("has its program counted if it %s after the load", (_, reason, seen) => {
    kernel.programs.set(MADE, { id: 7 } as KernelProgram);
    const { handler: served_, listener, gate } = handler({ seen });
    const results = [null, true, 0, 78, MADE].map((outcome) => ({ outcome, memory: [] }));
    served_.resume(listener, { ...newRecording(LISTENER, notification()), results }, reason);
    expect([gate.loaded, kernel.closed]).toEqual([[7], [78, MADE]]);
  });

  it("does not make calls of another ABI wait, whose numbers mean other calls", () => {
    const { handler: served_, listener, said } = handler({ throttle });
    const foreign = notification();
    new DataView(foreign.buffer).setUint32(20, 0x40000003, true); // AUDIT_ARCH_I386
    listening.waiting = foreign;
    served.by = () => ({ result: -1 });
    served_.serve(listener);
    expect([listening.sent, said]).toEqual([[failed(1)], []]);
  });
});

describe("a call that needs no caller", () => {
  it("is left to the kernel without being served", () => {
    const { handler: served_, listener } = handler({ seen: false });
    served.by = () => ({ result: checked(-1) });
    listening.waiting = notification([1n]); // BPF_MAP_LOOKUP_ELEM
    served_.serve(listener);
    expect(listening.sent).toEqual([CONTINUE]);
  });
});
