import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Config, readConfig } from "../../../../src/config/config.js";
import { ERRNO } from "../../../../src/errno.js";
import type { CountersignError } from "../../../../src/error.js";
import { Agent, type AgentOptions } from "../../../../src/gate/agent/agent.js";
import { readState } from "../../../../src/gate/agent/container/container-state.js";
import { FdStoreContainers } from "../../../../src/gate/agent/fd-store/fd-store-containers.js";
import { ServiceManager } from "../../../../src/gate/agent/fd-store/service-manager.js";
import { SOURCES } from "../../../../src/gate/agent/labels.js";
import type { FilterKind } from "../../../../src/gate/call/filter.js";
import { NR } from "../../../../src/sys/numbers.js";
import type { Warning } from "../../../../src/warning.js";
import { type FilteredProcess, filteredProcess, programFile } from "../../../support/filtered-process.js";
import { type Notification, NotifySocket } from "../../../support/notify-socket.js";
import { processState, RuntimeConnection } from "../../../support/runtime-connection.js";
import { until } from "../../../support/until.js";

/** Denies to containers with tier `edge`, and writes to a map. */
const DENIES_EDGE = `import { deny, map_update } from "countersign";
export const bpf = (_, { container }) => {
  map_update("asked", container.id, 1);
  return container.labels?.tier === "edge" ? deny("not at the edge", 13) : 0;
};
`;
/** BPF_MAP_LOOKUP_ELEM without an attr, which loads nothing. */
const LOOKUP = [NR.bpf, 1, 0, 0] as const;

describe("an agent", () => {
  let folder: string;
  let said: CountersignError[];
  const configOf = (policy: string, limits = {}): Config => {
    writeFileSync(join(folder, "policy.js"), policy);
    const attachments = [{ name: "a", policy: "policy.js", limits }];
    const maps = { asked: { writable: { entries: 10, bytes: "1KiB" }, writers: ["a"] } };
    writeFileSync(join(folder, "countersign.yaml"), JSON.stringify({ version: 1, maps, attachments }));
    return readConfig(join(folder, "countersign.yaml"), "agent");
  };
  const start = async (more: Partial<AgentOptions> = {}) => {
    const agent = await Agent.start({
      ...{
        config: more.config ?? configOf(DENIES_EDGE),
        socket: join(folder, "agent.sock"),
        labels: SOURCES.annotations(""),
      },
      ...{ manager: new ServiceManager({}), sharedPids: true, warn: () => undefined },
      say: (error) => said.push(error),
      ...more,
    });
    onTestFinished(() => agent.stop());
    return agent;
  };
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    folder = mkdtempSync(join(tmpdir(), "countersign-agent-"));
    said = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Hands a process over, as a runtime does; then only the agent has its listener. */
  const handOver = ({ listener, close }: FilteredProcess, text: string) => {
    const runtime = RuntimeConnection.to(join(folder, "agent.sock"));
    runtime.send(text, [listener]);
    runtime.close();
    close();
  };

  /** The fds in a fd store after these notifications, by name. */
  const storedBy = (notifications: readonly Notification[]) => {
    const kept: Record<string, readonly number[]> = {};
    for (const { text, fds } of notifications) {
      const name = /FDNAME=(.*)$/.exec(text)![1]!;
      if (text.startsWith("FDSTORE=1")) kept[name] = fds;
      else delete kept[name];
    }
    return kept;
  };

  it("decides on the calls of a container by its labels, until its last task has ended", {
    tags: ["deep"],
  }, async (context) => {
    const agent = await start();
    const edge = await filteredProcess(context, [programFile(LOOKUP)]);
    const waiting = await filteredProcess(context, ["true"]);
    handOver(waiting, processState("d"));
    handOver(edge, processState("c"));
    await until(() => expect(agent.listeners).toBe(2));
    edge.command.go();
    expect(await edge.command.ended).toEqual({ code: ERRNO.EACCES, signal: null });
    await until(() => expect(agent.listeners).toBe(1));
    expect(agent.tally.read()).toMatchObject({ denied: 1, allowed: 0 });
    expect(agent.slowContainers).toBe(0);
    expect(said).toEqual([]);
  });

  it("stores listeners and writes to maps, and serves them again after a restart", {
    tags: ["deep"],
  }, async (context) => {
    const store = new NotifySocket();
    const first = await start({ manager: store.manager() });
    const [one, two] = [
      await filteredProcess(context, [programFile(LOOKUP)]),
      await filteredProcess(context, [programFile(LOOKUP)]),
    ];
    handOver(one, processState("c"));
    handOver(two, processState("d"));
    await until(() => expect(first.listeners).toBe(2));
    one.command.go();
    await one.command.ended;
    await until(() => expect(first.listeners).toBe(1));
    await first.stop();
    expect(existsSync(join(folder, "agent.sock"))).toBe(false);
    const kept = storedBy(store.received());
    expect(Object.keys(kept).sort()).toEqual(["c2", "maps"]);

    const config = configOf(`import { deny, map_lookup } from "countersign";
      export const bpf = () => (map_lookup("asked", "c") === 1 ? deny("asked before", 13) : 0);`);
    const next = await start({ config, manager: store.manager(kept) });
    expect(next.listeners).toBe(1);
    two.command.go();
    expect((await two.command.ended).code).toBe(ERRNO.EACCES);
    await until(() => expect(next.listeners).toBe(0));
  });

  it("decides by a new configuration after a reload, and keeps the old one if that fails", {
    tags: ["deep"],
  }, async (context) => {
    const agent = await start();
    const edge = await filteredProcess(context, [programFile(LOOKUP)]);
    handOver(edge, processState("c"));
    await until(() => expect(agent.listeners).toBe(1));
    await expect(agent.reload(configOf("export const bpf = ("))).rejects.toMatchObject({ code: "POLICY_SYNTAX" });
    await agent.reload(configOf(`import { deny } from "countersign"; export const bpf = () => deny("reloaded", 95);`));
    edge.command.go();
    expect((await edge.command.ended).code).toBe(95);
  });

  interface Rejection {
    readonly state: string;
    readonly message: RegExp;
    readonly code?: string;
    readonly filter?: FilterKind;
    readonly options?: Partial<AgentOptions>;
  }
  /** Containers that it rejects. */
  const REJECTIONS: Readonly<Record<string, Rejection>> = {
    "shares its pid namespace": {
      options: { sharedPids: false },
      state: processState("c"),
      message: /^container `c` shares the gate's pid namespace/,
    },
    "has a filter that hides calls that it decides on": {
      filter: "fast",
      state: processState("c", { metadata: "countersign-fast-2" }),
      message: /^hook bpf cannot be enforced for `c`: .*/,
    },
    "has the profile of an earlier version": {
      state: processState("c", { metadata: "countersign" }),
      message: /^container `c` has a seccomp profile .*: its `listenerMetadata` is `countersign`/,
    },
    "comes with a state that it cannot read": {
      state: processState(""),
      message: /^a runtime's ContainerProcessState is malformed: `state.id` is not a name/,
    },
  };

  it.for(Object.entries(REJECTIONS))(
    "holds the listener of a container that %s, and denies its calls until its last task has ended, also after a restart",
    { tags: ["deep"] },
    async ([, { state, message, code = "CONTAINER_REJECTED", filter, options }], context) => {
      const store = new NotifySocket();
      const first = await start({ manager: store.manager(), ...options });
      // a second call shows that the listener stays open
      const program = programFile([NR.bpf, 999, 0, 0], [NR.bpf, 999, 0, 0]);
      const [one, two] = [
        await filteredProcess(context, [program], filter),
        await filteredProcess(context, [program], filter),
      ];
      for (const process of [one, two]) handOver(process, state);
      await until(() => expect(said).toHaveLength(2));
      expect(said[0]).toMatchObject({ code, message: expect.stringMatching(message) });
      expect(said[0]?.message).toMatch(/; its calls fail with EPERM$/);
      await until(() => expect([first.listeners, first.rejectedListeners]).toEqual([0, 2]));
      one.command.go();
      expect((await one.command.ended).code).toBe(ERRNO.EPERM);
      await until(() => expect(first.rejectedListeners).toBe(1));
      expect(first.rejectedCalls).toBe(2);
      await first.stop();
      const kept = storedBy(store.received());
      expect(Object.keys(kept)).toHaveLength(1);

      said = [];
      // a configuration that could decide about all of them
      const config = configOf("export const bpf_prog_load = () => 0;");
      const next = await start({ config, manager: store.manager(kept) });
      const again = /^container `.+` stays rejected: .+; its calls fail with EPERM$/;
      expect(said).toMatchObject([{ code: "CONTAINER_REJECTED", message: expect.stringMatching(again) }]);
      expect([next.listeners, next.rejectedListeners]).toEqual([0, 1]);
      two.command.go();
      expect((await two.command.ended).code).toBe(ERRNO.EPERM);
      await until(() => expect(next.rejectedListeners).toBe(0));
      expect(storedBy(store.received())).toEqual({});
    },
  );

  it("denies calls of rejected containers while a policy does not return", { tags: ["deep"] }, async (context) => {
    const config = configOf("export const bpf = () => { for (;;); };", { timeout: "10s", steps: 100_000_000 });
    const agent = await start({ config });
    const served = await filteredProcess(context, [programFile(LOOKUP)]);
    const rejected = await filteredProcess(context, [programFile(LOOKUP)]);
    handOver(served, processState("c"));
    handOver(rejected, processState("d", { metadata: "countersign" }));
    await until(() => expect([agent.listeners, agent.rejectedListeners]).toEqual([1, 1]));
    await served.execute();
    rejected.command.go();
    expect((await rejected.command.ended).code).toBe(ERRNO.EPERM);
    expect(agent.tally.read()).toMatchObject({ denied: 0, allowed: 0 });
  });

  it("serves a container that an earlier version served, with a warning, and what is started in it", {
    tags: ["deep"],
  }, async (context) => {
    const store = new NotifySocket();
    const [first, exec, other] = [
      await filteredProcess(context, [programFile(LOOKUP)]),
      await filteredProcess(context, [programFile(LOOKUP)]),
      await filteredProcess(context, [programFile(LOOKUP)]),
    ];
    const old = readState(processState("c", { metadata: "countersign" }));
    new FdStoreContainers(store.manager(), () => []).keep(first.listener, old);
    first.close();
    const warned: Warning[] = [];
    const agent = await start({
      manager: store.manager(storedBy(store.received())),
      warn: (warning) => warned.push(warning),
    });
    expect(warned.map(({ code, message }) => [code, message])).toEqual([
      ["PROFILE_OUTDATED", expect.stringMatching(/^container `c` has a seccomp profile of an earlier version/)],
    ]);
    expect([agent.listeners, agent.outdatedListeners]).toEqual([1, 1]);
    handOver(exec, processState("c", { metadata: "countersign" }));
    await until(() => expect([agent.listeners, agent.outdatedListeners]).toEqual([2, 2]));
    handOver(other, processState("d", { metadata: "countersign" }));
    await until(() => expect(agent.rejectedListeners).toBe(1));
    for (const { command } of [first, exec]) {
      command.go();
      expect((await command.ended).code).toBe(ERRNO.EACCES);
    }
    await until(() => expect([agent.listeners, agent.outdatedListeners]).toEqual([0, 0]));
  });

  it("does not start if its policies or its socket cannot be used", { tags: ["deep"] }, async () => {
    await expect(start({ config: configOf("export const bpf = (") })).rejects.toMatchObject({ code: "POLICY_SYNTAX" });
    await expect(start({ socket: join(folder, "none/agent.sock") })).rejects.toMatchObject({ code: "SOCKET_UNUSABLE" });
  });
});
