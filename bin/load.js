// Loads a bundle that is one script, such as that of the commands. Compiling it takes longer than most commands do, so that a build leaves V8's code cache
// beside it: one that another version of node made is not taken, and then only the time is lost. Commands that stay have a
// bundle with nothing but what they need, since its source stays in memory as long as they do.
const { existsSync, readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { dirname, join } = require("node:path");
const { Script } = require("node:vm");

const GATES = ["run", "agent"];

/** Which bundle has a command: its file, and that of its code cache. */
function files(wanted) {
  const bundle = join(__dirname, "../dist", GATES.includes(wanted) ? "gate" : "command");
  return { bundle: `${bundle}.cjs`, cache: `${bundle}.cache` };
}

/** A command's bundle; see `load`. */
const command = (wanted, compiled) => load(files(wanted), compiled);

/** A bundle's exports, or undefined where it has not been built. `compiled` is called with the script, for the cache. */
function load({ bundle, cache }, compiled = () => {}) {
  if (!existsSync(bundle)) return undefined;
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {${readFileSync(bundle, "utf8")}\n})`,
    {
      filename: bundle,
      ...(existsSync(cache) ? { cachedData: readFileSync(cache) } : {}),
    },
  );
  compiled(script);
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(bundle), module, bundle, dirname(bundle));
  return module.exports;
}

module.exports = { command, files, load };
