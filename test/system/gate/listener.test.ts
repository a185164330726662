import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../support/until.js";
import { Containers } from "./containers.js";
import { FREE, held, type Outcomes, outcomesOf } from "./listener-outcomes.js";
import { RunningAgent } from "./running-agent.js";
import { BIN, needs, needsGate, Site } from "./site.js";

const BAD_TAG = "b11459a0e11ca14c";
const POLICY = `
import { deny } from "countersign";
export const bpf_prog_load = (prog) => (prog.tag === "${BAD_TAG}" ? deny("is the forbidden program") : 0);
`;
const SOURCE = fileURLToPath(new URL("../attack/listener.c", import.meta.url));

describe("a listener of its own", () => {
  let site: Site;

  beforeAll(() => {
    site = new Site(POLICY);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
  });

  it("is to be had without a gate, and with it a load that nobody decides about", () => {
    expect(outcomesOf(site.bare(site.attack("listener")).stdout)).toMatchObject(FREE);
  });

  describe("of a command", () => {
    /** What a command comes to after its gate has ended, by a signal to the gate or by itself. */
    const after = async (how: NodeJS.Signals | null, options: readonly string[] = []): Promise<Outcomes> => {
      const config = join(site.folder, "countersign.yaml");
      const words = ["run", "--quiet", "--config", config, ...options, "--", site.attack("listener")];
      const gate = spawn(process.execPath, [BIN, ...words, how === null ? "outlive" : "wait"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let said = "";
      for await (const line of createInterface({ input: gate.stdout })) {
        if (line !== "ready") said += `${line}\n`;
        else if (how !== null) gate.kill(how);
      }
      return outcomesOf(said);
    };

    it.each(["SIGKILL", "SIGTERM", null] as const)("is not to be had once the gate has ended: %s", async (how) => {
      const outcomes = await after(how);
      expect(outcomes).toEqual(held({ bpf: "ENOSYS", foreign: "ENOSYS", fast: true, issued: true }));
      // the Landlock domain stays
      expect(outcomes).toMatchObject({ "fds of process 1": "none", "a signal to process 1": "EPERM" });
    });
  });

  describe("of a container", () => {
    let containers: Containers;
    let agent: RunningAgent;
    const HELD = { foreign: "SYS", fast: false };

    beforeAll(() => {
      if (process.getuid?.() !== 0) return;
      const program = join(site.folder, "listener-static");
      execFileSync("gcc", ["-O2", "-static", "-pthread", "-o", program, SOURCE]);
      containers = new Containers(site.folder, join(site.folder, "agent.sock"), program);
    });
    beforeEach(async (context) => {
      needs(context, "runc", "busybox");
      agent = await RunningAgent.start(site);
    });
    afterEach(() => agent.end());

    it.each(["SIGKILL", "SIGTERM"] as const)("is not to be had once the agent has ended: %s", async (how) => {
      const [full, fast] = [containers.start(), containers.start({ profile: "seccomp-fast.json" })];
      for (const container of [full, fast]) await container.ask("/bin/attack outlive > /dev/shm/said");
      const ended = once(agent.process, "exit");
      agent.process.kill(how);
      await ended;
      for (const container of [full, fast]) {
        const said = () => container.ask("cat /dev/shm/said");
        await until(async () => expect(await said()).toContain("a kernel: "));
        const isFast = container === fast;
        expect(outcomesOf(await said())).toEqual(held({ ...HELD, bpf: "ENOSYS", fast: isFast, issued: true }));
        await container.end();
      }
    });
  });
});
