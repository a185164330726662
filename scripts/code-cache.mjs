// code-cache.mjs command|gate|thread: writes V8's code cache of that bundle: what a usual run has compiled, so that the
// next one need not. See bin/load.js.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const { cacheOf, load } = require("../bin/load.js");
const [, , bundle] = process.argv;
const cache = cacheOf(bundle);
// a cache is good only for the flags that it was made under, and `check` sets one once it is loaded (src/cli/ask.ts)
require("node:v8").setFlagsFromString = () => {};
rmSync(cache, { force: true });

let script;
const { main, precompile } = load(bundle, (compiled) => {
  script = compiled;
});
const folder = mkdtempSync(join(tmpdir(), "countersign-build-"));
// do not read or write link results during a build
process.env.XDG_CACHE_HOME = join(folder, "cache");
const at = (name) => join(folder, "demo", name);
const run = (...words) => main(["node", "countersign", ...words]);
const USUAL = {
  async command() {
    await run("init", join(folder, "demo"));
    await run("check", "--config", at("countersign.yaml"), at("program.o"), at("unsigned.o"));
    await run("inspect", at("program.o"));
  },
  // a configuration that is read to its end and then refused: a build puts up no gate
  async gate() {
    writeFileSync(
      join(folder, "countersign.yaml"),
      "version: 1\nattachments: [{ policy: a.js, scope: { labels: '!' } }]\n",
    );
    for (const words of [["run"], ["agent", "--socket", join(folder, "socket")]])
      await run(...words, "--config", join(folder, "countersign.yaml"), ...(words[0] === "run" ? ["--", "true"] : []));
  },
  async thread() {
    writeFileSync(join(folder, "policy.js"), "export const bpf_prog_load = () => 0;\n");
    await precompile(join(folder, "policy.js"));
  },
};
const { stdout, stderr } = process;
const writes = [stdout, stderr].map((stream) => [stream, stream.write]);
for (const [stream] of writes) stream.write = () => true;
try {
  await USUAL[bundle]();
} finally {
  for (const [stream, write] of writes) stream.write = write;
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = 0;
writeFileSync(cache, script.createCachedData());
