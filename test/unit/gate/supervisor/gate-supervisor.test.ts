import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Config, readConfig } from "../../../../src/config/config.js";
import { NO_SUSPENSIONS } from "../../../../src/engine/handover/suspension-list.js";
import type { IssuedObject } from "../../../../src/gate/call/issued-objects.js";
import { ShadowBacklog } from "../../../../src/gate/decisions/shadow-backlog.js";
import type { ToThread } from "../../../../src/gate/messages/messages.js";
import { GateSupervisor, type StartThread } from "../../../../src/gate/supervisor/gate-supervisor.js";
import type { SupervisorEvent } from "../../../../src/gate/supervisor/supervisor-event.js";
import { newRecording, recordingKey } from "../../../../src/gate/task/blocking/call-recording.js";
import type { Container } from "../../../../src/policy/model/current.js";
import { FakeDecisionThread } from "../../../support/fake-decision-thread.js";
import { fakeTime } from "../../../support/passing-time.js";
import { until } from "../../../support/until.js";
import { task } from "../../../task.js";

vi.mock("../../../../src/sys/seccomp.js", async (original) => ({
  ...(await original<object>()),
  stillWaits: () => true,
}));

let folder: string;
let config: Config;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-supervisor-"));
  writeFileSync(join(folder, "policy.js"), "export const bpf_prog_load = () => 0;\n");
  writeFileSync(
    join(folder, "countersign.yaml"),
    JSON.stringify({
      version: 1,
      maps: { counts: { writable: { entries: 10, bytes: "1KiB" }, writers: ["a"] } },
      attachments: [{ name: "a", policy: "policy.js", limits: { timeout: "50ms" } }],
      gate: { stall: "250ms" },
    }),
  );
  config = readConfig(join(folder, "countersign.yaml"), "agent");
});
afterAll(() => rmSync(folder, { recursive: true }));

const FAILURE = { code: "FILE_UNREADABLE", message: "no space left", place: undefined, remedy: undefined };
const LISTENER = 1000;
const WRITES = { attachment: "a", mode: "enforce", writes: [{ map: "counts", key: "k", value: "1" }] } as const;

const containerOf = (id: string): Container => ({ id, name: id, labels: null, annotations: {} });
function recordingOf(id: number) {
  const notification = new Uint8Array(80);
  notification[0] = id;
  return newRecording(LISTENER, notification);
}

/** A map that exists nowhere: `all` of IssuedObjects forgets it. */
const MAP = { id: 0x7fff_fff0, entry: { withheld: false, memory: 4096 } } as unknown as IssuedObject;

describe("the supervisor of a gate", () => {
  let threads: FakeDecisionThread[];
  let events: SupervisorEvent[];
  let supervisor: GateSupervisor;
  const startThread: StartThread = (_, onMessage) => {
    const thread = new FakeDecisionThread(onMessage);
    threads.push(thread);
    return thread;
  };
  const start = async () => {
    const starting = GateSupervisor.start(config, (event) => events.push(event), startThread);
    threads[0]!.say({ is: "ready" });
    return starting;
  };
  const current = () => threads[0]!;
  const last = () => current().posted.at(-1) as ToThread & { readonly requestId: number };

  beforeEach(async () => {
    threads = [];
    events = [];
    supervisor = await start();
  });
  afterEach(() => supervisor.stop());

  it("keeps the process alive, and does not start if its thread does not", async () => {
    expect(current().isHeld).toBe(true);
    const starting = GateSupervisor.start(config, () => undefined, startThread);
    threads[1]!.say({ is: "failed", id: null, error: { ...FAILURE, code: "HOOK_NOT_ENFORCED" } });
    await expect(starting).rejects.toMatchObject({ code: "HOOK_NOT_ENFORCED" });
    expect(threads[1]!.postedKinds).toEqual(["stop"]);
  });

  it("passes on what was decided for its shadow, and counts what was for a shadow before it as missed", {
    tags: ["deep"],
  }, async () => {
    const question = {
      request: { hook: "bpf_prog_load", subject: { name: "p" } as never, current: task() },
      decided: { id: "1", time: 7, judged_time: 7, enforced_verdict: 0, denied_by: null, audit_denials: [] },
      bytes: 100,
    } as const;
    current().say({ is: "shadow", id: 0, question });
    expect(supervisor.tally.read()).toMatchObject({ shadowMissed: 1 });
    writeFileSync(join(folder, "new.yaml"), JSON.stringify({ version: 1, attachments: [] }));
    const shadow = readConfig(join(folder, "new.yaml"), "agent");
    const reloading = supervisor.reload({ ...config, shadow });
    await until(() => expect(last()).toMatchObject({ do: "reload" }));
    const { requestId, shadow: link } = last() as ToThread & { do: "reload" };
    current().say({ is: "done", requestId });
    await reloading;
    expect(new ShadowBacklog(link!.backlog).add(100)).toBe(true);
    current().say({ is: "shadow", id: link!.id, question });
    current().say({ is: "shadow", id: link!.id - 1, question });
    await until(() => expect(supervisor.tally.read()).toMatchObject({ shadowDecisions: 1, shadowMissed: 2 }));
    expect(new ShadowBacklog(link!.backlog).size).toBe(0);
  });

  it.each<readonly [string, Parameters<FakeDecisionThread["say"]>[0], readonly object[]]>([
    [
      "warnings",
      { is: "read", texts: new Map(), warnings: [{ code: "W", message: "m", place: "p", remedy: "r" } as never] },
      [{ is: "warning", warning: { code: "W", message: "m", place: "p", remedy: "r" } }],
    ],
    ["a hangup", { is: "hangup", fd: LISTENER }, [{ is: "hangup", fd: LISTENER }]],
    [
      "issued objects by container",
      {
        is: "issued",
        issued: [
          ["a", MAP],
          ["b", MAP],
          ["a", MAP],
        ],
      },
      [
        { is: "issued", containerKey: "a", issued: [MAP, MAP] },
        { is: "issued", containerKey: "b", issued: [MAP] },
      ],
    ],
    ["map writes", { is: "mapWrites", answers: [WRITES] }, [{ is: "mapWrites", answers: [WRITES] }]],
    [
      "denials",
      { is: "denial", id: "1", hook: "bpf", subject: "s", reason: "r", outcome: "denied" },
      [{ is: "denial", id: "1", hook: "bpf", subject: "s", reason: "r", outcome: "denied" }],
    ],
    ["that decisions are not logged", { is: "unlogged", error: FAILURE }, [{ is: "unlogged" }]],
    ["nothing else: failures of policies", { is: "policyFailures", attachments: [0], principal: "c0" }, []],
    ["nothing else: sealed keyrings", { is: "sealed", sealed: new Map() }, []],
    ["nothing else: fds", { is: "opened", fds: [] }, []],
    ["nothing else: files of the installation", { is: "installed", files: new Map() }, []],
  ])("reports %s", (_, message, expected) => {
    current().say(message);
    expect(events).toMatchObject(expected);
    expect(events).toHaveLength(expected.length);
  });

  it("reports once that decisions are not logged", () => {
    current().say({ is: "unlogged", error: FAILURE });
    current().say({ is: "unlogged", error: FAILURE });
    expect(events.map(({ is }) => is)).toEqual(["unlogged"]);
  });

  it("knows the filter, the texts and the map writes from its thread", () => {
    expect(supervisor.fastest).toBe("full");
    current().say({ is: "filter", fastest: "load" as never });
    expect(supervisor.fastest).toBe("load");
    expect(supervisor.texts).toEqual(new Map());
    const texts = new Map([["policy.js", "text"]]);
    current().say({ is: "read", texts: texts as never, warnings: [] });
    expect(supervisor.texts).toBe(texts);
    current().say({ is: "mapWrites", answers: [WRITES] });
    expect(supervisor.mapWrites).toEqual([WRITES]);
  });

  it("serves a listener when its thread has answered", async () => {
    const listening = supervisor.listen(LISTENER, containerOf("a"), "full", 5);
    const message = last();
    expect(message).toMatchObject({ do: "listen", fd: LISTENER, cursor: 5, filter: "full", container: { id: "a" } });
    current().say({ is: "done", requestId: message.requestId });
    await listening;

    const again = supervisor.listen(LISTENER, containerOf("a"), "full");
    expect(last()).toMatchObject({ cursor: 5 });
    current().say({ is: "done", requestId: last().requestId });
    await again;
  });

  it("does not serve a listener that its thread rejects", async () => {
    const listening = supervisor.listen(LISTENER, null, "full");
    current().say({ is: "failed", id: last().requestId, error: { ...FAILURE, code: "HOOK_NOT_ENFORCED" } });
    await expect(listening).rejects.toMatchObject({ code: "HOOK_NOT_ENFORCED" });
  });

  it("passes on what an earlier gate left", () => {
    supervisor.restoreMapWrites([WRITES]);
    expect(last()).toMatchObject({ do: "inherit", sealed: null, suspensions: NO_SUSPENSIONS, issued: [] });
    expect(supervisor.mapWrites).toEqual([WRITES]);
    const posted = current().posted.length;
    supervisor.addIssued("a", []);
    expect(current().posted).toHaveLength(posted);
    supervisor.addIssued("a", [MAP]);
    expect(last().do).toBe("addIssued");
    expect(supervisor.issuedTo("nobody")).toEqual([]);
  });

  it("keeps its configuration if its thread cannot use the new one", async () => {
    current().say({ is: "mapWrites", answers: [WRITES] });
    const failing = supervisor.reload(config);
    expect(last().do).toBe("reload");
    current().say({ is: "failed", id: last().requestId, error: FAILURE });
    await expect(failing).rejects.toMatchObject({ message: FAILURE.message });
    expect(supervisor.mapWrites).toEqual([WRITES]);
  });

  it("forgets map writes when it has a new configuration", async () => {
    current().say({ is: "mapWrites", answers: [WRITES] });
    const reloading = supervisor.reload(config);
    current().say({ is: "done", requestId: last().requestId });
    await reloading;
    expect(supervisor.mapWrites).toEqual([]);
  });

  it("has its thread trim its memory", { tags: ["deep"] }, async () => {
    await supervisor.trimMemory().catch(() => undefined);
    expect(current().postedKinds).toContain("trimMemory");
  });

  it("has blocking workers serve the container of a slow listener", () => {
    expect(supervisor.slowContainers).toBe(0);
    current().say({ is: "slowListener", fd: LISTENER });
    expect(supervisor.slowContainers).toBe(1);
    expect(supervisor.tally.read()).toMatchObject({ slowTasks: 1 });
    expect(last().do).toBe("setSlowContainers");
  });

  it("admits long calls of a container one after the other", () => {
    current().say({ is: "opNeeded", recording: recordingOf(1), serialized: null });
    expect(last()).toMatchObject({ do: "serve", recording: { admitted: true }, reason: null });
    const posted = current().posted.length;
    current().say({ is: "opNeeded", recording: recordingOf(2), serialized: null });
    expect(current().posted).toHaveLength(posted);
    current().say({ is: "served", recording: recordingKey(recordingOf(1)) });
    expect(last()).toMatchObject({ do: "serve", recording: { notification: recordingOf(2).notification } });
  });

  it("has loads that must wait served again after their pause, one of a container after the other", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const served = () => current().posted.flatMap((message) => (message.do === "serve" ? [message.recording] : []));
      const [first, second] = [recordingOf(1), recordingOf(2)];
      current().say({ is: "throttled", recording: first, pause: 100, isFirst: true });
      current().say({ is: "throttled", recording: second, pause: 100, isFirst: false });
      expect(events).toEqual([{ is: "throttled", container: null }]);
      vi.advanceTimersByTime(99);
      expect(served()).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(served()).toEqual([first]);
      current().say({ is: "throttled", recording: first, pause: 50, isFirst: false });
      vi.advanceTimersByTime(50);
      expect(served()).toEqual([first, first]);
      current().say({ is: "opNeeded", recording: first, serialized: null });
      expect(served()).toEqual([first, first, second, { ...first, admitted: true }]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("reports once that its thread has ended, and rejects what is pending", async () => {
    const listening = supervisor.listen(LISTENER, null, "full");
    current().exit("out of memory");
    await expect(listening).rejects.toMatchObject({ code: "GATE_FAILED" });
    current().say({ is: "failed", id: null, error: FAILURE });
    expect(events).toMatchObject([{ is: "lost", error: { code: "GATE_FAILED" } }]);
    expect(String((events[0] as { error: Error }).error)).toContain("out of memory");
  });

  it("terminates a thread that does not stop", async () => {
    fakeTime("setTimeout", "clearTimeout");
    try {
      const thread = current();
      vi.spyOn(thread, "post").mockImplementation(() => undefined);
      const stopping = supervisor.stop();
      vi.advanceTimersByTime(1999);
      expect(thread.isTerminated).toBe(false);
      vi.advanceTimersByTime(1);
      expect(thread.isTerminated).toBe(true);
      await stopping;
    } finally {
      vi.restoreAllMocks();
      vi.useRealTimers();
    }
  });

  it("handles what its thread sent last when it stops", async () => {
    current().sayLate({ is: "mapWrites", answers: [WRITES] });
    await supervisor.stop();
    expect(events.map(({ is }) => is)).toEqual(["mapWrites"]);
  });
});
