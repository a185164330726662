// usage: mutants.mjs [--count N] [--seed N] [--json FILE]
// Says how many of N small changes of src/ the quick ring of tests notices, and how many only the deep one does. A
// change, or mutant, is one operator, number or truth value on one line, drawn by the seed from all top folders in
// turn. A mutant that does not compile does not count. Tests that mirror the file run first, then those of its folder,
// then all whose files import it. Works on HEAD in a git worktree of its own, where all tests of both rings must pass
// first: a test that fails there anyway would seem to notice every mutant. A run whose FILE has results of the
// same commit and seed goes on after them.
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { randomOf } from "./sample/draw.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    json: { type: "string" },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];

/** What is looked for in a line of code, and what takes its place. */
const CHANGES = [
  [/ === /, " !== "],
  [/ !== /, " === "],
  [/ < /, " <= "],
  [/ > /, " >= "],
  [/ <= /, " < "],
  [/ >= /, " > "],
  [/ && /, " || "],
  [/ \|\| /, " && "],
  [/ \?\? /, " && "],
  [/ \+ 1\b/, " - 1"],
  [/ - 1\b/, " + 1"],
  [/\btrue\b/, "false"],
  [/\bfalse\b/, "true"],
  [/\breturn null;/, "return undefined as never;"],
  [/\bif \((?!\()/, "if (!"],
  [/\.every\(/, ".some("],
  [/\.some\(/, ".every("],
  [/Math\.max\(/, "Math.min("],
  [/Math\.min\(/, "Math.max("],
];
/** Milliseconds after which the tests of one step have noticed a mutant: it made one of them wait for ever. */
const PATIENCE = 1_800_000;

/** Drawn in turn from the top folders. What is generated, or only a comment, a type or an import, is left alone. */
function draw(amount) {
  const random = randomOf(seed.toString(16));
  const next = (below) => Math.floor(random() * below);
  const names = readdirSync(join(copy, "src"), { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => name.endsWith(".ts") && !name.includes(".gen.") && name.includes("/")).sort();
  const folders = [...new Set(files.map((name) => name.split("/")[0]))];
  const chosen = new Map();
  for (let turn = 0; chosen.size < amount; turn += 1) {
    const own = files.filter((name) => name.startsWith(`${folders[turn % folders.length]}/`));
    const file = own[next(own.length)];
    const lines = readFileSync(join(copy, "src", file), "utf8").split("\n");
    const line = next(lines.length);
    const code = lines[line];
    if (/^\s*(?:\*|\/[/*]|import |export type |type |interface |readonly \w+[?]?:)/.test(code)) continue;
    const fitting = CHANGES.filter(([pattern]) => pattern.test(code));
    if (fitting.length === 0) continue;
    const [pattern, instead] = fitting[next(fitting.length)];
    chosen.set(`${file}:${line + 1}`, {
      file,
      line: line + 1,
      before: code.trim(),
      code: code.replace(pattern, instead),
    });
  }
  return [...chosen.values()];
}

const folder = mkdtempSync(join(tmpdir(), "countersign-mutants-"));
const copy = join(folder, "checkout");
const git = (...words) => execFileSync("git", words, { cwd: root, stdio: "ignore" });
git("worktree", "add", "--detach", copy);
process.once("exit", () => {
  // tests that were ended may still write
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  git("worktree", "prune");
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
// A test copies dist/, and would copy a symbolic link as a link: it would then write here.
cpSync(join(root, "dist"), join(copy, "dist"), { recursive: true });

/** The first test that fails, as the reporter names it; null if none does. */
const failure = (...words) => {
  const { status, stdout } = spawnSync(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", ...words, "--bail=1", "--passWithNoTests"],
    {
      ...{ cwd: copy, timeout: PATIENCE, killSignal: "SIGKILL", encoding: "utf8", maxBuffer: 2 ** 30 },
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  return status === 0
    ? null
    : (/^failed(?: outside of its tests)?: (.*)$/m.exec(stdout)?.[1] ?? "no test came to an end");
};
const rings = ["unit", "commands", "conformance", "hostile", "policies"].flatMap((name) => ["--project", name]);
const quick = [...rings, "--tags-filter", "!deep"];
const deep = [...rings, "--tags-filter", "deep"];

const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();

/** What an earlier run wrote to the file. */
function earlier() {
  if (values.json === undefined || !existsSync(values.json)) return [];
  const held = JSON.parse(readFileSync(values.json, "utf8"));
  return held.commit === commit && held.seed === seed ? held.results : [];
}

/** The ring that notices a mutant, and by which test; null for none. */
function noticedBy(file) {
  const mirror = `test/unit/${file.replace(/\.ts$/, ".test.ts")}`;
  const folder = `test/unit/${file.split("/").slice(0, -1).join("/")}/`;
  const steps = [
    ["quick", () => (existsSync(join(copy, mirror)) ? failure("run", ...quick, mirror) : null)],
    ["quick", () => (existsSync(join(copy, folder)) ? failure("run", ...quick, folder) : null)],
    ["quick", () => failure("related", "--run", `src/${file}`, ...quick)],
    ["deep", () => failure("related", "--run", `src/${file}`, ...deep)],
  ];
  for (const [ring, step] of steps) {
    const test = step();
    if (test !== null) return { ring, test };
  }
  return null;
}

const results = earlier();
for (const [name, ring] of Object.entries(results.length === 0 ? { quick, deep } : {})) {
  const test = failure("run", ...ring);
  if (test === null) continue;
  console.error(`mutants: a test of the ${name} ring fails without a mutant: ${test}`);
  process.exit(1);
}
const TYPES = ["--noEmit", "--incremental", "--tsBuildInfoFile", join(folder, "types.json")];
const tried = new Set(results.map(({ file, line }) => `${file}:${line}`));
for (const { file, line, before, code } of draw(4 * count)) {
  if (results.length >= count) break;
  if (tried.has(`${file}:${line}`)) continue;
  const path = join(copy, "src", file);
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    text
      .split("\n")
      .with(line - 1, code)
      .join("\n"),
  );
  const compiles = spawnSync("node_modules/.bin/tsc", TYPES, { cwd: copy, stdio: "ignore" }).status === 0;
  if (compiles) {
    // tests start the built commands, and compare the digest of the sources with that in the bundle
    const build = ["scripts/build.mjs", "--quiet"];
    spawnSync(process.execPath, build, { cwd: copy, stdio: "ignore", timeout: PATIENCE, killSignal: "SIGKILL" });
    const noticed = noticedBy(file);
    results.push({ file, line, before, after: code.trim(), noticed });
    console.log(
      `${results.length} of ${count}: src/${file}:${line}: ${noticed?.ring ?? "not noticed"}: ${before} -> ${code.trim()}`,
    );
    if (values.json !== undefined)
      writeFileSync(values.json, `${JSON.stringify({ commit, seed, results }, null, 2)}\n`);
  }
  writeFileSync(path, text);
}
const by = (step) => results.filter(({ noticed }) => (noticed?.ring ?? null) === step).length;
console.log(
  `${results.length} mutants, seed ${seed}: ${by("quick")} noticed by npm test, ${by("deep")} only by test:deep, ${by(null)} by neither`,
);
