import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { DecisionEngine } from "../src/engine/watchdog.js";
import type { Decision } from "../src/hooks/decision.js";
import { compiling } from "../test/hostile/policies/compiling.js";
import { exhaustion } from "../test/hostile/policies/exhaustion.js";
import { memory } from "../test/hostile/policies/memory.js";
import { stack } from "../test/hostile/policies/stack.js";
import { time } from "../test/hostile/policies/time.js";
import type { Figure } from "./row.js";

export const title = "Isolation: what a hostile policy costs others";

/** Milliseconds: the default of `limits.timeout`. */
const WALL = 50;
/** Hostile policies by name, each with its files, of which the first is the policy. */
const POLICIES: readonly { readonly name: string; readonly files: Readonly<Record<string, string>> }[] = [
  ...[...time, ...memory, ...stack, ...exhaustion].map(({ name, policy }) => ({
    name,
    files: { "policy.js": whole(policy) },
  })),
  // those that may just be compiled
  ...compiling.filter(({ code }) => code === null),
];

/**
 * Asks each hostile policy once, together with a policy of another domain that is asked right behind it. Both have the
 * default limits, in an engine whose thread can be ended.
 */
export async function rows(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  const engine = await open(folder);
  const ask = async (who: string) => {
    const start = performance.now();
    const decision = await engine.decideAsync(about(who));
    return { decision, took: performance.now() - start };
  };
  await engine.prepared();
  for (let round = 0; round < 100; round++) await ask("peaceful");
  const measured: Measured[] = [];
  for (const [index, { name }] of POLICIES.entries()) {
    const alone = await ask("peaceful");
    const before = process.cpuUsage();
    const [hostile, behind] = await Promise.all([ask(`h${index}`), ask("peaceful")]);
    const { user, system } = process.cpuUsage(before);
    if (behind.decision.verdict !== -7) throw new Error(`${name} changed the verdict of another domain`);
    const fault = faultOf(hostile.decision);
    measured.push({ name, took: hostile.took, delay: behind.took - alone.took, used: (user + system) / 1000, fault });
    await engine.prepared();
  }
  await engine.close();
  rmSync(folder, { recursive: true });
  const longest = most(measured, ({ took }) => took);
  const delayed = most(measured, ({ delay }) => delay);
  const busiest = most(measured, ({ used }) => used);
  return [
    {
      name: `the longest decision of ${POLICIES.length} hostile policies, each asked for the first time`,
      figure: longest.took / WALL,
      unit: `times its limit of ${WALL} ms`,
      limit: 2,
      note: `${longest.name}: ${longest.fault}`,
    },
    {
      name: "the longest delay of another domain's decision behind it",
      figure: delayed.delay,
      unit: "ms",
      limit: 100,
      note: `${delayed.name}: ${delayed.fault}`,
    },
    {
      name: "the most processor time for the two decisions",
      figure: busiest.used,
      unit: "ms",
      note: `${busiest.name}: ${busiest.fault}; says more than the others where the machine is busy`,
    },
  ];
}

interface Measured {
  readonly name: string;
  /** Milliseconds. */
  readonly took: number;
  readonly delay: number;
  /** Milliseconds of processor time, of the whole process: also for a thread that takes over. */
  readonly used: number;
  readonly fault: string;
}

function most(measured: readonly Measured[], of: (one: Measured) => number): Measured {
  return [...measured].sort((a, b) => of(b) - of(a))[0]!;
}

function faultOf({ answers }: Decision): string {
  return answers[0]?.fault?.code ?? "answered";
}

function about(who: string): Parameters<DecisionEngine["decideAsync"]>[0] {
  const subject = { name: "b", digest: "d", data: Uint8Array.of(1, 2, 3, 4), signature: null };
  const container = { id: "c", name: null, labels: { who }, annotations: {} };
  const ids = { pid: 1, tid: 1, uid: 0, euid: 0, gid: 0 };
  const current = { ...ids, comm: "x", exe: null, cgroup: null, capabilities: [], namespaces: {}, container };
  return { hook: "blob_verify", subject, current };
}

async function open(folder: string): Promise<DecisionEngine> {
  const write = (name: string, files: Readonly<Record<string, string>>) => {
    mkdirSync(join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text);
  };
  write("peaceful", { "policy.js": "export const blob_verify = () => -7;" });
  const attachments: object[] = [
    { name: "peaceful", policy: "peaceful/policy.js", domain: "peaceful", scope: { labels: "who=peaceful" } },
  ];
  for (const [index, { files }] of POLICIES.entries()) {
    const name = `h${index}`;
    write(name, files);
    const policy = `${name}/${Object.keys(files)[0]}`;
    attachments.push({ name, policy, domain: "hostile", scope: { labels: `who=${name}` } });
  }
  const maps = { state: { writable: { entries: 16, bytes: 10_000 } } };
  writeFileSync(join(folder, "countersign.yaml"), stringify({ version: 1, maps, attachments }));
  const bundle = new URL("../../../dist/index.js", import.meta.url).href;
  const { openEngine } = (await import(bundle)) as typeof import("../src/index.js");
  return openEngine(join(folder, "countersign.yaml"));
}

function whole(policy: string): string {
  const isFile = /\bexport (function|const|class)/.test(policy);
  return isFile ? policy : `export function blob_verify(blob, current) {\n${policy}\n}`;
}
