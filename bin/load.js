// Loads a bundle. Compiling it takes longer than most commands do, so that a build leaves V8's code cache beside it. Under another
// version of node there is none, and a command only starts later. Commands that stay have a bundle with nothing but
// what they need, since its source stays in memory as long as they do; the gate's decision thread has one, too.
const { existsSync, readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { dirname, join, resolve } = require("node:path");
const { Script } = require("node:vm");

const DIST = join(__dirname, "../dist");
const GATES = ["run", "agent"];

/**
 * The file of a bundle's code cache, which is good for one version of V8 and one architecture. A bundle is named by its file in dist/
 * without the ending, or by any path so.
 */
function cacheOf(name) {
  return `${resolve(DIST, name)}.${process.versions.v8}-${process.arch}.cache`;
}

/** The exports of the bundle that has a command, or undefined where it has not been built. */
function command(wanted, compiled) {
  return load(GATES.includes(wanted) ? "gate" : "command", compiled);
}

/** A bundle's exports, or undefined where it has not been built. `compiled` is called with the script, for the cache. */
function load(name, compiled = () => {}) {
  const bundle = `${resolve(DIST, name)}.cjs`;
  const cache = cacheOf(name);
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

module.exports = { cacheOf, command, load };
