// What it costs to find out who refers to BPF objects: `npm run bench:scan-references`. Starts 3,000 processes with
// 50,000 descriptors, and compares with a loop in C over the same links, by turns, in time of the processor. It loads
// nothing.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundled } from "./bundle.mjs";
import { printed, tableOf, verdict } from "./report.mjs";
import { writeResults } from "./results.mjs";

const ROUNDS = 9;
const PROCESSES = 3000;
/** Files and sockets of each process. */
const MIXES = [
  [14, 0],
  [10, 4],
];
const [MOST, MEMORY] = [2, 128];

const folder = mkdtempSync(join(tmpdir(), "references-bench-"));
const [script] = await bundled(["scan/references"]);
const source = (name) => fileURLToPath(new URL(`scan/${name}.c`, import.meta.url));
for (const name of ["holders", "links"]) execFileSync("gcc", ["-O2", "-Wall", "-o", join(folder, name), source(name)]);
const rows = [];
try {
  for (const [files, sockets] of MIXES) rows.push(...(await measured(files, sockets)));
} finally {
  rmSync(folder, { recursive: true });
}
const SUBJECT = "Scan: who refers to BPF objects, processor time without node's start, beside other work";
const table = tableOf(rows);
console.log(printed(SUBJECT, table.rows));
writeResults({ [SUBJECT]: table.rows });
if (table.missed > 0) process.exitCode = 1;

async function measured(files, sockets) {
  const words = [PROCESSES, files, sockets].map(String);
  const holders = spawn(join(folder, "holders"), words, { stdio: ["pipe", "pipe", "inherit"], detached: true });
  await once(holders.stdout, "data");
  const [own, loop, asking] = [[], [], []];
  let links = 0;
  for (let round = 0; round < ROUNDS; round++) {
    own.push(JSON.parse(execFileSync(process.execPath, [script], { encoding: "utf8" })));
    loop.push(loopOf().time);
    const asked = loopOf("sockets");
    asking.push(asked.time);
    links = asked.links;
  }
  const ended = once(holders, "exit");
  holders.stdin.end();
  await ended;
  const [time, least, same] = [median(own.map((each) => each.time)), median(loop), median(asking)];
  const memory = Math.max(...own.map((each) => each.memory)) / 1024;
  const row = `${PROCESSES} processes with ${Math.round(links / 1000)},000 descriptors, ${sockets * PROCESSES} of them sockets`;
  const ofSame =
    sockets === 0 ? "" : `; ${times(time / same)} one that asks each socket for its namespace, too (${ms(same)})`;
  const figure = `${times(time / least)} a loop in C over their links (${ms(time)}, ${ms(least)})${ofSame}; ${memory.toFixed(0)} MiB`;
  const asked = [
    verdict(time / least <= MOST, `at most ${MOST} times the loop`),
    verdict(memory <= MEMORY, `at most ${MEMORY} MiB`),
  ];
  return [{ row, figure, asked }];
}

/** Microseconds of the processor for the loop in C, and the number of links. */
function loopOf(...words) {
  const said = execFileSync(join(folder, "links"), words, { encoding: "utf8" }).split(" ").map(Number);
  return { links: said[0], time: said[3] / 1000 };
}

function times(ratio) {
  return `${ratio.toFixed(2)} times`;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function ms(microseconds) {
  return `${(microseconds / 1000).toFixed(0)} ms`;
}
