import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../support/until.js";
import { amount } from "../nightly.js";
import { Containers, type RunningContainer } from "./containers.js";
import { Machine, SOCKET, UNIT, UNIT_FILE } from "./machine.js";
import { BIN, needs, needsGate, outputOf, Site } from "./site.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const BY_TIER = `
import { deny, map_lookup, map_update, note } from "countersign";
export const bpf_prog = () => {
  const count = map_lookup("asked", "count") ?? 0;
  map_update("asked", "count", count + 1);
  note(String(count));
  return 0;
};
export const bpf_prog_load = (prog, current) =>
  current.container?.labels?.tier === "edge" ? deny("a container of tier edge loads nothing here") : 0;
`;
const KEPT = "program found, map found, no room";
const LOADER = "/bin/attack callers";
const LOADED = "good in a thread: done\ngood in a vfork: 0\n";
const REFUSED = "good in a thread: EPERM\ngood in a vfork: 1\n";

describe("an agent that systemd starts again", () => {
  let site: Site;
  let machine: Machine | string;
  let containers: Containers;
  let edge: RunningContainer;
  let dev: RunningContainer;

  beforeAll(async () => {
    if (process.getuid?.() !== 0) return;
    site = new Site(
      BY_TIER,
      "gate: { map_memory: 1MiB }\nmaps: { asked: { writable: { entries: 4, bytes: 4KiB } } }\n",
    );
    machine = await Machine.withAgent(site);
    if (typeof machine === "string") return;
    const program = join(site.folder, "traps-static");
    execFileSync("gcc", ["-O2", "-static", "-pthread", "-o", program, at("../attack/traps.c")]);
    containers = new Containers(site.folder, SOCKET, program, machine.words("runc"));
    edge = containers.start({ annotations: { "label.countersign/tier": "edge" } });
    dev = containers.start();
  });
  afterAll(async () => {
    if (machine instanceof Machine) await machine.end();
    site?.remove();
  });
  beforeEach((context) => {
    needsGate(context);
    needs(context, "runc", "gcc", "busybox", "nsenter", "pgrep");
    if (typeof machine === "string") context.skip(machine);
  });

  const there = () => machine as Machine;
  const mainPid = () => {
    const pid = there().property(UNIT, "MainPID");
    expect(pid).toMatch(/^[1-9]\d*$/); // 0 while there is none
    return pid;
  };
  const judged = async () => {
    expect(await edge.ask(LOADER)).toContain(REFUSED);
    expect(await dev.ask(LOADER)).toContain(LOADED);
  };
  /** Sends the agent a signal that ends it, and waits until systemd has started another one. */
  const restartedBy = async (signal: string) => {
    const before = mainPid();
    expect(there().run("kill", signal, before)).toMatchObject({ status: 0, stderr: "" });
    await until(() => {
      const state = there().property(UNIT, "ActiveState");
      expect([state, mainPid() !== before]).toEqual(["active", true]);
    });
  };
  const stored = (count: number) =>
    until(() => expect(there().property(UNIT, "NFileDescriptorStore")).toBe(String(count)));

  it("is ready when it says so, and has each container kept as two fds, and its maps as one", async () => {
    await judged();
    expect(there().property(UNIT, "ActiveState")).toBe("active");
    await stored(5);
  });

  it("goes on with containers that ran before", async () => {
    const before = mainPid();
    expect(there().run("systemctl", "restart", UNIT)).toMatchObject({ status: 0, stderr: "" });
    expect(mainPid()).not.toBe(before);
    await judged();
    await stored(5);
  });

  it("goes on with them after it was killed, and calls that come meanwhile wait for it", async () => {
    for (let round = 0; round < 3; round += 1) {
      const before = mainPid();
      there().run("kill", "-KILL", before);
      await judged();
      await until(() => expect(mainPid()).not.toBe(before));
    }
    await stored(5);
  });

  it("has the call fail that was being decided when it was killed, and the task go on", async () => {
    execFileSync("gcc", ["-O2", "-static", "-o", join(site.folder, "rootfs/bin/steady"), at("../attack/steady.c")]);
    await dev.ask("/bin/steady > /dev/shm/steady & echo $! > /dev/shm/pid");
    const last = "while read -r line; do all=$line; done < /dev/shm/steady; echo $all";
    const counts = async () => {
      const [done = 0, failed = 0, odd = 0] = (await dev.ask(last)).trim().split(" ").map(Number);
      return { done, failed, odd };
    };
    const more = (than: number) => until(async () => expect((await counts()).done).toBeGreaterThan(than), 100);
    await more(0);
    // it hardly does anything else than wait for an answer, so that few rounds find none that is being decided
    let killed = 0;
    for (let { failed } = await counts(); killed < amount(2, 5) || failed === 0; { failed } = await counts()) {
      expect(killed).toBeLessThan(50);
      there().run("kill", "-KILL", mainPid());
      killed += 1;
      await judged();
      await more((await counts()).done);
    }
    const { failed, odd } = await counts();
    expect(failed).toBeLessThanOrEqual(killed);
    expect(odd).toBe(0);
    await dev.ask("read -r steady < /dev/shm/pid; kill -KILL $steady");
  });

  it("still has what was handed out found by its id, and counted", async () => {
    execFileSync("gcc", ["-O2", "-static", "-o", join(site.folder, "rootfs/bin/keeper"), at("../attack/keeper.c")]);
    await dev.ask("/bin/keeper > /dev/shm/keeper & echo $! > /dev/shm/pid");
    const lines = async () => (await dev.ask('while read -r line; do echo "$line"; done < /dev/shm/keeper')).trim();
    const tries = async () => (await lines()).split("\n");
    const since = async (count: number) => new Set((await tries()).slice(count));
    await until(async () => expect((await tries()).length).toBeGreaterThan(2));
    expect(await since(1)).toEqual(new Set([KEPT]));
    for (const how of ["-TERM", "-KILL"]) {
      await restartedBy(how);
      const { length } = await tries();
      await until(async () => expect((await tries()).length).toBeGreaterThan(length + 3));
      expect(await since(length)).toEqual(new Set([KEPT]));
    }
    expect(edge.exec("/bin/keeper", (await tries())[0] ?? "").stdout).toBe("Operation not permitted\n");
    await dev.ask("read -r keeper < /dev/shm/pid; kill -KILL $keeper");
  });

  /** What the policy found in its map, at each load since the log was forgotten. */
  const counts = () =>
    site.log.filter(({ hook }) => hook === "bpf_prog").map(({ answers }) => Number(answers?.[0]?.notes[0]));

  /** The journal of the maps, in memory that systemd keeps for the next agent. */
  const kept = () => {
    const journal = `for fd in /proc/${mainPid()}/fd/*; do
      case $(readlink $fd) in *memfd:countersign-maps*) cat $fd ;; esac
    done`;
    return outputOf(there().run("sh", "-c", journal));
  };

  it("has the maps that policies wrote to, where it was told to end or killed", async () => {
    expect(await dev.ask(LOADER)).toContain(LOADED);
    for (const how of ["-TERM", "-KILL"]) {
      const before = counts().at(-1)!;
      site.forgetLog();
      // what a policy wrote in the last milliseconds before SIGKILL is lost (docs/agent.md)
      if (how === "-KILL") await until(() => expect(kept()).toContain(`["asked","count","${before + 1}"]`));
      await restartedBy(how);
      expect(await dev.ask(LOADER)).toContain(LOADED);
      expect(counts()[0]).toBe(before + 1);
    }
  });

  it("begins a map anew of which the configuration says something else by then", async () => {
    const config = readFileSync(join(site.folder, "countersign.yaml"), "utf8");
    site.write("countersign.yaml", config.replace("entries: 4", "entries: 5"));
    site.forgetLog();
    there().run("systemctl", "restart", UNIT);
    expect(await dev.ask(LOADER)).toContain(LOADED);
    expect(counts()[0]).toBe(0);
  });

  it("hears processes that a runtime starts in such a container", async () => {
    expect(edge.exec("/bin/attack", "callers").stdout).toContain(REFUSED);
    expect(dev.exec("/bin/attack", "callers").stdout).toContain(LOADED);
    await stored(5);
  });

  it("has read its configuration again when systemctl says so", async () => {
    site.policy("export const bpf_prog_load = () => 0;");
    expect(there().run("systemctl", "reload", UNIT)).toMatchObject({ status: 0, stderr: "" });
    expect(await edge.ask(LOADER)).toContain(LOADED);
    site.policy(BY_TIER);
    there().run("systemctl", "reload", UNIT);
    await judged();
  });

  it("forgets containers that end, whether it runs or not", async () => {
    const short = containers.start();
    expect(await short.ask(LOADER)).toContain(LOADED);
    await stored(7);
    await short.end();
    await stored(5);
    const other = containers.start();
    expect(await other.ask(LOADER)).toContain(LOADED);
    there().run("kill", "-STOP", mainPid());
    await other.end();
    there().run("kill", "-KILL", mainPid());
    await judged();
    await stored(5);
  });

  it("lets containers go when it is stopped: their calls fail", async () => {
    there().run("systemctl", "stop", UNIT);
    await stored(0);
    for (const container of [edge, dev])
      expect(await container.ask(LOADER)).toContain("good in a thread: ENOSYS\ngood in a vfork: 1\n");
  });
});

describe("the unit of deploy/", () => {
  it("is one that systemd has nothing to say about", (context) => {
    needs(context, "systemd-analyze");
    const folder = mkdtempSync(join(tmpdir(), "countersign-unit-"));
    const unit = readFileSync(UNIT_FILE, "utf8");
    writeFileSync(join(folder, UNIT), unit.replace("/usr/bin/countersign", BIN));
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", join(folder, UNIT)], {
      encoding: "utf8",
    });
    rmSync(folder, { recursive: true });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});
