import { mkdtempSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../src/config/config.js";
import { Engine } from "../src/engine/decision/engine.js";
import type { Decision } from "../src/hooks/decision.js";
import type { ConfigurationRecord } from "../src/log/input-records.js";
import { DecisionLog } from "../src/log/log.js";
import { RecordReader } from "../src/log/record-reader.js";
import type { Current } from "../src/policy/model/current.js";
import { Replay } from "../src/workbench/replay/replay.js";
import type { Figure, Row } from "./row.js";

export const title = "Decisions recorded with all inputs, and made again";

const KNOWN = `import { map_lookup } from "countersign";
export const blob_verify = (blob, current) => (map_lookup("known", blob.name) === 1 && current.uid === 0 ? 0 : -1);`;
const SMALL = "export const blob_verify = (blob, current) => (blob.name.length < 100 && current.pid > 0 ? 0 : -1);";
const SUBJECT = { name: "peek", digest: "ab".repeat(32), data: Uint8Array.of(1), signature: null };
const CURRENT: Current = {
  ...{ pid: 7, tid: 7, uid: 0, euid: 0, gid: 0, comm: "tc", exe: "/sbin/tc", cgroup: "/" },
  capabilities: [],
  namespaces: {},
  container: { id: "c0", name: "router", labels: { tier: "edge" }, annotations: {} },
};
const LINES = 2000;

let number = 0;
/** Another caller each time, as for a live gate. */
function caller(): Current {
  number += 1;
  const pid = 1 + (number % 30_000);
  return { ...CURRENT, pid, tid: pid };
}
const decide = (engine: Engine): Decision =>
  engine.decide({ hook: "blob_verify", subject: SUBJECT, current: caller() }) as Decision;

/** Two attachments, of which one looks up a key of a map. */
export async function rows(): Promise<(Row | Figure)[]> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  const lines = await recorded(folder, ["known.js", "small.js"]);
  const more = await recorded(folder, ["known.js", "small.js", "small.js"]);
  const isDecision = (line: string) => line.includes('"type":"decision"');
  const decisions = lines.filter(isDecision);
  const definitions = lines.filter((line) => !isDecision(line));
  const sizes = decisions.map((line) => line.length + 1).sort((a, b) => a - b);
  const sizeOf = (share: number, of = sizes) => of[Math.floor(of.length * share)] as number;
  const further = more.filter(isDecision).map((line) => line.length + 1);

  const { content } = JSON.parse(definitions.find((line) => line.includes('"type":"configuration"'))!);
  const decidedBy = () => content as ConfigurationRecord["content"];
  const log = new DecisionLog(
    { file: join(folder, "log"), rotate: 2 ** 30, keep: 1, level: "inputs" },
    "run",
    decidedBy,
  );
  const silent = await open(folder, ["known.js", "small.js"], "");
  const decision = await sample(folder);
  const bytes = Buffer.from(`${decisions[0]}\n`);
  const bare = openSync(join(folder, "bare"), "a");

  const reader = new RecordReader();
  for (const line of definitions) reader.read(line);
  const replay = new Replay(reader);
  let next = 0;
  const line = () => decisions[next++ % decisions.length] as string;
  return [
    { name: "one writeSync of the bytes of a record", run: () => writeSync(bare, bytes) },
    {
      name: "a record whose subject and caller are in the file",
      note: "two attachments, one look-up of a map, another `current` each time",
      run: () => log.write({ ...decision, current: caller() }, SUBJECT),
      asked: [{ of: "one writeSync of the bytes of a record", atMost: 3 }],
    },
    {
      name: "JSON.parse of a record, and deciding",
      run: () => {
        JSON.parse(line());
        return decide(silent);
      },
    },
    {
      name: "the recorded decision made again",
      note: "asked for: 20,000 a second, which is 50 µs",
      run: () => {
        const { result, because } = replay.decide(reader.read(line()));
        if (result !== "same") throw new Error(`${result}: ${because}`);
      },
      asked: [{ of: "JSON.parse of a record, and deciding", atMost: 1.5 }],
    },
    { name: "size of a record, median", figure: sizeOf(0.5), unit: "bytes", limit: 600 },
    { name: "size of a record, 90% at most", figure: sizeOf(0.9), unit: "bytes", limit: 800 },
    {
      name: "more for a third attachment",
      figure:
        sizeOf(
          0.5,
          further.sort((a, b) => a - b),
        ) - sizeOf(0.5),
      unit: "bytes",
      limit: 100,
    },
  ];
}

async function open(folder: string, policies: readonly string[], log: string): Promise<Engine> {
  writeFileSync(join(folder, "known.js"), KNOWN);
  writeFileSync(join(folder, "small.js"), SMALL);
  writeFileSync(join(folder, "known.yaml"), "peek: 1\n");
  const attachments = policies.map((policy, index) => `{ name: a${index}, policy: ${policy} }`);
  const config = join(folder, "countersign.yaml");
  writeFileSync(config, `version: 1\nmaps: { known: { file: known.yaml } }\n${log}attachments: [${attachments}]\n`);
  return Engine.open(readConfig(config));
}

/** The lines of a log of decisions with these policies. */
async function recorded(folder: string, policies: readonly string[]): Promise<readonly string[]> {
  const name = `${policies.length}.jsonl`;
  const engine = await open(folder, policies, `log: { file: ${name}, level: inputs }\n`);
  for (let count = 0; count < LINES; count++) decide(engine);
  engine.close();
  return readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
}

/** A decision with the calls of helpers that a log of level `inputs` records. */
async function sample(folder: string): Promise<Decision> {
  const engine = await open(folder, ["known.js", "small.js"], "log: { file: sample.jsonl, level: inputs }\n");
  const decision = decide(engine);
  engine.close();
  if (decision.answers[0]?.calls === undefined) throw new Error("the decision has no calls");
  return decision;
}
