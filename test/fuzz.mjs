// Feeds damaged input to everything that takes bytes of strangers, from a seed. Each round ends in an answer or in an
// error with a name, in a second and in 256 MB, or it is a finding: the seed and the round are printed, and bring it
// back.
//
//   npm run fuzz -- [TARGET…] [--seed N] [--rounds N] [--from N] [--ci]
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";

/** A module of test/fuzz/ each; it exports `target`, see test/fuzz/target.ts. */
const TARGETS = [
  "bpf-objects",
  "bpf-sections",
  "btf",
  "core",
  "statements",
  "bpf-instructions",
  "bpf-work",
  "der",
  "certificate",
  "crl",
  "cms",
  "foreign-signatures",
  "key-files",
];

/** Of processor time, which a machine that does other things too does not use up. */
const ROUND_MS = 1000;
/** A machine that does other things too makes a round wait; a round that is slow once more is slow by itself. */
const STUCK_MS = 20_000;
const MEMORY_MB = 256;
/** How many times the rounds of a target: with --ci, and without. */
const [SHORTER, LONGER] = [0.15, 10];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string" }, rounds: { type: "string" }, from: { type: "string" }, ci: { type: "boolean" } },
});
const unknown = positionals.filter((name) => !TARGETS.includes(name));
if (unknown.length > 0) {
  console.error(`there is no target \`${unknown[0]}\`; there are ${TARGETS.join(", ")}`);
  process.exit(2);
}
const seed = Number(values.seed ?? process.env.COUNTERSIGN_SEED ?? Date.now() % 0xffffffff) >>> 0;
const root = fileURLToPath(new URL("..", import.meta.url));
// below the repository, so that what is not bundled is found
const folder = mkdtempSync(join(root, "node_modules", ".fuzz-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

let findings = 0;
for (const name of positionals.length > 0 ? positionals : TARGETS) findings += await fuzz(name);
process.exitCode = findings === 0 ? 0 : 1;

async function fuzz(name) {
  const module = join(folder, `${name}.mjs`);
  await build({
    absWorkingDir: root,
    stdin: { contents: driver(name), resolveDir: join(root, "test"), loader: "ts" },
    outfile: module,
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["koffi"],
    define: { "import.meta.dirname": JSON.stringify(join(root, "test/support")) },
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    logLevel: "warning",
  });
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const given = { seed, from: Number(values.from ?? 0), rounds: values.rounds && Number(values.rounds) };
  const worker = new Worker(module, {
    workerData: { ...given, shared, times: values.ci ? SHORTER : LONGER, limit: ROUND_MS, memory: MEMORY_MB },
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  const again = (round) => `npm run fuzz -- ${name} --seed ${seed} --from ${round} --rounds 1`;
  return new Promise((resolve) => {
    let [last, since, settled] = [-1, Date.now(), false];
    const finding = (what) => {
      if (settled) return;
      settled = true;
      clearInterval(watch);
      console.log(`FOUND    ${name}, seed ${seed}, round ${shared[0]}: ${what}\n         ${again(shared[0])}`);
      void worker.terminate().then(() => resolve(1));
    };
    const watch = setInterval(() => {
      if (shared[0] !== last) [last, since] = [shared[0], Date.now()];
      else if (Date.now() - since > STUCK_MS) finding(`does not end in ${STUCK_MS} ms`);
    }, 500);
    worker.on("error", (error) => finding(`${error.stack ?? error}`));
    worker.on("message", ({ slow, large, done }) => {
      if (slow !== undefined) finding(`took ${slow} ms, twice`);
      if (large !== undefined) finding(`made the process grow by ${large} MB`);
      if (done === undefined || settled) return;
      clearInterval(watch);
      const { rounds, outcomes, ms, worst, grown } = done;
      const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
      console.log(
        `passed   ${name}, seed ${seed}: ${rounds} rounds in ${Math.round(ms / 1000)} s, slowest ${worst} ms, ${grown} MB; ${counts.join(", ")}`,
      );
      resolve(0);
    });
  });
}

/** What runs in the worker. Each round has numbers of its own, so that any one can be had again. */
function driver(name) {
  return `
import { parentPort, workerData } from "node:worker_threads";
import { target } from "./fuzz/${name}.js";
import { numbers } from "./support/damage.js";
const { seed, from, shared, times, memory } = workerData;
const limit = target.milliseconds ?? workerData.limit;
// the most that this process ever held, in MB: what a round takes beside its objects shows here
const most = () => process.resourceUsage().maxRSS / 1024;
const before = most();
const rounds = workerData.rounds ?? target.rounds * times;
const outcomes = {};
const start = performance.now();
let worst = 0;
const timed = (round) => {
  const began = process.cpuUsage();
  const outcome = target.round(numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0));
  const { user, system } = process.cpuUsage(began);
  return [outcome, (user + system) / 1000];
};
for (let round = from; round < from + rounds; round++) {
  Atomics.store(shared, 0, round);
  let [outcome, ms] = timed(round);
  if (ms > limit) ms = Math.min(ms, timed(round)[1]);
  if (ms > limit) parentPort.postMessage({ slow: Math.round(ms) });
  worst = Math.max(worst, Math.round(ms));
  if (most() - before > memory) {
    parentPort.postMessage({ large: Math.round(most() - before) });
    break;
  }
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}
const grown = Math.round(most() - before);
parentPort.postMessage({ done: { rounds, outcomes, ms: performance.now() - start, worst, grown } });
`;
}
