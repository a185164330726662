// Runs all generators, or with --check reports which generated files are not current. Each row of the table is a script
// that with `--check` compares instead of writing. A generator whose tools are missing exits with 3 and a reason, and
// counts as skipped. COUNTERSIGN_CI makes that a failure, since CI installs the tools.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Script in scripts/ by name. */
const GENERATORS = {
  "guest code": "guest.mjs",
  declarations: "declarations.mjs",
  "signature types": "signature-types.mjs",
  "table of facts": "facts.mjs",
  "tables of facts and hooks in documents": "reference-tables.mjs",
  "engine patches": "engine.mjs",
  "bpf tables": "bpf-tables.mjs",
  "kfunc arguments": "kfunc-arguments.mjs",
  "example objects": "examples.mjs",
  "libbpf probes": "probes.mjs",
  "configuration schema": "config-schema.mjs",
  "request schema": "request-schema.mjs",
  "seccomp profiles": "seccomp-profiles.mjs",
  "effects page": "effects-page.mjs",
  "log page": "log-page.mjs",
  "manual page": "manual.mjs",
  "decision tables of policies": "policy-tables.mjs",
  "attacks page": "attacks-page.mjs",
  "guard's object": "guard.mjs",
  "guard's loader": "loader.mjs",
  "attacks on the guard": "attacks.mjs",
};

const SKIPPED = 3;
const check = process.argv.includes("--check");
let failed = 0;
for (const [name, script] of Object.entries(GENERATORS)) {
  const run = spawnSync(
    process.execPath,
    [fileURLToPath(new URL(script, import.meta.url)), ...(check ? ["--check"] : [])],
    { encoding: "utf8" },
  );
  const skipped = run.status === SKIPPED && process.env.COUNTERSIGN_CI === undefined;
  const word = run.status === 0 ? "current" : skipped ? "skipped" : "failed";
  console.log(`${word.padEnd(8)} ${name}${run.status === 0 ? "" : `: ${`${run.stdout}${run.stderr}`.trim()}`}`);
  if (run.status !== 0 && !skipped) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
