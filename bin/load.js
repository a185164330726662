// Loads the bundle of the commands. Compiling it takes longer than most commands do, so that a build leaves V8's code cache
// beside it: one that another version of node made is not taken, and then only the time is lost.
const { existsSync, readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { dirname, join } = require("node:path");
const { Script } = require("node:vm");

const BUNDLE = join(__dirname, "../dist/command.cjs");
const CACHE = join(__dirname, "../dist/command.cache");

/** The bundle's exports, or undefined where it has not been built. `compiled` is called with the script, for the cache. */
function command(compiled = () => {}) {
  if (!existsSync(BUNDLE)) return undefined;
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {${readFileSync(BUNDLE, "utf8")}\n})`,
    {
      filename: BUNDLE,
      ...(existsSync(CACHE) ? { cachedData: readFileSync(CACHE) } : {}),
    },
  );
  compiled(script);
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(BUNDLE), module, BUNDLE, dirname(BUNDLE));
  return module.exports;
}

module.exports = { command, CACHE };
