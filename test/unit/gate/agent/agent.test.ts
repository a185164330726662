import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Config, readConfig } from "../../../../src/config/config.js";
import { ERRNO } from "../../../../src/errno.js";
import type { CountersignError } from "../../../../src/error.js";
import { Agent, type AgentOptions } from "../../../../src/gate/agent/agent.js";
import { ServiceManager } from "../../../../src/gate/agent/fd-store/service-manager.js";
import { SOURCES } from "../../../../src/gate/agent/labels.js";
import { NR } from "../../../../src/sys/numbers.js";
import { type FilteredProcess, filteredProcess, programFile } from "../../../support/filtered-process.js";
import { NotifySocket } from "../../../support/notify-socket.js";
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
  const configOf = (policy: string): Config => {
    writeFileSync(join(folder, "policy.js"), policy);
    const attachments = [{ name: "a", policy: "policy.js" }];
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

  it("decides on the calls of a container by its labels, until its last task has ended", async (context) => {
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

  it("stores listeners and writes to maps, and serves them again after a restart", async (context) => {
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
    const notified = store.received();
    const kept = new Map<string, readonly number[]>();
    for (const { text, fds } of notified) {
      const name = /FDNAME=(.*)$/.exec(text)![1]!;
      if (text.startsWith("FDSTORE=1")) kept.set(name, fds);
      else kept.delete(name);
    }
    expect([...kept.keys()].sort()).toEqual(["c2", "maps"]);

    const config = configOf(`import { deny, map_lookup } from "countersign";
      export const bpf = () => (map_lookup("asked", "c") === 1 ? deny("asked before", 13) : 0);`);
    const next = await start({ config, manager: store.manager(Object.fromEntries(kept)) });
    expect(next.listeners).toBe(1);
    two.command.go();
    expect((await two.command.ended).code).toBe(ERRNO.EACCES);
    await until(() => expect(next.listeners).toBe(0));
  });

  it("decides by a new configuration after a reload, and keeps the old one if that fails", async (context) => {
    const agent = await start();
    const edge = await filteredProcess(context, [programFile(LOOKUP)]);
    handOver(edge, processState("c"));
    await until(() => expect(agent.listeners).toBe(1));
    await expect(agent.reload(configOf("export const bpf = ("))).rejects.toMatchObject({ code: "POLICY_SYNTAX" });
    await agent.reload(configOf(`import { deny } from "countersign"; export const bpf = () => deny("reloaded", 95);`));
    edge.command.go();
    expect((await edge.command.ended).code).toBe(95);
  });

  it("closes the listener of a container whose filter hides calls that it decides on", async (context) => {
    const agent = await start();
    const fast = await filteredProcess(context, [programFile([NR.bpf, 999, 0, 0])], "fast");
    handOver(fast, processState("c", { metadata: "countersign-fast-2" }));
    await until(() => expect(said.map(({ code }) => code)).toEqual(["HOOK_NOT_ENFORCED"]));
    await until(() => expect(agent.listeners).toBe(0));
    fast.command.go();
    expect((await fast.command.ended).code).toBe(ERRNO.ENOSYS);
  });

  it("takes no container that shares its pid namespace unless it is told to", async (context) => {
    const agent = await start({ sharedPids: false });
    handOver(await filteredProcess(context, ["true"]), processState("c"));
    await until(() => expect(said).toHaveLength(1));
    expect(said[0]).toMatchObject({ code: "GATE_FAILED", message: "container `c` shares the gate's pid namespace" });
    expect(agent.listeners).toBe(0);
  });

  it("does not start if its policies or its socket cannot be used", async () => {
    await expect(start({ config: configOf("export const bpf = (") })).rejects.toMatchObject({ code: "POLICY_SYNTAX" });
    await expect(start({ socket: join(folder, "none/agent.sock") })).rejects.toMatchObject({ code: "SOCKET_UNUSABLE" });
  });
});
