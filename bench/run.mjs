// Runs every row in one process, by turns, prints p50 and p99 and the ratios that are asked for, and writes them to
// bench/RESULTS.md. `node bench/run.mjs [MODULE…]` writes nothing if modules are named, unless by --write; with --quick
// it measures less and writes nothing. A row module exports `rows()`: see bench/row.ts.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundled } from "./bundle.mjs";
import { measure } from "./measure.mjs";
import { judged, printed } from "./report.mjs";
import { writeResults } from "./results.mjs";

/** Row modules, in the order of the report. */
const MODULES = [
  "sandbox",
  "domains",
  "facts",
  "relocation",
  "recognition",
  "trust",
  "store",
  "cold",
  "policies-in-scope",
  "isolation",
  "recording",
  "explain",
  "report-page",
  "prove",
];

const here = fileURLToPath(new URL(".", import.meta.url));
const quick = process.argv.includes("--quick");
const chosen = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const names = chosen.length === 0 ? MODULES : chosen;

installPeers();
const files = await bundled(names);

const tables = {};
let missed = 0;
for (const file of files) {
  const { title, rows } = await import(pathToFileURL(file).href);
  const measured = judged(await measure(await rows(), quick));
  console.log(printed(title, measured.rows));
  tables[title] = measured.rows;
  missed += measured.missed;
}
if (!quick && (chosen.length === 0 || process.argv.includes("--write"))) writeResults(tables);
process.exit(missed === 0 ? 0 : 1);

/**
 * The peers are a package of their own, so that nobody who uses this one has them. One that cannot be built is left
 * out.
 */
function installPeers() {
  if (!existsSync(join(here, "node_modules", "casbin")))
    spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: here, stdio: "inherit" });
  const addon = join(here, "node_modules", "isolated-vm", "out", "isolated_vm.node");
  if (existsSync(addon)) return;
  // node's own headers, where they came with it, spare a download
  const headers = join(dirname(process.execPath), "..");
  const own = existsSync(join(headers, "include", "node", "node.h")) ? [`--nodedir=${headers}`] : [];
  spawnSync("npm", ["rebuild", "isolated-vm", ...own], { cwd: here, stdio: "inherit" });
}
