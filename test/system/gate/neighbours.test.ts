import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../support/until.js";
import { RunningAgent } from "./running-agent.js";
import { needs, needsGate, Site, UNTHROTTLED } from "./site.js";
import { stretchTimeouts } from "./timer-slack.js";

/** Counts what it decides, in a map, and says how much that was before. */
const COUNTS = `
import { map_lookup, map_update, note } from "countersign";
export function bpf_prog_load() {
  const count = map_lookup("loads", "count") ?? 0;
  map_update("loads", "count", count + 1);
  note(String(count));
  return 0;
}
`;
/** A native that never polls; with less, it would run out of steps. */
const STUCK = `
export function bpf_prog_load(prog) {
  if (prog.name === "stuck") Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
  return 0;
}
`;
/** The beginning of each configuration: both containers load as often as they can. */
const settings = (more = "") => `version: 1
gate: { ${UNTHROTTLED}${more} }
log: { file: log.jsonl }
maps: { loads: { writable: { entries: 4, bytes: 4KiB } } }
attachments:
  - { policy: policy.js, scope: { labels: role=victim }, limits: { timeout: 10s } }
  - { name: stuck, policy: stuck.js, domain: other, scope: { labels: role=attacker }, limits: { steps: 100000000 } }
`;
const CONFIG = settings();

/** What the attack counts: see neighbours.c. */
type Counts = Readonly<Record<"loads" | "failed" | "found" | "during" | "tries" | "beside", number>>;

/** Waits of the gate beside which the victim loads. If everyone waited for that, there would be none. */
const TIMES = 10;

describe("a container beside one that misbehaves", () => {
  let site: Site;
  let agent: RunningAgent;

  beforeEach(async (context) => {
    needsGate(context);
    needs(context, "gcc");
    site = new Site(COUNTS);
    site.write("stuck.js", STUCK);
    site.write("countersign.yaml", CONFIG);
    agent = await RunningAgent.start(site, ["--shared-pids", "--metrics", "127.0.0.1:0"]);
    await agent.heard(/metrics at/);
  });
  afterEach(async () => {
    await agent?.end();
    site?.remove();
  });

  const beside = async (kind: string, times: number): Promise<Counts> => {
    const { stdout } = await promisify(execFile)(site.attack("neighbours"), [agent.socket, kind, String(times)]);
    console.info(`${kind}: ${stdout.trim()}`);
    const numbers = [...stdout.matchAll(/(\w+) (\d+)/g)].map(([, name, number]) => [name, Number(number)]);
    return Object.fromEntries(numbers) as Counts;
  };
  /** The same; meanwhile, the attacker is isolated at least once, which lasts for ten seconds. */
  const besideIsolated = async (kind: string): Promise<Counts> => {
    const isolated = async () => expect(await metric("isolated_containers")).toBeGreaterThan(0);
    return (await Promise.all([beside(kind, TIMES), until(isolated, 500)]))[0];
  };
  const metric = async (name: string) => {
    const text = await (await fetch(agent.metrics)).text();
    return Number(new RegExp(`^countersign_${name} (\\d+)$`, "m").exec(text)?.[1]);
  };
  /** Of the attacker's calls, what was written down and why. */
  const reasons = () =>
    site.log
      .filter(({ current }) => current.container?.id === "attacker")
      .map(({ denied_by }) => denied_by?.reason.replace(/\d+/g, "N"));

  it.each([
    ["endless", "memory", "an attr behind which nobody answers"],
    ["log", "memory", "a log buffer behind which nobody answers"],
    ["path", "path", "a path in a file system that does not answer"],
  ])("%s: goes on while that one makes the gate wait with %s: %s", async (kind, what) => {
    const counts = await besideIsolated(kind);
    expect(counts).toMatchObject({ failed: 0, found: 1 });
    expect(counts.beside).toBeGreaterThanOrEqual(TIMES);
    expect(await metric("tasks_killed_total")).toBeGreaterThan(0);
    // the first call alone is waited for, until another thread takes over, however many there are. On a busy machine a
    // thread can seem to wait for any container: threads are replaced for the victim, too, or before the attacker
    // begins
    expect(await metric("worker_replacements_total")).toBeLessThan(counts.tries / 2);
    const waits = { memory: "its memory from being read or written", path: "a path from being looked up" }[what];
    expect(reasons()).toContain(`gate: stalled: task N kept ${waits} for N ms and was killed`);
  });

  it("goes on while that one makes the gate wait, whose time-outs it has made endless", async () => {
    stretchTimeouts(agent.process.pid!);
    const counts = await besideIsolated("endless");
    expect(counts).toMatchObject({ failed: 0, found: 1 });
    expect(counts.beside).toBeGreaterThanOrEqual(TIMES);
  });

  it("goes on while that one makes the gate wait a little, again and again", async () => {
    // on a busy machine a page takes longer to come than it should
    site.write("countersign.yaml", settings(", stall: 10s"));
    await agent.reload();
    const counts = await besideIsolated("drip");
    expect(counts.failed).toBe(0);
    expect(counts.beside).toBeGreaterThanOrEqual(TIMES);
    expect(await metric("tasks_killed_total")).toBe(0);
  });

  it("has every load decided once while policies for that one never come back, and all that was written and handed out kept", async () => {
    const { loads, failed, tries, found } = await beside("stuck", 0);
    expect([failed, found]).toEqual([0, 1]);
    const decided = site.log.filter(({ current }) => current.container?.id === "victim");
    expect(decided.flatMap(({ answers }) => answers!.flatMap(({ notes }) => notes))).toEqual(
      Array.from({ length: loads }, (_, count) => String(count)),
    );
    const faults = site.log.flatMap(({ answers }) => answers!.flatMap(({ fault }) => fault?.code ?? []));
    expect(new Set(faults)).toEqual(new Set(["OUT_OF_TIME", "SUSPENDED"]));
    // a few times, and then the attachment is suspended and no thread has to end, however often the attacker tries
    expect(await metric("worker_replacements_total")).toBeGreaterThan(1);
    expect(await metric("worker_replacements_total")).toBeLessThan(tries / 2);
    expect(agent.said).toMatch(/the decision thread was replaced: a policy did not come back/);
  });
});
