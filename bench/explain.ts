import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readConfig } from "../src/config/config.js";
import { Engine } from "../src/engine/decision/engine.js";
import { UuidV7 } from "../src/log/uuid-v7.js";
import type { Current } from "../src/policy/model/current.js";
import type { Figure } from "./row.js";

export const title = "One decision explained in a log of 1 GB";

const COMMAND = fileURLToPath(new URL("../../../bin/countersign.js", import.meta.url));
const SIZE = 2 ** 30;
const RUNS = 7;
const POLICY = `import { deny, map_lookup } from "countersign";
export const blob_verify = (blob) => (map_lookup("known", blob.name) === 1 ? 0 : deny("is not known"));`;
const CURRENT: Current = {
  ...{ pid: 7, tid: 7, uid: 0, euid: 0, gid: 0, comm: "tc", exe: "/sbin/tc", cgroup: "/" },
  capabilities: [],
  namespaces: {},
  container: null,
};

/** Both commands read the whole log: the decision is the last one, and its subject is defined just before it. */
export async function rows(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  try {
    const { log, id } = await gigabyte(folder);
    const note = `a process, of ${RUNS} the median; the file is in memory`;
    return [
      { name: "`countersign --version`", figure: median(["--version"]), unit: "ms", note },
      {
        name: "`countersign explain ID`",
        figure: median(["explain", "--log", log, id]),
        unit: "ms",
        limit: 1000,
        note,
      },
      { name: "`countersign explain`", figure: median(["explain", "--log", log]), unit: "ms", limit: 1000, note },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A log of decisions about one blob, and at its end one about another. */
async function gigabyte(folder: string): Promise<{ log: string; id: string }> {
  writeFileSync(join(folder, "policy.js"), POLICY);
  writeFileSync(join(folder, "known.yaml"), "peek: 1\n");
  const config = join(folder, "countersign.yaml");
  writeFileSync(
    config,
    "version: 1\nmaps: { known: { file: known.yaml } }\nlog: { file: small.jsonl, level: inputs }\n" +
      "attachments: [{ name: a, policy: policy.js }, { name: b, policy: policy.js }]\n",
  );
  const engine = await Engine.open(readConfig(config));
  for (const name of ["peek", "other"]) {
    const subject = { name, digest: "ab".repeat(32), data: Buffer.from(name), signature: null };
    engine.decide({ hook: "blob_verify", subject, current: CURRENT });
  }
  engine.close();
  const lines = readFileSync(join(folder, "small.jsonl"), "utf8").trimEnd().split("\n");
  const first = lines.findIndex((line) => line.includes('"type":"decision"'));
  const log = join(folder, "decisions.jsonl");
  writeFileSync(
    log,
    lines
      .slice(0, first + 1)
      .map((line) => `${line}\n`)
      .join(""),
  );
  fill(log, lines[first]!);
  appendFileSync(
    log,
    lines
      .slice(first + 1)
      .map((line) => `${line}\n`)
      .join(""),
  );
  return { log, id: JSON.parse(lines.at(-1)!).id };
}

/** Appends the same decision under other ids. */
function fill(log: string, line: string): void {
  const ids = new UuidV7();
  const { id } = JSON.parse(line);
  const [before, after] = line.split(id) as [string, string];
  const fd = openSync(log, "a");
  let now = Date.now();
  for (let written = 0; written < SIZE; ) {
    let text = "";
    while (text.length < 2 ** 20) text += `${before}${ids.next(now++)}${after}\n`;
    written += writeSync(fd, text);
  }
  closeSync(fd);
}

/** Milliseconds of a process. */
function median(words: readonly string[]): number {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [COMMAND, ...words], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
    return performance.now() - start;
  });
  return Math.round(times.sort((a, b) => a - b)[RUNS >> 1]!);
}
