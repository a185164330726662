// Writes V8's code cache of the command bundle: what a usual run has compiled, so that the next one need not. See bin/load.js.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const { command, CACHE } = require("../bin/load.js");
// a cache is good only for the flags that it was made under, and `check` sets one once it is loaded (src/cli/ask.ts)
require("node:v8").setFlagsFromString = () => {};
rmSync(CACHE, { force: true });

let script;
const { main } = command((compiled) => {
  script = compiled;
});
const folder = mkdtempSync(join(tmpdir(), "countersign-build-"));
const write = process.stdout.write;
process.stdout.write = () => true;
try {
  const at = (name) => join(folder, "demo", name);
  const run = (...words) => main(["node", "countersign", ...words]);
  await run("init", join(folder, "demo"));
  await run("check", "--config", at("countersign.yaml"), at("program.o"), at("unsigned.o"));
  await run("inspect", at("program.o"));
} finally {
  process.stdout.write = write;
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = 0;
writeFileSync(CACHE, script.createCachedData());
