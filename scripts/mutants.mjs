// usage: mutants.mjs [--count N] [--seed N] [--json FILE]
// Says how many of N small changes of src/ the quick ring of tests notices, and how many only the deep one does. A
// change, or mutant, is one operator, number or truth value on one line, drawn by the seed from all top folders in
// turn. A mutant that does not compile does not count. Works on HEAD in git worktrees of its own, one for each
// processor. First all tests of both rings run there, and must pass: a test that fails there anyway would seem to
// notice every mutant. This run also says which files of tests reach which mutant. Only those are asked, the nearest
// first, and the files that start a process: what the process reaches is not known. A run whose FILE has results of
// the same commit and seed goes on after them.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { drawMutants } from "./mutants/draw.mjs";
import { probesOf } from "./mutants/probes.mjs";
import { DEEP_FILE, deepFiles, processFiles, testFiles } from "./mutants/test-files.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    json: { type: "string" },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
/** Milliseconds that tests of one step may take: some, and so many times what they take without a mutant. */
const PATIENCE = { least: 120_000, times: 20 };
/** Milliseconds that the first step may take without a mutant, and how many times longer each further one. */
const STEP = { first: 2_000, times: 5 };

const folder = mkdtempSync(join(tmpdir(), "countersign-mutants-"));
const git = (...words) => execFileSync("git", words, { cwd: root, stdio: "ignore" });
const running = new Set();
process.once("exit", () => {
  for (const pid of running) process.kill(-pid, "SIGKILL");
  // tests that were ended may still write
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  git("worktree", "prune");
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** A worktree with what tests need. */
function checkout(name) {
  const copy = join(folder, name);
  git("worktree", "add", "--detach", copy);
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  // A test copies dist/, and would copy a symbolic link as a link: it would then write here.
  cpSync(join(root, "dist"), join(copy, "dist"), { recursive: true });
  return copy;
}

/** The status and output of a script of node; the status is null if its time was up. */
function run(cwd, words, { env = {}, timeout = 2 ** 31 - 1 } = {}) {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "ignore"], detached: true };
    const child = spawn(process.execPath, words, options);
    running.add(child.pid);
    const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), timeout);
    const parts = [];
    child.stdout.on("data", (part) => parts.push(part));
    child.once("close", (status) => {
      running.delete(child.pid);
      clearTimeout(timer);
      resolve({ status, stdout: Buffer.concat(parts).toString() });
    });
  });
}

const projects = ["unit", "commands", "conformance", "hostile", "policies"].flatMap((name) => ["--project", name]);
const RINGS = { quick: ["--tags-filter", "!deep"], deep: ["--tags-filter", "deep"] };

/** The first test that fails, as the reporter names it; null if none does. */
async function failure(cwd, ring, files, more = [], limits = {}) {
  const words = ["node_modules/vitest/vitest.mjs", "run", ...projects, ...RINGS[ring], "--bail=1", "--passWithNoTests"];
  const { status, stdout } = await run(cwd, [...words, ...more, ...files], limits);
  return status === 0
    ? null
    : (/^failed(?: outside of its tests)?: (.*)$/m.exec(stdout)?.[1] ?? "no test came to an end");
}

const copies = Array.from({ length: availableParallelism() }, (_, index) => checkout(`checkout-${index}`));
const mutants = drawMutants(join(root, "src"), 4 * count, seed);
const allFiles = testFiles(root);
const filesOf = {
  quick: allFiles.filter((file) => !DEEP_FILE.test(readFileSync(join(root, file), "utf8"))),
  deep: deepFiles(root, allFiles),
};
const starters = new Set(processFiles(root, allFiles));

/** Runs a ring without a mutant: for each file, its milliseconds and the mutants that it reaches. */
async function reachedBy(ring) {
  const env = { PROBES: join(folder, "probes.json"), REACHED: join(folder, `${ring}.jsonl`) };
  writeFileSync(env.PROBES, JSON.stringify(probesOf(join(root, "src"), mutants)));
  const test = await failure(copies[0], ring, filesOf[ring], ["--config", "scripts/mutants/vitest.config.mjs"], {
    env,
  });
  if (test !== null) {
    console.error(`mutants: a test of the ${ring} ring fails without a mutant: ${test}`);
    process.exit(1);
  }
  const lines = readFileSync(env.REACHED, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}

const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
const held = values.json !== undefined && existsSync(values.json) ? JSON.parse(readFileSync(values.json, "utf8")) : {};
const goesOn = held.commit === commit && held.seed === seed && held.count === count;
const reached = goesOn ? held.reached : { quick: await reachedBy("quick"), deep: await reachedBy("deep") };
const results = goesOn ? held.results : [];
const save = () => {
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ commit, seed, count, results, reached })}\n`);
};
save();

/** How far a file of tests is from one of src: 0 for its mirror, then by the folders that both have. */
function distance(test, file) {
  if (test === `test/unit/${file.replace(/\.ts$/, ".test.ts")}`) return 0;
  const folders = dirname(file).split("/");
  const other = dirname(test).split("/").slice(2);
  const shared = folders.findIndex((name, index) => name !== other[index]);
  return 1 + folders.length - (shared === -1 ? folders.length : shared);
}

/** Files of tests that reach a mutant, the nearest first, in steps each of which takes longer than the one before. */
function stepsOf(ring, index, { file }) {
  const chosen = reached[ring].filter((each) => each.mutants.includes(index));
  const key = (each) => [distance(each.file, file), each.ms];
  chosen.sort((one, other) => key(one)[0] - key(other)[0] || one.ms - other.ms);
  const steps = [];
  let limit = STEP.first;
  for (const each of chosen) {
    const last = steps.at(-1);
    if (last === undefined || last.ms + each.ms > limit) {
      if (last !== undefined) limit *= STEP.times;
      steps.push({ ms: each.ms, files: [each.file] });
    } else {
      last.ms += each.ms;
      last.files.push(each.file);
    }
  }
  return steps;
}

/** The files that start a process, without those that were asked. */
function restOf(ring, asked) {
  const files = filesOf[ring].filter((file) => starters.has(file) && !asked.has(file));
  const rest = reached[ring].filter((each) => files.includes(each.file));
  return { files, ms: rest.reduce((sum, each) => sum + each.ms, 0) };
}

/** The ring that notices a mutant, and by which test; null for none. */
async function noticedBy(copy, index, mutant) {
  for (const ring of ["quick", "deep"]) {
    const asked = new Set();
    for (const step of [...stepsOf(ring, index, mutant), null]) {
      const { files, ms } = step ?? restOf(ring, asked);
      // the commands that they start are the built ones, with the digest of the sources
      if (files.some((file) => starters.has(file))) await run(copy, ["scripts/build.mjs", "--quiet"]);
      const timeout = PATIENCE.least + PATIENCE.times * ms;
      const test = await failure(copy, ring, files, ["--maxWorkers=1"], { timeout });
      if (test !== null) return { ring, test };
      for (const file of files) asked.add(file);
    }
  }
  return null;
}

/** Tries mutants in one worktree until there are enough. */
async function work(copy, next) {
  const types = ["node_modules/typescript/bin/tsc", "--noEmit", "--incremental", "--tsBuildInfoFile", `${copy}.json`];
  for (let index = next(); index !== null; index = next()) {
    const { file, line, before, code } = mutants[index];
    const path = join(copy, "src", file);
    const text = readFileSync(path, "utf8");
    const lines = text.split("\n").with(line - 1, code);
    writeFileSync(path, lines.join("\n"));
    await run(copy, ["scripts/guest.mjs"]);
    if ((await run(copy, types)).status === 0) {
      const noticed = await noticedBy(copy, index, mutants[index]);
      results.push({ index, file, line, before, after: code.trim(), noticed });
      const ring = noticed?.ring ?? "not noticed";
      console.log(`${results.length} of ${count}: src/${file}:${line}: ${ring}: ${before} -> ${code.trim()}`);
    } else unfit.add(index);
    writeFileSync(path, text);
    await run(copy, ["scripts/guest.mjs"]);
    save();
  }
}

const tried = new Set(results.map(({ index }) => index));
const unfit = new Set();
/** The next mutant to try; null if there are as many as asked, with those that are being tried. */
function nextMutant() {
  const under = [...tried].filter((index) => !unfit.has(index)).length;
  if (under >= count) return null;
  const index = mutants.findIndex((_, each) => !tried.has(each));
  if (index === -1) return null;
  tried.add(index);
  return index;
}
await Promise.all(copies.map((copy) => work(copy, nextMutant)));

const by = (ring) => results.filter(({ noticed }) => (noticed?.ring ?? null) === ring).length;
console.log(
  `${results.length} mutants, seed ${seed}: ${by("quick")} noticed by npm test, ` +
    `${by("deep")} only by test:deep, ${by(null)} by neither`,
);
