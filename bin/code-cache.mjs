// usage: code-cache.mjs [command|gate|kernel|thread]
// Writes V8's code cache of that bundle with the functions that a usual run compiles, so that the next run need not
// compile them. See load.js. Without a name, those of all bundles that have none, one after the other. It calls neither
// bpf(2) nor seccomp(2), so that a build does not depend on what the kernel does then.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const { cacheOf, hasCache, load } = require("./load.js");
const [, own, bundle] = process.argv;
if (bundle === undefined) {
  const lacking = ["command", "gate", "kernel", "thread"].filter((name) => !hasCache(name));
  for (const name of lacking) spawnSync(process.execPath, [own, name], { stdio: "ignore" });
  require("./first-start.js").unlock();
  process.exit();
}
const cache = cacheOf(bundle);
const source = () => readFileSync(join(dirname(cache), `${bundle}.cjs`));
const before = source();
// A cache is valid only for the V8 flags that it was made with, and `check` sets one after it has been loaded
// (src/cli/input/open-engine.ts).
require("node:v8").setFlagsFromString = () => {};

let script;
// the cache that there is stays until the new one takes its place: commands start from it meanwhile
const { main, precompile } = load(
  bundle,
  (compiled) => {
    script = compiled;
  },
  true,
);
const folder = mkdtempSync(join(tmpdir(), "countersign-build-"));
// Results must not be cached during a build.
process.env.XDG_CACHE_HOME = join(folder, "cache");
const at = (name) => join(folder, "demo", name);
const run = (...words) => main(["node", "countersign", ...words]);
const USUAL = {
  async command() {
    await run("init", join(folder, "demo"));
    await run("check", "--config", at("countersign.yaml"), at("program.o"), at("unsigned.o"));
    await run("inspect", at("program.o"));
  },
  // A configuration that is rejected after it has been read completely, since a build must not start a gate.
  async gate() {
    writeFileSync(
      join(folder, "countersign.yaml"),
      "version: 1\nattachments: [{ policy: a.js, scope: { labels: '!' } }]\n",
    );
    for (const words of [["run"], ["agent", "--socket", join(folder, "socket")]])
      await run(...words, "--config", join(folder, "countersign.yaml"), ...(words[0] === "run" ? ["--", "true"] : []));
  },
  // Any object has BTF. The second time, the result is in the cache.
  async kernel() {
    const object = fileURLToPath(new URL("../examples/switch-watch.o", import.meta.url));
    for (let times = 0; times < 2; times++) await run("resolve", "--btf", object, object);
    await run("list", "--btf", object, object);
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
const made = join(dirname(cache), `.${bundle}.${process.pid}.cache`);
writeFileSync(made, script.createCachedData());
// V8 takes a cache for that of any script of the same length, so none is left for a bundle that was replaced meanwhile
if (before.equals(source())) renameSync(made, cache);
else rmSync(made);
