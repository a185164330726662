import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { ProgramSubject } from "../src/bpf/model/facts.js";
import { readConfig } from "../src/config/config.js";
import { Engine } from "../src/engine/decision/engine.js";
import type { Current } from "../src/policy/model/current.js";
import type { Row } from "./row.js";

const POLICY = `export const bpf_prog_load = (prog) => (prog.type === "sched_cls" ? 0 : -1);`;

/** The whole engine, with its dispatcher and a decision made, but no log and no thread: one attachment, and 1,000. */
export async function attachmentRows(prog: ProgramSubject, current: Current): Promise<Row[]> {
  const [one, many] = [await open(1), await open(1000)];
  const run = (engine: Engine) => () => {
    const { verdict, answers } = engine.decide({ hook: "bpf_prog_load", subject: prog, current });
    if (verdict !== 0 || answers.length !== 1) throw new Error(`${answers.length} attachments were asked: ${verdict}`);
  };
  return [
    { name: "an engine with one attachment", note: "dispatcher and decision, no log", run: run(one) },
    {
      name: "an engine with 1,000, one of them in scope",
      run: run(many),
      asked: [{ of: "an engine with one attachment", atMost: 1.2 }],
    },
  ];
}

async function open(count: number): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  mkdirSync(join(folder, "policies"));
  writeFileSync(join(folder, "policies", "tc.js"), POLICY);
  const attachments = Array.from({ length: count }, (_, index) => ({
    name: `a${index}`,
    policy: "policies/tc.js",
    scope: { labels: index === 0 ? "tier=edge" : `tier=t${index}` },
  }));
  const file = join(folder, "countersign.yaml");
  writeFileSync(file, stringify({ version: 1, attachments }));
  const engine = await Engine.open(readConfig(file));
  rmSync(folder, { recursive: true });
  return engine;
}
