import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Containers } from "./containers.js";
import { Machine, SOCKET, UNIT } from "./machine.js";
import { RunningAgent } from "./running-agent.js";
import { BIN, needs, needsGate, Site } from "./site.js";

const LOADS = "export const bpf_prog_load = () => 0;\n";
const COMMANDS = `${LOADS}export const bpf = () => 0;\n`;
const CONFIG = "version: 1\nlog: { file: log.jsonl }\n";
const ATTACHED = `${CONFIG}attachments: [{ policy: policy.js }]\n`;

/** Commands that only access elements of maps (enum bpf_cmd of linux/bpf.h). */
const MAP_ACCESS = [1, 2, 3, 4, 21, 24, 25, 26, 27];
const WORD = 2 ** 32;
/**
 * Each of them is reached by so many of the registers that the attack tries: with bits that it has already, and any
 * high word.
 */
const WAYS = Array.from({ length: 41 }, (_, command) =>
  [command, ...Array.from({ length: 32 }, (_, bit) => (command | (1 << bit)) >>> 0)].filter((word) =>
    MAP_ACCESS.includes(word % WORD),
  ),
).flat().length;
const FAST = [...MAP_ACCESS.map(String), `registers: ${4 * WAYS}`, "read: done"];
const FULL = ["registers: 0", "read: ENOSYS"];
/** No map could be created: nothing was decided. */
const UNSERVED = [...MAP_ACCESS.map(String), `registers: ${4 * WAYS}`];

const source = (name: string) => fileURLToPath(new URL(`../attack/${name}.c`, import.meta.url));

describe("the filter of `run`", () => {
  let site: Site;

  beforeAll(() => {
    site = new Site(LOADS);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
  });

  /** What passes the filter of a command, once its gate was killed. */
  const passes = async (options: readonly string[] = []) => {
    const words = ["run", "--quiet", "--config", join(site.folder, "countersign.yaml"), ...options, "--"];
    const gate = spawn(process.execPath, [BIN, ...words, site.attack("asked"), "wait"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines: string[] = [];
    for await (const line of createInterface({ input: gate.stdout })) {
      if (line === "ready") gate.kill("SIGKILL");
      else lines.push(line);
    }
    return lines;
  };

  it.each([
    ["no attachment", LOADS, `${CONFIG}attachments: []\n`],
    ["attachments to other hooks", LOADS, ATTACHED],
    [
      "a policy whose export `bpf` is not attached",
      COMMANDS,
      `${CONFIG}attachments: [{ policy: policy.js, hooks: [bpf_prog_load] }]\n`,
    ],
    ["a default for other hooks", LOADS, `${ATTACHED}default: { bpf_prog: audit, bpf: allow }\n`],
  ] as const)("lets access to elements of maps pass, and nothing else: %s", async (_, policy, config) => {
    site.policy(policy);
    site.write("countersign.yaml", config);
    expect(await passes()).toEqual(FAST);
    expect(await passes(["--audit"])).toEqual(FAST);
  });

  it.each([
    ["an attachment", COMMANDS, ATTACHED],
    ["in audit", COMMANDS, `${CONFIG}attachments: [{ policy: policy.js, mode: audit }]\n`],
    ["for another user", COMMANDS, `${CONFIG}attachments: [{ policy: policy.js, scope: { uid: [4711] } }]\n`],
    ["for containers", COMMANDS, `${CONFIG}attachments: [{ policy: policy.js, scope: { labels: tier=edge } }]\n`],
    ["beside others", COMMANDS, `${CONFIG}attachments: [{ policy: other.js }, { policy: policy.js }]\n`],
    ["a default of audit", LOADS, `${ATTACHED}default: { bpf: audit }\n`],
    ["a default of deny", LOADS, `${CONFIG}attachments: []\ndefault: { bpf: deny }\nmode: audit\n`],
  ] as const)("notifies the gate of every command where one is decided: %s", async (_, policy, config) => {
    site.policy(policy);
    site.write("other.js", LOADS);
    site.write("countersign.yaml", config);
    expect(await passes()).toEqual(FULL);
  });
});

describe("a container with the fast profile", () => {
  let site: Site;
  let agent: RunningAgent;
  let containers: Containers;

  beforeAll(async () => {
    site = new Site(LOADS);
    agent = await RunningAgent.start(site);
    const program = join(site.folder, "asked-static");
    execFileSync("gcc", ["-O2", "-static", "-o", program, source("asked")]);
    containers = new Containers(site.folder, agent.socket, program);
  });
  afterAll(async () => {
    await agent.end();
    site.remove();
  });
  beforeEach((context) => {
    needsGate(context);
    needs(context, "runc", "gcc", "busybox");
  });
  afterEach(async () => {
    site.policy(LOADS);
    await agent.reload();
  });

  it("keeps the agent from taking a configuration that serves hook `bpf`, with an error that names it", async () => {
    const [fast, full] = [containers.start({ profile: "seccomp-fast.json" }), containers.start()];
    expect(await fast.ask("echo started")).toBe("started\n");
    expect(await full.ask("echo started")).toBe("started\n");
    site.policy(COMMANDS);
    await agent.reload(/the configuration in use stays/);
    await agent.heard(new RegExp(`hook bpf cannot be enforced for \`${fast.id}\`: .*\\[HOOK_NOT_ENFORCED\\]`));
    expect(agent.said).not.toContain(full.id);
    // the configuration in use decides further
    expect(await fast.ask("/bin/attack | tail -n 1")).toBe("read: done\n");
    await fast.end();
    await agent.reload();
    await full.end();
  });

  it("is not served where hook `bpf` is, with an error that names it, and others are", async () => {
    site.policy(COMMANDS);
    await agent.reload();
    agent.forget();
    const fast = containers.start({ profile: "seccomp-fast.json" });
    await agent.heard(new RegExp(`hook bpf cannot be enforced for \`${fast.id}\`: .*\\[CONTAINER_REJECTED\\]`));
    expect((await fast.ask("/bin/attack denied")).trim().split("\n")).toEqual(UNSERVED);
    await fast.end();
    expect(containers.run(["/bin/attack"]).stdout).toContain("read: done");
  });
});

describe.each(["runc", "crun"])("the fast profile under %s", (runtime) => {
  it("lets the same commands pass as the filter of `run`", async (context) => {
    needsGate(context);
    needs(context, "runc", runtime, "gcc", "busybox");
    const site = new Site(LOADS);
    const machine = await Machine.withAgent(site);
    if (typeof machine === "string") return context.skip(machine);
    try {
      const program = join(site.folder, "asked-static");
      execFileSync("gcc", ["-O2", "-static", "-o", program, source("asked")]);
      const containers = new Containers(site.folder, SOCKET, program, machine.words(runtime));
      const before = containers.start({ profile: "seccomp-fast.json" });
      expect(await before.ask("echo started")).toBe("started\n");
      // an agent that starts is in the place of one that reloads: it does not take what it cannot enforce, and lets the
      // container wait
      site.policy(COMMANDS);
      machine.run("systemctl", "restart", "--no-block", UNIT);
      await machine.said(site, new RegExp(`hook bpf cannot be enforced for \`${before.id}\``));
      site.policy(LOADS);
      expect(await before.ask("/bin/attack | tail -n 1")).toBe("read: done\n");
      expect(machine.run("systemctl", "stop", UNIT).status).toBe(0);
      expect((await before.ask("/bin/attack")).trim().split("\n")).toEqual(UNSERVED);
      await before.end();
    } finally {
      await machine.end();
      site.remove();
    }
  });
});
