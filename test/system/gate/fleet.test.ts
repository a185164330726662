import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { amount } from "../nightly.js";
import { Containers, type RunningContainer } from "./containers.js";
import { RunningAgent } from "./running-agent.js";
import { needs, needsGate, Site, UNTHROTTLED } from "./site.js";

const TENANTS = amount(5, 50);
const LOADS = 10;
/** A container may load what is called as its label says; the reason says what the label was. */
const POLICY = `
import { deny } from "countersign";
export function bpf_prog_load(prog, current) {
  const tenant = current.container?.labels?.tenant ?? "nobody";
  return prog.name === tenant ? 0 : deny("is not of " + tenant);
}
`;
const STUCK = 'export function bpf_prog_load({ name }) { for (; name === "stuck"; ); return 0; }';
/** Others use this machine, too: `stall` and `timeout` are so long that only what is hostile takes longer. */
const CONFIG = `version: 1
log: { file: log.jsonl }
gate: { stall: 1s, ${UNTHROTTLED} }
attachments:
  - { policy: policy.js, scope: { container: true }, limits: { timeout: 10s } }
  - { policy: stuck.js, scope: { labels: "tenant = hostile" }, limits: { timeout: 200ms, steps: 100000000 } }
`;
/**
 * What comes of the hostile container's calls: its own programs, those of others, policies that never come back, memory
 * that never comes.
 */
const WAYS = ["allowed", "DENIED_BY_POLICY", "OUT_OF_TIME", "stalled"];
const ATTACK = fileURLToPath(new URL("../attack/tenant.c", import.meta.url));

describe(`${TENANTS} containers beside a hostile one`, () => {
  let site: Site;
  let agent: RunningAgent;
  let containers: Containers;
  const tenants = new Map<string, RunningContainer>();

  beforeAll(async () => {
    if (process.getuid?.() !== 0) return;
    site = new Site(POLICY);
    site.write("stuck.js", STUCK);
    site.write("countersign.yaml", CONFIG);
    agent = await RunningAgent.start(site, ["--metrics", "127.0.0.1:0"]);
    const program = join(site.folder, "tenant-static");
    execFileSync("gcc", ["-O2", "-Wall", "-Werror", "-static", "-o", program, ATTACK]);
    containers = new Containers(site.folder, agent.socket, program);
    const names = [...Array.from({ length: TENANTS }, (_, index) => `tenant${index}`), "hostile"];
    for (const name of names) {
      const container = containers.start({ annotations: { "label.countersign/tenant": name } });
      tenants.set(name, container);
      // one after the other: so many runtimes at once would wait for each other
      expect(await container.ask(`echo ${name}`)).toBe(`${name}\n`);
    }
  });
  afterAll(async () => {
    for (const tenant of tenants.values()) await tenant.end();
    await agent?.end();
    site?.remove();
  });
  beforeEach((context) => {
    needsGate(context);
    needs(context, "runc", "gcc", "busybox");
  });

  /** Every container but the hostile one loads, all of them at once. */
  const load = () =>
    Promise.all(
      Array.from(tenants)
        .filter(([name]) => name !== "hostile")
        .map(([name, container]) => container.ask(`/bin/attack ${name} ${LOADS}`)),
    );
  const expected = Array.from(
    { length: TENANTS },
    (_, index) => `tenant${index}: loaded ${LOADS} denied ${LOADS} other 0\n`,
  );

  it("load what is theirs and nothing else", async () => {
    expect(await load()).toEqual(expected);
  });

  it("go on while that one tries all that it can", async () => {
    const hostile = tenants.get("hostile")!;
    await hostile.ask("/bin/attack hostile hostile > /dev/null 2>&1 & echo $! > /dev/null");
    const outcomes = () => {
      const theirs = site.log.filter(({ current }) => current.container?.id === hostile.id);
      return new Set(
        theirs.flatMap(({ denied_by, answers }) => [
          denied_by?.rule ?? denied_by?.code ?? "allowed",
          ...(answers?.flatMap(({ fault }) => fault?.code ?? []) ?? []),
        ]),
      );
    };
    // until it has been at it in each of its ways
    for (let round = 0; round < 3 || !WAYS.every((way) => outcomes().has(way)); round += 1) {
      expect(round).toBeLessThan(100);
      expect(await load()).toEqual(expected);
    }
  });

  it("are each judged by their own label", () => {
    const labels = new Map(Array.from(tenants, ([name, { id }]) => [id, name]));
    const loads = site.log.filter(({ hook }) => hook === "bpf_prog_load");
    for (const { current, subject, verdict, denied_by } of loads) {
      const name = labels.get(current.container?.id ?? "") ?? "nobody";
      if (verdict === 0) expect(subject.name).toBe(name);
      else if (denied_by?.attachment === "policy") expect(denied_by.reason).toBe(`policy: is not of ${name}`);
      else expect(name, denied_by?.reason).toBe("hostile");
    }
    expect(new Set(loads.map(({ current }) => current.container?.id)).size).toBe(TENANTS + 1);
  });
});
