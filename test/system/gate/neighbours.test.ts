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
/** A native that never polls; with less, it would run out of fuel. */
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
  - { name: stuck, policy: stuck.js, domain: other, scope: { labels: role=attacker }, limits: { fuel: 1000000000 } }
`;

/** What the victim's loads took, in microseconds, how many were over so many milliseconds, and how often the attacker tried. */
type Times = Readonly<
  Record<"p50" | "p99" | "p999" | "max" | "over50" | "over100" | "loads" | "failed" | "tries" | "found", number>
>;

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
  const beside = async (kind: string): Promise<Times> => {
    const words = [join(site.folder, "agent.sock"), "4", kind];
    const { stdout } = await promisify(execFile)(site.attack("neighbours"), words);
    console.info(`${kind}: ${stdout.trim()}`);
    const numbers = [...stdout.matchAll(/(\w+) (\d+)/g)].map(([, name, number]) => [name, Number(number)]);
    return Object.fromEntries(numbers) as Times;
  };
  const metric = async (name: string) => {
    const text = await (await fetch(/metrics at (\S+)/.exec(said)?.[1] ?? "")).text();
    return Number(new RegExp(`^countersign_${name} (\\d+)$`, "m").exec(text)?.[1]);
  };
  /** Of the attacker's calls, what was written down and why. */
  const reasons = () =>
    site.log
      .filter(({ current }) => current.container?.id === "attacker")
      .map(({ refusal }) => refusal?.reason.replace(/\d+/g, "N"));

  it.each([
    ["endless", "memory", "an attr behind which nobody answers"],
    ["log", "memory", "a log buffer behind which nobody answers"],
    ["path", "path", "a path in a file system that does not answer"],
  ])("%s: goes on while that one makes the gate wait with %s: %s", async (kind, what) => {
    const { p50, p99, max, over100, loads, failed, tries, found } = await beside(kind);
    expect([failed, tries > 1, found]).toEqual([0, true, 1]);
    // without: 250 ms for each of them
    expect(p50).toBeLessThan(5_000);
    expect(p99).toBeLessThan(50_000);
    // the first one alone is waited for until another thread takes over: 38 to 54 ms where the machine does little else
    expect(over100).toBeLessThan(5);
    expect(max).toBeLessThan(400_000);
    expect(loads).toBeGreaterThan(500);
    const waits = { memory: "its memory from being read or written", path: "a path from being looked up" }[what];
    expect(reasons()).toContain(`gate: stalled: task N kept ${waits} for N ms and was killed`);
    expect(await metric("stalls_total")).toBeGreaterThan(0);
    expect(await metric("suspects")).toBe(1);
  });

  it("goes on while that one makes the gate wait a little, again and again", async () => {
    const { p50, loads, failed } = await beside("drip");
    expect(failed).toBe(0);
    // without: 29 ms, of which 14 are the attacker's page
    expect(p50).toBeLessThan(5_000);
    expect(loads).toBeGreaterThan(500);
    expect(await metric("stalls_total")).toBe(0);
    expect(await metric("suspects")).toBe(1);
  });

  it("has every load decided once while policies for that one never come back, and all that was written and handed out kept", async () => {
    const { p99, max, over100, loads, failed, tries, found } = await beside("stuck");
    expect([failed, tries > 1, found]).toEqual([0, true, 1]);
    // twice, and then the attachment is not asked: the policy's own 50 ms, 50 for it to come back all the same, and the thread's end;
    // 115 to 180 ms where the machine does little else
    expect(p99).toBeLessThan(50_000);
    expect(over100).toBeLessThan(5);
    expect(max).toBeLessThan(500_000);
    const decided = site.log.filter(({ current }) => current.container?.id === "victim");
    expect(decided.flatMap(({ answers }) => answers!.flatMap(({ notes }) => notes))).toEqual(
      Array.from({ length: loads }, (_, count) => String(count)),
    );
    const faults = site.log.flatMap(({ answers }) => answers!.flatMap(({ fault }) => fault?.code ?? []));
    expect(new Set(faults)).toEqual(new Set(["OUT_OF_TIME", "SUSPENDED"]));
    expect(await metric("threads_replaced_total")).toBeGreaterThan(1);
    expect(said).toMatch(/the decision thread was replaced: a policy did not come back/);
  });
});
