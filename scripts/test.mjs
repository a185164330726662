// usage: npm test -- [FOLDER | FILE]… [option of vitest]…
//
// Runs the tests that need no root: all but those that are marked `deep`. `npm run test:deep` runs only those, `npm run
// test:changed` those of files that import what is not committed or not in main. A FOLDER is one of test/unit, such as
// `trust` or `trust/x509`, or `unit`, `conformance`, `hostile` or `policies`. Files that start the command, or read
// dist/, are left out of a run of folders and of test:changed, which therefore build nothing.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The projects of vitest.config.ts and where their files are; `commands` has some of those of `unit`. */
const PLACES = { unit: "test/unit", conformance: "test/conformance", hostile: "test/hostile", policies: "policies" };
/** A file all of whose tests are deep, and one in which some are. */
const DEEP_FILE = /^\/\/ @module-tag deep$/m;
const DEEP_TEST = /\btags: \["deep"\]/;

const words = process.argv.slice(2);
const take = (name) => words.includes(name) && words.splice(words.indexOf(name), 1).length > 0;
const [deep, changed] = ["--deep", "--changed"].map(take);
// of the options with a word of their own only -t is known; others are given as --name=value
const isOption = (word, at) => word.startsWith("-") || words[at - 1] === "-t";
const options = words.filter(isOption);
const places = words.filter((word, at) => !isOption(word, at)).map(placeOf);
const isWhole = places.length === 0 && !changed;
if (options.includes("--help")) {
  const lines = readFileSync(fileURLToPath(import.meta.url), "utf8").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  for (const line of lines.slice(0, end)) console.log(line.replace(/^\/\/ ?/, ""));
  process.exit();
}

const chosen = [...Object.keys(PLACES), ...(isWhole ? ["commands"] : [])].flatMap((name) => ["--project", name]);
chosen.push("--tags-filter", deep ? "deep" : "!deep", "--sequence.shuffle.files", `--sequence.seed=${seed()}`);
if (changed) {
  const since = base();
  if (git("status", "--porcelain") === "" && git("diff", "--name-only", since) === "") {
    console.log(`nothing has changed since ${since}`);
    process.exit();
  }
  chosen.push("--changed", since);
}
const files = filesOfTests();
if (deep) chosen.push(...files.filter((file) => DEEP_FILE.test(textOf(file)) || DEEP_TEST.test(textOf(file))));
else
  chosen.push(
    ...places,
    ...files.filter((file) => DEEP_FILE.test(textOf(file))).flatMap((file) => ["--exclude", file]),
  );
if (isWhole) run("scripts/build.mjs", "--quiet");
run("node_modules/vitest/vitest.mjs", "run", ...chosen, ...options);

function run(script, ...given) {
  const { status } = spawnSync(process.execPath, [join(root, script), ...given], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** The path that names a folder or a file, relative to the root. A folder ends in "/", so that no other one matches. */
function placeOf(word) {
  const name = word.replace(/\/$/, "");
  const path = [PLACES[name], `test/unit/${name}`, name].find(
    (each) => each !== undefined && existsSync(join(root, each)),
  );
  if (path !== undefined) return statSync(join(root, path)).isDirectory() ? `${path}/` : path;
  const known = readdirSync(join(root, "test/unit"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = [...Object.keys(PLACES), ...known.map((entry) => entry.name)].sort();
  console.error(`npm test: there is no folder \`${word}\`; name a file, or one of: ${names.join(", ")}`);
  process.exit(2);
}

function filesOfTests() {
  const below = (folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
  const all = Object.values(PLACES)
    .flatMap(below)
    .filter((path) => path.endsWith(".test.ts"));
  return all.filter((path) => places.length === 0 || places.some((place) => path.startsWith(place)));
}

function textOf(file) {
  return readFileSync(join(root, file), "utf8");
}

/** Orders the files: the seed of CI, or the commit's. */
function seed() {
  if (process.env.COUNTERSIGN_SEED !== undefined) return Number(process.env.COUNTERSIGN_SEED);
  return Number.parseInt(git("rev-parse", "HEAD") ?? "1", 16) || 1;
}

/** The commit since which changes count: where this branch left main. */
function base() {
  return git("merge-base", "HEAD", "main") ?? "HEAD";
}

function git(...given) {
  try {
    return execFileSync("git", given, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .trim()
      .slice(0, 8);
  } catch {
    return null;
  }
}
