import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { landlockAbi, SCOPES_ABI } from "../../../src/sys/landlock.js";
import { until } from "../../support/until.js";
import { Containers, RunningContainer, SHELL, type Wanted } from "./containers.js";
import { FREE, type Held, held, type Outcomes, oldProfileText, outcomesOf } from "./listener-outcomes.js";
import { Machine, SOCKET, UNIT } from "./machine.js";
import { podmanWords } from "./podman.js";
import { RunningAgent } from "./running-agent.js";
import { RunningProgram } from "./running-program.js";
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
    const after = async (how: NodeJS.Signals | "the end of the command"): Promise<Outcomes> => {
      const config = join(site.folder, "countersign.yaml");
      const words = ["run", "--quiet", "--config", config, "--", site.attack("listener")];
      const gate = spawn(process.execPath, [BIN, ...words, how === "the end of the command" ? "outlive" : "wait"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let said = "";
      for await (const line of createInterface({ input: gate.stdout })) {
        if (line !== "ready") said += `${line}\n`;
        else if (how !== "the end of the command") gate.kill(how);
      }
      return outcomesOf(said);
    };

    it.for(["SIGKILL", "SIGTERM", "the end of the command"] as const)(
      "is not to be had once the gate has ended: %s",
      async (how, context) => {
        if (landlockAbi() < SCOPES_ABI) context.skip("needs Landlock with scopes (Linux 6.12)");
        const outcomes = await after(how);
        expect(outcomes).toEqual(held({ bpf: "ENOSYS", foreign: "ENOSYS", fast: true, issued: true }));
        // the Landlock domain stays
        expect(outcomes).toMatchObject({ "fds of process 1": "none", "a signal to process 1": "EPERM" });
      },
    );
  });

  describe("of a container", () => {
    let containers: Containers;
    let agent: RunningAgent;
    const HELD = { foreign: "SYS", fast: false };
    const oldProfile = () => site.write("old-profile.json", oldProfileText());

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

    /** What a program in it comes to. */
    const outcomesIn = async (container: RunningContainer): Promise<Outcomes> =>
      outcomesOf(await container.ask(`GATE=${agent.process.pid} /bin/attack`));
    /** What comes of it after the agent has ended. */
    const outcomesAfter = async (how: NodeJS.Signals, ...all: readonly RunningContainer[]) => {
      for (const container of all) await container.ask("/bin/attack outlive > /dev/shm/said");
      const ended = once(agent.process, "exit");
      agent.process.kill(how);
      await ended;
      const outcomes: Outcomes[] = [];
      for (const container of all) {
        const said = () => container.ask("cat /dev/shm/said");
        await until(async () => expect(await said()).toContain("a kernel: "));
        outcomes.push(outcomesOf(await said()));
        await container.end();
      }
      return outcomes;
    };

    it.each(["SIGKILL", "SIGTERM"] as const)("is not to be had once the agent has ended: %s", async (how) => {
      const [full, fast] = [containers.start(), containers.start({ profile: "seccomp-fast.json" })];
      expect(await outcomesAfter(how, full, fast)).toEqual([
        held({ ...HELD, bpf: "ENOSYS", issued: true }),
        held({ ...HELD, bpf: "ENOSYS", issued: true, fast: true }),
      ]);
    });

    it("is to be had under the profile of an earlier version once the agent has ended", async () => {
      const old = containers.start({ profile: oldProfile() });
      await agent.heard(/its `listenerMetadata` is `countersign`; its calls fail with EPERM/);
      const [outcomes] = await outcomesAfter("SIGKILL", old);
      expect(outcomes).toMatchObject({ ...FREE, "seizing with suspended filters": "EPERM" });
    });

    const REJECTED: Readonly<Record<string, readonly [wanted: () => Wanted, error: RegExp, more?: Partial<Held>]>> = {
      "shares the agent's pid namespace": [
        () => ({ ownPids: false, without: ["CAP_SYS_PTRACE"] }),
        /shares the gate's pid namespace; its calls fail with EPERM \[CONTAINER_REJECTED\]/,
      ],
      "hides calls that the configuration decides on": [
        () => ({ profile: "seccomp-fast.json" }),
        /hook bpf cannot be enforced for .*; its calls fail with EPERM \[CONTAINER_REJECTED\]/,
        { fast: true },
      ],
      "has the profile of an earlier version": [
        () => ({ profile: oldProfile() }),
        /its `listenerMetadata` is `countersign`; its calls fail with EPERM \[CONTAINER_REJECTED\]/,
        { current: false },
      ],
      "has the profile of an earlier version, and shares the pid namespace": [
        () => ({ profile: oldProfile(), ownPids: false, without: ["CAP_SYS_PTRACE"] }),
        /shares the gate's pid namespace; its calls fail with EPERM \[CONTAINER_REJECTED\]/,
        { current: false },
      ],
    };

    it.each(Object.entries(REJECTED))(
      "is not to be had while the agent rejects one that %s",
      async (_, [wanted, error, more]) => {
        site.policy(`${POLICY}export const bpf = () => 0;`);
        await agent.reload();
        site.policy(POLICY);
        agent.forget();
        const container = containers.start(wanted());
        await agent.heard(error);
        // again and again: nothing that a task does closes the listener
        for (let tries = 0; tries < 2; tries += 1) {
          const outcomes = await outcomesIn(container);
          expect(outcomes).toEqual(held({ ...HELD, bpf: "EPERM", issued: false, ...more }));
          if (wanted().ownPids === false) expect(outcomes["fds of the gate"]).toBe("none");
        }
        expect(outcomesOf(container.exec("/bin/attack").stdout)["a load"]).toBe("EPERM");
        await container.end();
      },
    );
  });
});

describe("a listener of its own, in a container whose listener systemd keeps", () => {
  let site: Site;
  let machine: Machine | string;
  let containers: Containers;

  beforeAll(async () => {
    if (process.getuid?.() !== 0) return;
    site = new Site(`${POLICY}export const bpf = () => 0;`);
    machine = await Machine.withAgent(site);
    if (typeof machine === "string") return;
    const program = join(site.folder, "listener-static");
    execFileSync("gcc", ["-O2", "-static", "-pthread", "-o", program, SOURCE]);
    containers = new Containers(site.folder, SOCKET, program);
  });
  afterAll(async () => {
    if (machine instanceof Machine) await machine.end();
    site?.remove();
  });
  beforeEach((context) => {
    needsGate(context);
    needs(context, "runc", "gcc", "busybox", "nsenter", "pgrep");
    if (typeof machine === "string") context.skip(machine);
    expect((machine as Machine).run("systemctl", "start", UNIT)).toMatchObject({ status: 0, stderr: "" });
    writeFileSync(join(site.folder, "said"), "");
  });

  const started = (runtime: string, profile: string): RunningContainer => {
    const there = machine as Machine;
    if (runtime !== "podman") return containers.start({ profile }, there.words(runtime));
    const [file, ...words] = podmanWords(site, there, deployed(profile), {}, ["/bin/sh", "-c", SHELL]);
    return new RunningContainer(`podman of ${profile}`, new RunningProgram(file, words));
  };

  it.for(["runc", "crun", "podman"])(
    "by %s, is not to be had while the agent starts again, nor after it was stopped",
    async (runtime, context) => {
      needs(context, runtime, ...(runtime === "podman" ? ["crun"] : []));
      const there = machine as Machine;
      const served = started(runtime, "seccomp.json");
      const rejected = started(runtime, "seccomp-fast.json");
      await served.ask("true");
      await there.said(site, /hook bpf cannot be enforced .*; its calls fail with EPERM/);
      const denied = { bpf: "EPERM", foreign: "SYS", fast: true, issued: false };
      for (const how of ["-TERM", "-KILL"]) {
        const before = there.property(UNIT, "MainPID");
        there.run("kill", how, before);
        expect(outcomesOf(await rejected.ask("/bin/attack"))).toEqual(held(denied));
        expect(outcomesOf(await served.ask("/bin/attack"))["a load"]).toBe("done");
        await until(() => {
          expect(there.property(UNIT, "MainPID")).not.toBe(before);
          expect(there.property(UNIT, "ActiveState")).toBe("active");
        });
        await there.said(site, /container `[^`]+` stays rejected: hook bpf cannot be enforced/);
      }
      expect(there.property(UNIT, "NFileDescriptorStore")).toBe("4");
      there.run("systemctl", "stop", UNIT);
      await until(() => expect(there.property(UNIT, "NFileDescriptorStore")).toBe("0"));
      const gone = { bpf: "ENOSYS", foreign: "SYS", issued: false };
      expect(outcomesOf(await rejected.ask("/bin/attack"))).toEqual(held({ ...gone, fast: true }));
      expect(outcomesOf(await served.ask("/bin/attack"))).toEqual(held({ ...gone, fast: false }));
      for (const container of [served, rejected]) await container.end();
    },
  );
});

function deployed(profile: string): string {
  return fileURLToPath(new URL(`../../../deploy/${profile}`, import.meta.url));
}
