import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BIN, needs, needsGate, Site } from "./site.js";

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
const CONFIG = `version: 1
log: { file: log.jsonl }
maps: { loads: { writable: { entries: 4, bytes: 4KiB } } }
attachments:
  - { policy: policy.js, scope: { labels: role=victim } }
  - { name: stuck, policy: stuck.js, domain: other, scope: { labels: role=attacker }, limits: { steps: 100000000 } }
`;

/** The victim's loads, how often the attacker tried, and the victim's loads per 10 seconds before and during that. */
type Counts = Readonly<Record<"loads" | "failed" | "tries" | "found" | "before" | "during", number>>;

/**
 * How many times fewer loads the victim may make beside the attacker than alone, in the same run. Where the gate waited
 * for each call of the attacker's, it would make 30 times fewer (14 ms a call) to 250 times fewer (250 ms).
 */
const FEWER = 10;

describe("a container beside one that misbehaves", () => {
  let site: Site;
  let agent: ChildProcess;
  let said = "";

  beforeEach(async (context) => {
    needsGate(context);
    needs(context, "gcc");
    said = "";
    site = new Site(COUNTS);
    site.write("stuck.js", STUCK);
    const config = site.write("countersign.yaml", CONFIG);
    const words = ["agent", "--socket", join(site.folder, "agent.sock"), "--config", config, "--shared-pids"];
    agent = spawn(process.execPath, [BIN, ...words, "--metrics", "127.0.0.1:0"]);
    for (const stream of [agent.stdout, agent.stderr])
      stream?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
    await heard(/metrics at/);
  });
  afterEach(async () => {
    const ended = once(agent, "exit");
    agent.kill("SIGTERM");
    await ended;
    site.remove();
  });

  const heard = async (what: RegExp) => {
    for (let tries = 0; tries < 200 && !what.test(said); tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(said).toMatch(what);
  };
  const beside = async (kind: string): Promise<Counts> => {
    const words = [join(site.folder, "agent.sock"), "4", kind];
    const { stdout } = await promisify(execFile)(site.attack("neighbours"), words);
    console.info(`${kind}: ${stdout.trim()}`);
    const numbers = [...stdout.matchAll(/(\w+) (\d+)/g)].map(([, name, number]) => [name, Number(number)]);
    return Object.fromEntries(numbers) as Counts;
  };
  const metric = async (name: string) => {
    const text = await (await fetch(/metrics at (\S+)/.exec(said)?.[1] ?? "")).text();
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
    const { failed, tries, found, before, during } = await beside(kind);
    expect([failed, tries > 1, found]).toEqual([0, true, 1]);
    expect(during * FEWER).toBeGreaterThan(before);
    // only the first call is waited for, until another thread takes over
    expect(await metric("worker_replacements_total")).toBe(1);
    const waits = { memory: "its memory from being read or written", path: "a path from being looked up" }[what];
    expect(reasons()).toContain(`gate: stalled: task N kept ${waits} for N ms and was killed`);
    expect(await metric("tasks_killed_total")).toBeGreaterThan(0);
    expect(await metric("isolated_containers")).toBe(1);
  });

  it("goes on while that one makes the gate wait a little, again and again", async () => {
    const { failed, before, during } = await beside("drip");
    expect(failed).toBe(0);
    expect(during * FEWER).toBeGreaterThan(before);
    expect(await metric("tasks_killed_total")).toBe(0);
    expect(await metric("isolated_containers")).toBe(1);
  });

  it("has every load decided once while policies for that one never come back, and all that was written and handed out kept", async () => {
    const { loads, failed, tries, found, before, during } = await beside("stuck");
    expect([failed, tries > 1, found]).toEqual([0, true, 1]);
    expect(during * FEWER).toBeGreaterThan(before);
    const decided = site.log.filter(({ current }) => current.container?.id === "victim");
    expect(decided.flatMap(({ answers }) => answers!.flatMap(({ notes }) => notes))).toEqual(
      Array.from({ length: loads }, (_, count) => String(count)),
    );
    const faults = site.log.flatMap(({ answers }) => answers!.flatMap(({ fault }) => fault?.code ?? []));
    expect(new Set(faults)).toEqual(new Set(["OUT_OF_TIME", "SUSPENDED"]));
    // a few times, and then the attachment is suspended and no thread has to end, however often the attacker tries
    expect(await metric("worker_replacements_total")).toBeGreaterThan(1);
    expect(await metric("worker_replacements_total")).toBeLessThan(5);
    expect(said).toMatch(/the decision thread was replaced: a policy did not come back/);
  });
});
