import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Config, readConfig } from "../../../../src/config/config.js";
import { ThreadHandoverState } from "../../../../src/engine/handover/thread-handover-state.js";
import { ERRNO } from "../../../../src/errno.js";
import { ReleaseCounter } from "../../../../src/gate/call/release-counter.js";
import { ShadowBacklog } from "../../../../src/gate/decisions/shadow-backlog.js";
import type { ToThread } from "../../../../src/gate/messages/messages.js";
import { newRecording, recordingKey } from "../../../../src/gate/task/blocking/call-recording.js";
import { abandon } from "../../../../src/gate/task/blocking/op-executor.js";
import { Watch } from "../../../../src/gate/task/blocking/watch.js";
import type { Container } from "../../../../src/policy/model/current.js";
import { syscall } from "../../../../src/sys/libc.js";
import { NR } from "../../../../src/sys/numbers.js";
import { filteredProcess, programFile } from "../../../support/filtered-process.js";
import { runDecisionThread } from "../../../support/run-decision-thread.js";

/** Listeners from which the thread tried to receive while no call waited: it would hang before Linux 6.11. */
const hanging = vi.hoisted(() => [] as number[]);
vi.mock("../../../../src/sys/seccomp.js", async (original) => {
  const real = await original<typeof import("../../../../src/sys/seccomp.js")>();
  const receive: typeof real.receive = (listener, notification) => {
    if (!isReadable(listener)) hanging.push(listener);
    return real.receive(listener, notification);
  };
  return { ...real, receive };
});
function isReadable(fd: number): boolean {
  const POLLIN = 1;
  const polled = Int32Array.of(fd, POLLIN); // struct pollfd, whose last half is what is ready
  syscall(NR.poll, polled, 1, 0);
  return ((polled[1]! >>> 16) & POLLIN) !== 0;
}

const DENIES = `import { deny, map_update } from "countersign";
export const bpf = ({ name }) => {
  map_update("asked", name, 1);
  return deny(\`no \${name}\`, 13);
};
`;
const BPF_MAP_LOOKUP_ELEM = 1;
/** bpf(2) calls that load nothing, whoever makes them. */
const LOOKUP = [NR.bpf, BPF_MAP_LOOKUP_ELEM, 0, 0] as const;
/** Creates an array with one value. */
const CREATE = [NR.bpf, 0, new Uint8Array(Uint32Array.of(2, 4, 4, 1, ...Array(12).fill(0)).buffer), 64] as const;
const UNKNOWN = [NR.bpf, 999, new Uint8Array(64), 64] as const;
const CONTAINER: Container = { id: "c", name: "web", labels: { tier: "edge" }, annotations: {} };
const STOP: ToThread = { do: "stop" };

describe("the decision thread", () => {
  let folder: string;
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const configOf = (policy: string, more = {}): Config => {
    write("policy.js", policy);
    const attachments = [{ name: "a", policy: "policy.js" }];
    const maps = { asked: { writable: { entries: 10, bytes: "1KiB" }, writers: ["a"] } };
    write("countersign.yaml", JSON.stringify({ version: 1, maps, attachments, ...more }));
    return readConfig(join(folder, "countersign.yaml"), "agent");
  };
  const listen = (fd: number, more: Partial<ToThread & { do: "listen" }> = {}): ToThread => ({
    ...{ do: "listen", requestId: 7, fd, container: CONTAINER, cursor: -1, filter: "full" },
    releases: new ReleaseCounter().memory,
    ...more,
  });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-thread-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    vi.restoreAllMocks();
    expect(hanging.splice(0)).toEqual([]);
  });
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
  });

  it("says what it read and which filter it needs before it is ready, and ends when it is told to", {
    tags: ["deep"],
  }, async () => {
    const { messages } = await runDecisionThread(configOf(DENIES), [{ after: "ready", send: [STOP] }]);
    expect(messages.map(({ is }) => is)).toEqual(["read", "filter", "ready"]);
    expect(messages[0]).toMatchObject({ texts: new Map([[join(folder, "policy.js"), expect.anything()]]) });
    expect(messages[1]).toMatchObject({ fastest: "full" });
  });

  it("reports why it cannot start", async () => {
    const { messages } = await runDecisionThread(configOf("export const bpf = ("), []);
    expect(messages).toMatchObject([{ is: "failed", id: null, error: { code: "POLICY_SYNTAX" } }]);
  });

  it("denies calls, reports each distinct denial once, and counts all", { tags: ["deep"] }, async (context) => {
    const file = programFile(LOOKUP, LOOKUP);
    const { command, listener, execute } = await filteredProcess(context, [file]);
    await execute();
    const { messages, tally } = await runDecisionThread(configOf(DENIES), [
      { after: "ready", send: [listen(listener)] },
      { after: "hangup", send: [STOP] },
    ]);
    expect(await command.ended).toEqual({ code: 13, signal: null });
    expect(messages.slice(3)).toEqual([
      { is: "done", requestId: 7 },
      { is: "mapWrites", answers: [expect.objectContaining({ attachment: "a", mode: "enforce" })] },
      {
        is: "denial",
        hook: "bpf",
        subject: expect.any(String),
        id: expect.any(String),
        reason: "a: no BPF_MAP_LOOKUP_ELEM",
        outcome: "denied",
      },
      { is: "mapWrites", answers: [expect.objectContaining({ attachment: "a", mode: "enforce" })] },
      { is: "hangup", fd: listener },
    ]);
    expect(tally.read()).toMatchObject({ denied: 2, allowed: 0, faults: 0 });
  });

  it("denies by a rule of the gate what no policy can allow, and records it in a dry run", {
    tags: ["deep"],
  }, async (context) => {
    const file = programFile(UNKNOWN);
    for (const [mode, outcome] of [
      ["enforce", "denied"],
      ["audit", "dry run"],
    ] as const) {
      const { command, listener, execute } = await filteredProcess(context, [file]);
      await execute();
      const config = configOf("export const bpf = () => 0;", { mode });
      const { messages, tally } = await runDecisionThread(config, [
        { after: "ready", send: [listen(listener, { container: null })] },
        { after: "hangup", send: [STOP] },
      ]);
      expect((await command.ended).code).not.toBe(0);
      expect(messages.filter(({ is }) => is === "denial")).toEqual([
        {
          ...{ is: "denial", hook: "bpf", subject: "command 999", outcome, id: expect.any(String) },
          reason: "gate: the gate does not know bpf(2) command 999",
        },
      ]);
      expect(tally.read()).toMatchObject({ denied: 1 });
    }
  });

  it("takes no listener whose filter hides calls that it decides on", { tags: ["deep"] }, async (context) => {
    const { listener } = await filteredProcess(context, ["true"], "fast");
    const { messages } = await runDecisionThread(configOf(DENIES), [
      { after: "ready", send: [listen(listener, { filter: "fast" })] },
      { after: "failed", send: [STOP] },
    ]);
    expect(messages.at(-1)).toMatchObject({ is: "failed", id: 7, error: { code: "HOOK_NOT_ENFORCED" } });
  });

  it("decides by the new configuration after a reload, and by the old one if the new one cannot be opened", {
    tags: ["deep"],
  }, async (context) => {
    const file = programFile(LOOKUP);
    const { command, listener, execute } = await filteredProcess(context, [file]);
    await execute();
    const broken = { ...configOf("0"), attachments: [{ ...configOf("0").attachments[0]!, policy: "/nowhere.js" }] };
    const first = configOf("export const bpf_prog_load = () => 0;");
    const { texts } = (await runDecisionThread(first, [{ after: "ready", send: [STOP] }])).messages[0] as never;
    const next = configOf(DENIES);
    const sealed = new Map();
    const { messages } = await runDecisionThread(
      first,
      [
        { after: "ready", send: [{ do: "reload", requestId: 1, config: next, sealed, shadow: null }] },
        { after: "done", send: [{ do: "reload", requestId: 2, config: broken, sealed, shadow: null }] },
        { after: "failed", send: [listen(listener), { do: "trimMemory" }] },
        { after: "hangup", send: [STOP] },
      ],
      { texts },
    );
    expect(messages.map(({ is }) => is)).toEqual([
      "ready",
      "read",
      "filter",
      "done",
      "failed",
      "done",
      "mapWrites",
      "denial",
      "hangup",
    ]);
    expect(messages[2]).toEqual({ is: "filter", fastest: "full" });
    expect(messages[4]).toMatchObject({ id: 2, error: { code: "FILE_UNREADABLE" } });
    expect((await command.ended).code).toBe(13);
  });

  it("takes over from a thread before it: writes to maps, and calls whose listeners are closed", {
    tags: ["deep"],
  }, async (context) => {
    const { command, listener, execute } = await filteredProcess(context, [programFile(LOOKUP)]);
    await execute();
    const config = configOf(`import { deny, map_lookup } from "countersign";
      export const bpf = ({ name }) => map_lookup("asked", name) === undefined ? 0 : deny("asked before", 13);`);
    const handover = new ThreadHandoverState(config, () => new Map());
    const writes = [{ map: "asked", key: "BPF_MAP_LOOKUP_ELEM", value: "1" }];
    handover.record({ answers: [{ attachment: "a", mode: "enforce", writes }] });
    const recording = newRecording(9999, new Uint8Array(80));
    const issued = [["c", { id: 0x7fff_fff0, entry: { creator: 1, memory: 4096, exclusive: false, withheld: false } }]];
    const inherit = { do: "inherit", commits: handover.commits(), suspensions: [], issued, sealed: new Map() };
    const { messages } = await runDecisionThread(
      config,
      [
        { after: "ready", send: [inherit as never, { do: "serve", recording, reason: null }, listen(listener)] },
        { after: "hangup", send: [STOP] },
      ],
      { isStandby: true },
    );
    expect(messages.map(({ is }) => is)).toEqual(["read", "filter", "ready", "served", "done", "denial", "hangup"]);
    expect(messages[3]).toEqual({ is: "served", recording: recordingKey(recording) });
    expect((await command.ended).code).toBe(13);
  });

  it("sends what it decided to the shadow although it was replaced, and its room is not lost", {
    tags: ["deep"],
  }, async (context) => {
    if (process.getuid?.() !== 0) context.skip("needs root, to create a map");
    const { listener, execute } = await filteredProcess(context, [programFile(CREATE)]);
    await execute();
    const { unblock } = Watch.prototype;
    const watch = new Watch();
    // replaced while it makes the map, after the decision
    vi.spyOn(Watch.prototype, "unblock").mockImplementation(function (this: Watch) {
      const stays = unblock.call(this);
      return stays && (this.memory !== watch.memory || this.verdicts.length === 0);
    });
    const backlog = new ShadowBacklog();
    const { messages, tally } = await runDecisionThread(
      configOf("export const bpf_map_create = () => 0;"),
      [{ after: "ready", send: [listen(listener)] }],
      { shadow: { id: 5, backlog: backlog.memory, hooks: [] }, watch: watch.memory },
    );
    for (const message of messages) if (message.is === "abandonedOpDone") abandon(message.recording);
    expect(messages.slice(3).map(({ is }) => is)).toEqual(["done", "abandonedOpDone", "shadow"]);
    expect(messages.at(-1)).toMatchObject({ id: 5, question: { request: { hook: "bpf_map_create" } } });
    expect([backlog.size, watch.unsent, tally.read().shadowMissed]).toEqual([1, 0, 0]);
  });

  it("leaves memory of slow containers to other threads, and denies a call that these cannot finish", {
    tags: ["deep"],
  }, async (context) => {
    const { command, listener, execute } = await filteredProcess(context, [programFile(UNKNOWN)]);
    await execute();
    const slow = ["c", { count: 2, until: Date.now() + 3_600_000, duration: 3_600_000 }] as const;
    const { messages, tally } = await runDecisionThread(configOf(DENIES), [
      {
        after: "ready",
        send: [
          listen(listener),
          listen(listener, { requestId: 8, container: { ...CONTAINER, labels: null } }),
          { do: "setSlowContainers", slowContainers: [slow] },
        ],
      },
      {
        after: "opNeeded",
        send: [{ do: "serve", recording: "received", reason: "its memory was not copied in time" }],
      },
      { after: "hangup", send: [STOP] },
    ]);
    expect(messages.slice(3).map(({ is }) => is)).toEqual(["done", "done", "opNeeded", "denial", "served", "hangup"]);
    expect(messages[5]).toMatchObject({ recording: { listener }, serialized: expect.anything() });
    expect(messages[6]).toMatchObject({ hook: "bpf", reason: "gate: its memory was not copied in time" });
    expect(tally.read()).toMatchObject({ denied: 1 });
    expect((await command.ended).code).toBe(ERRNO.EPERM);
  });
});
