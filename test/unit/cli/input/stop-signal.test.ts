import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StopSignal } from "../../../../src/cli/input/stop-signal.js";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const LONG = 3_600_000;

describe("a stop signal", () => {
  /** Handlers of the test runner and of other files, which must not get what is emitted here. */
  let others: ReadonlyMap<NodeJS.Signals, NodeJS.SignalsListener[]>;
  beforeEach(() => {
    others = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal) as NodeJS.SignalsListener[]]));
    for (const signal of SIGNALS) process.removeAllListeners(signal);
  });
  afterEach(() => {
    for (const [signal, listeners] of others) {
      process.removeAllListeners(signal);
      for (const listener of listeners) process.on(signal, listener);
    }
  });

  it("has not come when a wait is over", async () => {
    expect(await new StopSignal().wait(1)).toBe(false);
  });

  it.each(SIGNALS)("ends a wait, and those after it: %s", async (signal) => {
    const stop = new StopSignal();
    const waited = stop.wait(LONG);
    process.emit(signal, signal);
    expect(await waited).toBe(true);
    expect(await stop.wait(LONG)).toBe(true);
    expect(await stop.came).toBeUndefined();
  });
});
