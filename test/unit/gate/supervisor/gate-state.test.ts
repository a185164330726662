import { describe, expect, it } from "vitest";
import type { Config } from "../../../../src/config/config.js";
import type { ToThread } from "../../../../src/gate/messages/messages.js";
import { GateState } from "../../../../src/gate/supervisor/gate-state.js";
import { newRecording } from "../../../../src/gate/task/blocking/call-recording.js";

const CONFIG = {
  keyrings: [],
  maps: [],
  attachments: [{ name: "a", mode: "audit", limits: { timeout: 50 } }],
  gate: { stall: 250 },
} as unknown as Config;
const WRITES = { attachment: "a", mode: "audit", writes: [{ map: "m", key: "k", value: "1" }] } as const;

const listenerOf = (fd: number, id: string) => ({
  fd,
  container: { id, name: id, labels: null, annotations: {} },
  cursor: -1,
  filter: "full" as const,
});

describe("the state of a gate", () => {
  it("reaches a thread that takes over: first what was decided, then listeners, requests and calls", () => {
    const state = new GateState(CONFIG);
    state.listeners.add(listenerOf(5, "a"));
    state.listeners.add(listenerOf(6, "b"));
    state.markSlow(5);
    const recording = newRecording(5, new Uint8Array(80));
    state.calls.add(recording, "stalled");
    state.handover.record({ answers: [WRITES] });
    state.handover.recordFailures([0], "c0");
    const request: ToThread = { do: "reload", requestId: 3, config: CONFIG, sealed: new Map(), shadow: null };
    const messages = state.takeoverMessages([request]);
    expect(messages).toMatchObject([
      {
        do: "inherit",
        suspensions: { principals: [["0 c0", { count: 1 }]], attachments: [[0, { count: 1 }]] },
        issued: [],
        commits: [{ attachment: "a" }],
      },
      { do: "setSlowContainers", slowContainers: [["a", { count: 1 }]] },
      { do: "listen", requestId: 0, fd: 5 },
      { do: "listen", requestId: 0, fd: 6 },
      request,
      { do: "serve", recording, reason: "stalled" },
    ]);
  });

  it("has the map writes with their attachments' modes, until the configuration is replaced", () => {
    const state = new GateState(CONFIG);
    state.handover.record({ answers: [WRITES] });
    expect(state.mapWrites).toEqual([WRITES]);
    const sealed = new Map();
    state.reload({ ...CONFIG, gate: { ...CONFIG.gate, stall: 100 } }, sealed);
    expect(state.mapWrites).toEqual([]);
    expect(state.stall).toBe(100);
    expect(state.sealed).toBe(sealed);
  });

  it("keeps a container until its last listener is gone", () => {
    const state = new GateState(CONFIG);
    state.listeners.add(listenerOf(5, "a"));
    state.listeners.add(listenerOf(6, "a"));
    state.removeListener(5);
    expect([...state.listeners.all].map(({ fd }) => fd)).toEqual([6]);
    state.removeListener(6);
    state.removeListener(6);
    expect([...state.listeners.all]).toEqual([]);
  });
});
