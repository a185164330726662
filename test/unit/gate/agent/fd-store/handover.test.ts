import { openSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { CountersignError } from "../../../../../src/error.js";
import { type Handover, isListener, receiveHandover } from "../../../../../src/gate/agent/fd-store/handover.js";
import { close } from "../../../../../src/sys/pidfd.js";
import { filteredProcess } from "../../../../support/filtered-process.js";
import { processState, RuntimeConnection } from "../../../../support/runtime-connection.js";
import { until } from "../../../../support/until.js";

describe("a handover of a runtime", () => {
  let runtime: RuntimeConnection;
  let taken: Handover[];
  let rejected: [Handover, CountersignError][];
  let refused: CountersignError[];
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    const pair = RuntimeConnection.pair();
    runtime = pair.runtime;
    // the end of a connection that a test leaves open is seen during the next one
    const own = { taken: [] as Handover[], rejected: [] as typeof rejected, refused: [] as CountersignError[] };
    ({ taken, rejected, refused } = own);
    receiveHandover(pair.accepted, {
      taken: (handover) => own.taken.push(handover),
      rejected: (handover, error) => {
        onTestFinished(() => close(handover.listener));
        own.rejected.push([handover, error]);
      },
      refused: (error) => own.refused.push(error),
    });
  });
  afterEach(() => runtime?.close());

  const ended = () => until(() => expect(taken.length + rejected.length + refused.length).toBe(1), 1);
  const other = () => {
    const fd = openSync("/dev/null", "r");
    onTestFinished(() => close(fd));
    return fd;
  };

  it("may arrive in parts, with other fds, of which only the listener stays open", {
    tags: ["deep"],
  }, async (context) => {
    const { listener } = await filteredProcess(context, ["true"]);
    const text = processState("c", { fds: ["pidFd", "seccompFd"], metadata: "countersign-fast-2" });
    runtime.send(text.slice(0, 10), [other()]);
    await new Promise(setImmediate);
    runtime.send(text.slice(10), [listener]);
    await ended();
    expect(taken[0]).toMatchObject({
      state: { id: "c", metadata: "countersign-fast-2", bundle: "/b", listenerIndex: 1 },
    });
    const received = taken[0]!.listener;
    expect(received).not.toBe(listener);
    expect(isListener(received)).toBe(true);
    expect(runtime.isClosed).toBe(true);
    close(received);
  });

  it.each<[string, RegExp, (runtime: RuntimeConnection) => void]>([
    ["without its listener", /container `c` came without its seccomp listener/, (its) => its.send(processState("c"))],
    [
      "with another fd",
      /container `c` came without its seccomp listener/,
      (its) => its.send(processState("c"), [other()]),
    ],
    ["without a state", /is malformed: `state` is not an object/, (its) => its.send(JSON.stringify({ fds: [] }))],
    ["of a runtime that ends meanwhile", /is malformed: it is not a JSON object/, (its) => its.send("{", [other()])],
    [
      "with too many fds",
      /more than [0-9]+ fds/,
      (its) => {
        for (let part = 0; part < 3; part += 1) its.send(" ", Array(4).fill(other()));
      },
    ],
  ])("is refused %s", async (title, message, send) => {
    send(runtime);
    if (title.includes("ends")) {
      runtime.close();
      runtime = RuntimeConnection.pair().runtime;
    }
    await ended();
    expect(refused[0]).toMatchObject({ code: "GATE_FAILED", message: expect.stringMatching(message) });
    expect(taken).toEqual([]);
  });

  it.for<[string, RegExp, string, (runtime: RuntimeConnection, listener: number) => void]>([
    [
      "where its state has no fd",
      /no `seccompFd`/,
      "unknown",
      (its, fd) => its.send(processState("c", { fds: [] }), [fd]),
    ],
    [
      "where its state names another fd",
      /without its seccomp listener/,
      "c",
      (its, fd) => its.send(processState("c"), [other(), fd]),
    ],
    ["where its state is garbage", /is not a JSON object/, "unknown", (its, fd) => its.send("[]", [fd])],
    [
      "where its state ends early",
      /is not a JSON object/,
      "unknown",
      (its, fd) => {
        its.send("{", [fd]);
        its.finish();
      },
    ],
    [
      "among too many fds, of which it is the last",
      /more than [0-9]+ fds/,
      "unknown",
      (its, fd) => its.send("{", [...Array(252).fill(other()), fd]),
    ],
    [
      "after too many fds",
      /more than [0-9]+ fds/,
      "unknown",
      (its, fd) => {
        its.send("{", Array(100).fill(other()));
        its.send("{", [fd]);
      },
    ],
  ])("is rejected %s, and its listener stays open", async ([, message, id, send], context) => {
    const { listener } = await filteredProcess(context, ["true"]);
    send(runtime, listener);
    await ended();
    const [handover, error] = rejected[0]!;
    expect(error).toMatchObject({ code: "GATE_FAILED", message: expect.stringMatching(message) });
    expect(handover.state.id).toBe(id);
    expect(isListener(handover.listener)).toBe(true);
    expect(runtime.isClosed).toBe(true);
  });

  it("has the listener that its state names, and others are rejected", { tags: ["deep"] }, async (context) => {
    const [one, two] = [await filteredProcess(context, ["true"]), await filteredProcess(context, ["true"])];
    runtime.send(processState("c", { fds: ["seccompFd", "other"] }), [one.listener, two.listener]);
    await until(() => expect([taken.length, rejected.length]).toEqual([1, 1]), 1);
    const [handover, error] = rejected[0]!;
    expect(error.message).toBe("container `c` came with more than one seccomp listener");
    for (const fd of [taken[0]!.listener, handover.listener]) expect(isListener(fd)).toBe(true);
    expect(handover.state.id).toBe("c");
    close(taken[0]!.listener);
  });

  it("is refused if it does not end", async () => {
    const part = " ".repeat(32 * 1024);
    await until(() => {
      while (runtime.send(part) > 0);
      expect(refused).toMatchObject([{ message: expect.stringContaining("ContainerProcessState is longer than") }]);
    }, 1);
  });
});

const NONE_COMES = { taken: () => undefined, rejected: () => undefined };

describe("a runtime that sends nothing", () => {
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is disconnected after five seconds", () => {
    const { runtime, accepted } = RuntimeConnection.pair();
    const refused: CountersignError[] = [];
    receiveHandover(accepted, { ...NONE_COMES, refused: (error) => refused.push(error) });
    vi.advanceTimersByTime(4999);
    expect(refused).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(refused).toMatchObject([
      { code: "GATE_FAILED", message: expect.stringContaining("sent no whole ContainerProcessState") },
    ]);
    expect(runtime.isClosed).toBe(true);
    runtime.close();
  });

  it("cannot be asked for its credentials if it is no socket", () => {
    const refused: CountersignError[] = [];
    receiveHandover(openSync("/dev/null", "r"), { ...NONE_COMES, refused: (error) => refused.push(error) });
    expect(refused).toMatchObject([{ message: "uid ? may not hand over containers" }]);
  });
});
