// What questions cost that no gate asks: `npm run bench:offline`. Requests of `check --request`, `prove table`, and a
// write to a map with a schema and without one. Commands are processes of their own, of which the time of the processor
// counts (GNU time), so that other work on the machine changes little. Fails if a limit is exceeded.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundled } from "./bundle.mjs";
import { printed, tableOf, verdict } from "./report.mjs";
import { writeResults } from "./results.mjs";

const COMMAND = fileURLToPath(new URL("../bin/countersign.js", import.meta.url));
const POLICIES = fileURLToPath(new URL("../policies/", import.meta.url));
const POLICY = `export const bpf_prog_load = (prog) => (prog.type === "xdp" && prog.insn_cnt > 0 ? 0 : -1);
export const blob_verify = (blob, current) => (blob.name === "b" && current.uid === 0 ? 0 : -1);
`;
const KEY =
  "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA8oCnugo1qOxuz5KhS2BbkbWS47FuLwqOq9NCudjmNSs=\n-----END PUBLIC KEY-----\n";
/** A second, at least. */
const [REPEATED, DESCRIBED] = [20_000, 8_000];
/** Seconds of the processor for a table, and microseconds for a schema, at most. */
const [TABLE, SCHEMA] = [0.6, 1];
const ROUNDS = 21;

/** Lines of requests, by their numbers. */
const REQUESTS = {
  repeated: () => '{"program": {"type": "xdp"}, "uid": 1000}',
  described: (number) =>
    JSON.stringify({
      program: { type: number % 2 === 0 ? "xdp" : "sched_cls", name: `p${number}` },
      uid: number % 1000,
    }),
  recorded,
};

const folder = mkdtempSync(join(tmpdir(), "offline-bench-"));
const rows = [];
try {
  writeFileSync(join(folder, "p.js"), POLICY);
  writeFileSync(join(folder, "countersign.yaml"), "version: 1\nattachments: [{ policy: p.js }]\n");
  rows.push(asked("repeated", 200_000, REPEATED));
  rows.push(asked("recorded", 200_000, REPEATED));
  rows.push(asked("described", 100_000, DESCRIBED));
  rows.push(grown());
  rows.push(...tables());
  rows.push(await updated());
} finally {
  rmSync(folder, { recursive: true });
}
const SUBJECT = "Questions that no gate asks, processor time, beside other work";
const table = tableOf(rows);
console.log(printed(SUBJECT, table.rows));
writeResults({ [SUBJECT]: table.rows });
if (table.missed > 0) process.exitCode = 1;

/** A request about a blob of its own bytes, in the form of `log --as-request`. */
function recorded(number) {
  const data = Buffer.from(`blob ${number}`);
  const sha256 = createHash("sha256").update(data).digest("hex");
  const facts = { name: "b", digest: sha256, data: { sha256, length: data.length }, signature: null };
  const ids = { pid: number, tid: number, uid: number % 2, euid: 0, gid: 0 };
  const current = { ...ids, comm: "x", exe: null, cgroup: null, capabilities: [], namespaces: {}, container: null };
  const bytes = { [sha256]: data.toString("base64") };
  return JSON.stringify({ hook: "blob_verify", subject: { kind: "blob", facts }, current, bytes });
}

/** `check --request` about so many requests of a kind: seconds, and MiB. */
function checked(kind, count) {
  const file = join(folder, `${kind}.jsonl`);
  const fd = openSync(file, "w");
  for (let number = 0; number < count; number += 1000)
    writeSync(fd, Array.from({ length: 1000 }, (_, index) => `${REQUESTS[kind](number + index)}\n`).join(""));
  return used("check", "--config", join(folder, "countersign.yaml"), "--json", "--request", file);
}

function asked(kind, count, atLeast) {
  const { seconds, memory } = checked(kind, count);
  const rate = Math.round(count / seconds);
  return {
    row: `${count} ${kind} requests${kind === "repeated" ? "" : " that all differ"}, with the start`,
    figure: `${rate} a second (${seconds.toFixed(2)} s, ${memory} MiB)`,
    asked: [verdict(rate >= atLeast, `at least ${atLeast} a second`)],
  };
}

/** Memory for ten times as many requests that all differ. */
function grown() {
  const [few, many] = [100_000, 1_000_000].map((count) => checked("recorded", count).memory);
  return {
    row: "memory of 1,000,000 recorded requests that all differ, over that of 100,000",
    figure: `${(many / few).toFixed(2)} times (${many}, ${few} MiB)`,
    asked: [verdict(many / few <= 1.15, "constant, which is at most 1.15 times")],
  };
}

function tables() {
  const schemas = readFileSync(join(POLICIES, "maps.yaml"), "utf8");
  const maps = schemas.replaceAll(/^(\w+:.*)$/gm, "$1\n  file: empty.yaml").replaceAll(/^/gm, "  ");
  writeFileSync(join(folder, "empty.yaml"), "{}\n");
  writeFileSync(join(folder, "key.pem"), KEY);
  return readdirSync(POLICIES)
    .filter((name) => /^[a-z-]+\.(?:js|ts)$/.test(name))
    .map((name) => {
      const config = join(folder, "table.yaml");
      writeFileSync(
        config,
        `version: 1
keyrings: { platform: { trust: [key.pem] }, network: { trust: [key.pem] } }
maps:
${maps}
attachments: [{ policy: ${join(POLICIES, name)} }]
`,
      );
      const times = Array.from({ length: 5 }, () => used("prove", "table", config).seconds).sort((a, b) => a - b);
      return {
        row: `\`prove table\` of ${name}, a process`,
        figure: `${times[2].toFixed(2)} s (${times[0].toFixed(2)} to ${times[4].toFixed(2)})`,
        asked: [verdict(times[2] <= TABLE, `at most ${TABLE} s`)],
      };
    });
}

/** Runs a command: seconds of the processor, and MiB. */
function used(...words) {
  const ran = spawnSync("/usr/bin/time", ["-f", "USED %U %S %M", process.execPath, COMMAND, ...words], {
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    maxBuffer: 1 << 26,
  });
  const [, user, system, kib] = /^USED (\S+) (\S+) (\d+)$/m.exec(ran.stderr) ?? [];
  if (kib === undefined || ran.stderr.startsWith("countersign:"))
    throw new Error(`${words.join(" ")}: ${ran.stderr.slice(-2000)}`);
  return { seconds: Number(user) + Number(system), memory: Math.round(Number(kib) / 1024) };
}

/** What a schema adds to `map_update`, by turns. */
async function updated() {
  const [file] = await bundled(["map-update"]);
  const { updates } = await import(pathToFileURL(file).href);
  const runs = await updates();
  const turn = (run) => {
    const before = process.cpuUsage();
    for (let index = 0; index < 2000; index++) run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 2000;
  };
  for (let index = 0; index < 10; index++) for (const run of Object.values(runs)) turn(run);
  const rounds = Array.from({ length: ROUNDS }, () => [turn(runs.without), turn(runs.with)]);
  const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
  const more = median(rounds.map(([without, its]) => its - without));
  return {
    row: `what a schema adds to a decision with one \`map_update\`, median of ${ROUNDS} rounds by turns`,
    figure: `${more.toFixed(2)} µs (${median(rounds.map(([without]) => without)).toFixed(2)} µs without)`,
    asked: [verdict(more <= SCHEMA, `at most ${SCHEMA} µs`)],
  };
}
