import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProgramSubject } from "../src/bpf/model/facts.js";
import type { DecisionEngine } from "../src/engine/watchdog.js";
import type { Current } from "../src/policy/model/current.js";
import type { Figure, Row } from "./row.js";

const POLICY = `export const bpf_prog_load = (prog) => (prog.type === "sched_cls" ? 0 : -1);`;
const STUCK = `export const blob_verify = () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);`;
/** Milliseconds that the policy which never stops has. */
const WALL = 50;

/** The package as it is installed: its threads are files of the bundle. */
async function open(): Promise<DecisionEngine> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  mkdirSync(join(folder, "policies"));
  writeFileSync(join(folder, "policies", "tc.js"), POLICY);
  writeFileSync(join(folder, "policies", "stuck.js"), STUCK);
  const file = join(folder, "countersign.yaml");
  const attachments = ["tc", "stuck"].map((name) => ({
    policy: `policies/${name}.js`,
    limits: { timeout: `${WALL}ms`, steps: 100_000_000 },
    scope: { labels: name === "tc" ? "tier=edge" : "tier=stuck" },
  }));
  writeFileSync(file, JSON.stringify({ version: 1, attachments }));
  const bundle = new URL("../../../dist/index.js", import.meta.url).href;
  const { openEngine } = (await import(bundle)) as typeof import("../src/index.js");
  return openEngine(file);
}

/** A decision that crosses into a thread and back while the caller waits, and what it takes to be rid of a policy. */
export async function threadRows(prog: ProgramSubject, who: Current): Promise<(Row | Figure)[]> {
  const engine = await open();
  const subject = Object.freeze(prog);
  await engine.prepared();
  engine.decide({ hook: "bpf_prog_load", subject, current: who });
  const labels = { tier: "stuck" };
  const container = { id: "c", name: null, labels, annotations: {} };
  const start = performance.now();
  const blob = { name: "b", digest: "d", data: Uint8Array.of(1), signature: null };
  const { answers } = engine.decide({ hook: "blob_verify", subject: blob, current: { ...who, container } });
  const took = performance.now() - start;
  if (answers[0]?.fault?.code !== "OUT_OF_TIME") throw new Error("a policy that cannot stop was not stopped");
  await engine.prepared();
  return [
    {
      name: "an engine with its thread crossed",
      note: "the caller waits blocked; known facts, no log",
      run: () => {
        if (engine.decide({ hook: "bpf_prog_load", subject, current: who }).verdict !== 0) throw new Error("denied");
      },
    },
    {
      name: "a policy that cannot be stopped, ended and answered for",
      note: `beyond its ${WALL} ms; the next thread decided in that time`,
      figure: took - WALL,
      unit: "ms",
      limit: 200,
    },
  ];
}
