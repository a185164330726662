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
  let refused: CountersignError[];
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    const pair = RuntimeConnection.pair();
    runtime = pair.runtime;
    taken = [];
    refused = [];
    receiveHandover(
      pair.accepted,
      (handover) => taken.push(handover),
      (error) => refused.push(error),
    );
  });
  afterEach(() => runtime?.close());

  const ended = () => until(() => expect(taken.length + refused.length).toBe(1), 1);
  const other = () => {
    const fd = openSync("/dev/null", "r");
    onTestFinished(() => close(fd));
    return fd;
  };

  it("may arrive in parts, with other fds, of which only the listener stays open", async (context) => {
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

  it("is refused if it does not end", async () => {
    const part = " ".repeat(32 * 1024);
    await until(() => {
      while (runtime.send(part) > 0);
      expect(refused).toMatchObject([{ message: expect.stringContaining("ContainerProcessState is longer than") }]);
    }, 1);
  });
});

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
    receiveHandover(
      accepted,
      () => undefined,
      (error) => refused.push(error),
    );
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
    receiveHandover(
      openSync("/dev/null", "r"),
      () => undefined,
      (error) => refused.push(error),
    );
    expect(refused).toMatchObject([{ message: "uid ? may not hand over containers" }]);
  });
});
