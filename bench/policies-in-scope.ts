import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { readConfig } from "../src/config/config.js";
import { Engine } from "../src/engine/decision/engine.js";
import type { Current } from "../src/policy/model/current.js";
import type { Row } from "./row.js";

export const title = "Policies in scope of one decision";

const FEW = 190;
const MANY = 1000;
const CURRENT: Current = {
  ...{ pid: 1, tid: 1, uid: 0, euid: 0, gid: 0, comm: "x", exe: null, cgroup: null },
  ...{ capabilities: [], namespaces: {}, container: null },
};

let number = 0;
/** Each decision of a live gate is about another subject, which every policy in scope has to be given. */
const fresh = () => ({ name: `blob-${number++}`, digest: "d", data: Uint8Array.of(1), signature: null });
const known = Object.freeze(fresh());

/**
 * Distinct policies that all share one hook: their runtimes stay ready, so that the cost grows with their number only.
 */
export async function rows(): Promise<Row[]> {
  const [few, many] = [await open(FEW), await open(MANY)];
  const run = (engine: Engine, count: number, subject: () => typeof known) => () => {
    const { verdict, answers } = engine.decide({ hook: "blob_verify", subject: subject(), current: CURRENT });
    if (verdict !== 0 || answers.length !== count) throw new Error(`${answers.length} were asked: ${verdict}`);
  };
  const first = `${FEW} policies, another subject each time`;
  return [
    { name: first, run: run(few, FEW, fresh) },
    {
      name: "1,000 policies, another subject each time",
      run: run(many, MANY, fresh),
      asked: [{ of: first, atMost: 6 }],
    },
    { name: `${FEW} policies, the same subject`, run: run(few, FEW, () => known) },
    {
      name: "1,000 policies, the same subject",
      note: "their memory, 180 MB, is more than the processor's caches have",
      run: run(many, MANY, () => known),
    },
  ];
}

async function open(count: number): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  mkdirSync(join(folder, "policies"));
  const attachments = Array.from({ length: count }, (_, index) => {
    const policy = `policies/p${index}.js`;
    writeFileSync(
      join(folder, policy),
      `export const blob_verify = (blob) => (blob.name === "n${index}" ? -${index + 1} : 0);`,
    );
    return { policy };
  });
  const file = join(folder, "countersign.yaml");
  writeFileSync(file, stringify({ version: 1, attachments }));
  const engine = await Engine.open(readConfig(file));
  rmSync(folder, { recursive: true });
  return engine;
}
