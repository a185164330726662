import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Containers } from "./containers.js";
import { RunningAgent } from "./running-agent.js";
import { expectNoneLoadedSince, needs, needsGate, programs, Site, XDP_PASS } from "./site.js";

/** Held by tier, as container-lockdown does. */
const BY_TIER = `
import { deny } from "countersign";
export const bpf_prog_load = (prog, current) =>
  current.container?.labels?.tier === "edge" ? deny("a container of tier edge loads nothing here") : 0;
`;
const EDGE = { "label.countersign/tier": "edge" };

describe("an agent for containers", () => {
  let site: Site;
  let containers: Containers;
  let agent: RunningAgent;

  beforeAll(async () => {
    site = new Site(BY_TIER);
    agent = await RunningAgent.start(site, ["--metrics", "127.0.0.1:0"]);
    execFileSync("gcc", ["-O2", "-static", "-pthread", "-o", join(site.folder, "traps-static"), source("traps")]);
    containers = new Containers(site.folder, agent.socket, join(site.folder, "traps-static"));
  });
  afterAll(async () => {
    await agent.end();
    site.remove();
  });
  beforeEach((context) => {
    needsGate(context);
    needs(context, "runc", "gcc", "busybox");
  });

  const source = (name: string) => new URL(`../attack/${name}.c`, import.meta.url).pathname;

  it("refuses a loader in a container that is labelled, and lets the same one through in another", async () => {
    const before = programs();
    const edge = containers.run(["/bin/attack", "callers"], { annotations: EDGE });
    expect(edge.stdout).toBe(
      ["good in a thread: EPERM", "good in a vfork: 1", "bad in a thread: EPERM", "bad in a vfork: 1", ""].join("\n"),
    );
    await expectNoneLoadedSince(before);
    const other = containers.run(["/bin/attack", "callers"]);
    expect(other.stdout).toContain("good in a thread: done\ngood in a vfork: 0\n");
    const reasons = site.log.map(({ denied_by }) => denied_by?.reason).filter((reason) => reason !== undefined);
    expect(new Set(reasons)).toEqual(new Set(["policy: a container of tier edge loads nothing here"]));
  });

  it("takes a changed policy on SIGHUP, and keeps the one that it has when the new one is broken", async () => {
    site.policy("export const nothing = 1;");
    await agent.reload(/the configuration in use stays/);
    expect(containers.run(["/bin/attack", "callers"], { annotations: EDGE }).stdout).toContain(
      "good in a thread: EPERM",
    );
    site.policy("export const bpf_prog_load = () => 0;");
    await agent.reload();
    expect(containers.run(["/bin/attack", "callers"], { annotations: EDGE }).stdout).toContain(
      "good in a thread: done",
    );
    site.policy(BY_TIER);
    await agent.reload();
  });

  it("looks paths up as the container does, even where existing objects may be had", async (context) => {
    needs(context, "bpftool", "clang-19");
    const pin = join(site.bpffs, "other");
    expect(site.bare("bpftool", "prog", "load", site.object("other", XDP_PASS), pin).status).toBe(0);
    const config = readFileSync(join(site.folder, "countersign.yaml"), "utf8");
    site.write("countersign.yaml", `${config}gate: { existing: allow }\n`);
    await agent.reload();
    const env = `OTHER_PROGRAM=1 OTHER_PIN=${pin} OWN_PIN=/sys/fs/bpf/own`;
    const { stdout } = containers.run(["/bin/sh", "-c", `${env} /bin/attack by-id`]);
    expect(stdout).toContain("own program by id: done");
    expect(stdout).toContain("another's program by path: ENOENT");
    site.write("countersign.yaml", config);
    await agent.reload();
  });

  it("refuses a container that shares its pid namespace", async () => {
    const { stdout } = containers.run(["/bin/attack", "callers"], { ownPids: false });
    expect(stdout).toContain("good in a thread: EPERM");
    await agent.heard(/shares the gate's pid namespace/);
  });

  it("kills a task that keeps it waiting, and goes on for others", async () => {
    expect(containers.run(["/bin/attack", "stall"]).stdout).toBe("stalled: killed\n");
    await agent.heard(/made the gate wait/);
    expect(containers.run(["/bin/attack", "callers"]).stdout).toContain("good in a thread: done");
  });

  it("has metrics", async () => {
    const { metrics } = agent;
    const text = await (await fetch(metrics)).text();
    expect(text).toMatch(/^countersign_operations_total\{outcome="denied"\} [1-9]/m);
    expect(text).toMatch(/^countersign_call_duration_seconds_bucket\{le="\+Inf"\} [1-9]/m);
    expect((await fetch(metrics.replace("/metrics", "/"))).status).toBe(404);
  });
});
