import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const GATE = fileURLToPath(new URL("../../../src/gate", import.meta.url));

/**
 * Each file of the gate that closes fds, how often, and why none of them is the listener of a command or container that
 * has a task: the kernel would let its tasks install listeners of their own, unless their filter fails such calls.
 */
const CLOSES: Readonly<Record<string, readonly [count: number, why: string]>> = {
  "agent/agent-socket.ts": [5, "the agent's socket and its lock"],
  "agent/agent.ts": [3, "listeners whose last task has ended (2), and all when the process ends, as SIGKILL does"],
  "agent/fd-store/fd-store-containers.ts": [4, "journals, and fds from the store that are no listeners"],
  "agent/fd-store/handover.ts": [2, "the connection, and received fds that are no listeners"],
  "agent/fd-store/map-journal.ts": [3, "the journal of maps, under a name that has nothing else"],
  "agent/rejected/rejected-listeners.ts": [1, "an eventfd"],
  "commands/copied/cgroup.ts": [1, "the fd of a cgroup"],
  "commands/prog-load/private-maps.ts": [1, "a copy of a map's fd"],
  "messages/preopened-files.ts": [1, "a file"],
  "run/command-process.ts": [2, "fds that the command inherits, and its pidfd"],
  "run/launcher.ts": [1, "the launcher's socket to the gate"],
  "run/log-fd.ts": [1, "an inherited fd of the log"],
  "run/run.ts": [1, "the command's listener, once nothing can decide: its filter fails calls for another one"],
  "supervisor/decision-thread-handle.ts": [1, "an eventfd"],
  "supervisor/kill-task.ts": [1, "a pidfd"],
  "supervisor/unanswered-calls.ts": [1, "objects that the gate made for a call"],
  "task/blocking/agent-link.ts": [3, "connections; the listener of a thread of the gate, which its agent has by then"],
  "task/blocking/op-executor.ts": [2, "copies of a task's fds, and objects that the gate made for a call"],
  "task/pidfd-cache.ts": [1, "a pidfd"],
  "task/remote-task.ts": [2, "copies of a task's fds"],
  "worker/warm-up.ts": [1, "objects that warming up made"],
};

describe("an fd that the gate closes", () => {
  it("is no listener of a command or container that has a task", () => {
    const files = readdirSync(GATE, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
    const found = files.flatMap((name) => {
      const calls = readFileSync(join(GATE, name), "utf8").match(/(?<![.\w#])close(?:Sync)?\((?!\):)/g) ?? [];
      return calls.length === 0 ? [] : [[name, calls.length]];
    });
    const expected = Object.entries(CLOSES).map(([name, [count]]) => [name, count]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
  });
});
