// Loads a bundle of dist/ with V8's code cache, which code-cache.mjs wrote beside it: compiling takes longer than most
// commands. Another version of V8 has no cache file, and the command only starts more slowly. `run` and `agent`, which
// stay in memory, have a bundle of their own with only what they need, since its source stays in memory too. So does
// the gate's decision thread. `resolve` and `list` need a small part of the rest, which loads in less time.
const { existsSync, readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { dirname, join, resolve } = require("node:path");
const { Script } = require("node:vm");

const DIST = join(__dirname, "../dist");
/** The bundles of commands that are not in `command`. */
const BUNDLES = new Map([
  ["run", "gate"],
  ["agent", "gate"],
  ["resolve", "kernel"],
  ["list", "kernel"],
]);

/**
 * The path of a bundle's code cache, which is valid for one version of V8 and one architecture. `name` is a path
 * relative to dist/, or an absolute path, without the ending.
 */
function cacheOf(name) {
  return `${resolve(DIST, name)}.${process.versions.v8}-${process.arch}.cache`;
}

const hasCache = (name) => existsSync(cacheOf(name));

/** The bundle with the command `wanted`. */
const bundleOf = (wanted) => BUNDLES.get(wanted) ?? "command";

/** The exports of the bundle with the command `wanted`; undefined if it has not been built. */
const command = (wanted, compiled) => load(bundleOf(wanted), compiled);

/**
 * A bundle's exports; undefined if it has not been built. code-cache.mjs passes `compiled`, to make the cache from the
 * script, and `isFresh`, so that the script is not compiled from the cache that there is.
 */
function load(name, compiled = () => {}, isFresh = false) {
  const bundle = `${resolve(DIST, name)}.cjs`;
  const cache = cacheOf(name);
  if (!existsSync(bundle)) return undefined;
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {${readFileSync(bundle, "utf8")}\n})`,
    {
      filename: bundle,
      ...(!isFresh && existsSync(cache) ? { cachedData: readFileSync(cache) } : {}),
    },
  );
  compiled(script);
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(bundle), module, bundle, dirname(bundle));
  return module.exports;
}

module.exports = { bundleOf, cacheOf, command, hasCache, load };
