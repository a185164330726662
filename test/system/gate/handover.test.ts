import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openFiles } from "../../support/open-fds.js";
import { until } from "../../support/until.js";
import { RunningAgent } from "./running-agent.js";
import { RunningProgram } from "./running-program.js";
import { BIN, needs, needsGate, Site } from "./site.js";

const SOURCE = fileURLToPath(new URL("../attack/hand.c", import.meta.url));
const NOBODY = 65534;
const STATE = { fds: ["seccompFd"], pid: process.pid, state: { id: "c1", annotations: {} } };

describe("what is handed to an agent, and is no container", () => {
  let site: Site;
  let agent: RunningAgent;
  let hand: string;

  beforeAll(async () => {
    if (process.getuid?.() !== 0) return;
    site = new Site("export const bpf_prog_load = () => 0;");
    hand = join(site.folder, "hand");
    execFileSync("gcc", ["-O2", "-o", hand, SOURCE]);
    agent = await RunningAgent.start(site);
  });
  afterAll(async () => {
    await agent?.end();
    site?.remove();
  });
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
  });

  const send = (text: string, fds = 0, uid = 0) =>
    spawnSync(hand, [agent.socket, String(fds), String(uid)], { input: text, timeout: 100_000 }).status;
  /** The agent's fds that are connections, or what `hand` sends. */
  const handed = () =>
    openFiles(agent.process.pid).filter((target) => target === "/dev/null" || target.startsWith("socket:"));

  const cases: Readonly<Record<string, { text: string; fds?: number; reason: RegExp }>> = {
    nothing: { text: "", reason: /is malformed: it is not a JSON object/ },
    "what is no JSON": { text: "hello", reason: /is malformed: it is not a JSON object/ },
    "half of a state": { text: JSON.stringify(STATE).slice(0, 20), fds: 1, reason: /it is not a JSON object/ },
    "a state without an fd": { text: JSON.stringify(STATE), reason: /`c1` came without its seccomp listener/ },
    "a state with a file in the listener's place": {
      text: JSON.stringify(STATE),
      fds: 1,
      reason: /`c1` came without its seccomp listener/,
    },
    "a state with more fds than a runtime has": {
      text: JSON.stringify(STATE),
      fds: 40,
      reason: /its seccomp listener|more than \d+ fds/,
    },
    "a state whose listener is not among its fds": {
      text: JSON.stringify({ ...STATE, fds: ["a", "b", "seccompFd"] }),
      fds: 2,
      reason: /`c1` came without its seccomp listener/,
    },
    "a state without end": { text: `{"a":"${"x".repeat(2 << 20)}`, fds: 1, reason: /is longer than \d+ bytes/ },
  };
  for (const [what, { text, fds, reason }] of Object.entries(cases))
    it(`is refused by what it is, and leaves no fd behind: ${what}`, async () => {
      const before = handed();
      agent.forget();
      expect(send(text, fds)).toBe(0);
      await agent.heard(reason);
      await until(() => expect(handed()).toEqual(before));
    });

  it("ends with what is wrong where the socket cannot be", () => {
    const config = join(site.folder, "countersign.yaml");
    const words = [BIN, "agent", "--socket", join(site.folder, "missing/agent.sock"), "--config", config];
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8", timeout: 100_000 });
    expect(stderr).toMatch(/agent\.sock\.lock` cannot be locked: ENOENT \[SOCKET_UNUSABLE\]/);
    expect(status).toBe(2);
  });

  it("is not waited for longer than five seconds", async () => {
    const before = handed();
    agent.forget();
    const silent = connect(agent.socket);
    await agent.heard(/sent no whole ContainerProcessState/);
    silent.destroy();
    await until(() => expect(handed()).toEqual(before));
  });

  it("is not taken from another user, who could not open the socket either", async () => {
    chmodSync(site.folder, 0o755);
    expect(send(JSON.stringify(STATE), 1, NOBODY)).toBe(1);
    chmodSync(agent.socket, 0o666);
    agent.forget();
    expect(send(JSON.stringify(STATE), 1, NOBODY)).toBe(0);
    await agent.heard(/uid 65534 may not hand over containers \[GATE_FAILED\]/);
    // a listener that is sent before the agent answers stays open
    agent.process.kill("SIGSTOP");
    const sender = new RunningProgram(hand, [agent.socket, "listener", String(NOBODY)]);
    sender.write(JSON.stringify(STATE));
    const ended = sender.finish();
    expect(await sender.line()).toBe("sent");
    agent.process.kill("SIGCONT");
    await agent.heard(/uid 65534 may not hand over containers; its calls fail with EPERM \[CONTAINER_REJECTED\]/);
    expect(await ended).toBe(0);
    chmodSync(agent.socket, 0o600);
    chmodSync(site.folder, 0o700);
  });
});
