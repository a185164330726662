// An npm package cannot have V8's code caches: they are valid for one build of node only. The first command of such an
// installation has them made, in a process of its own after the command has ended; until then commands only start more
// slowly. Nothing is made where dist/ cannot be written.
const { spawn } = require("node:child_process");
const { accessSync, constants, rmSync, statSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

const DIST = join(__dirname, "../dist");
/** Exists while caches are made, and is empty. */
const LOCK = join(DIST, ".code-caches");
/** Milliseconds after which whoever made the lock has ended without removing it. */
const STALE = 10 * 60_000;

/** Has the caches made when this process exits. */
function makeCachesAtExit() {
  process.once("exit", () => {
    if (lock())
      spawn(process.execPath, [join(__dirname, "code-cache.mjs")], { detached: true, stdio: "ignore" }).unref();
  });
}

/** Returns false if dist/ cannot be written, or another process makes the caches. */
function lock() {
  try {
    accessSync(DIST, constants.W_OK);
    if (Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > STALE) rmSync(LOCK);
    writeFileSync(LOCK, "", { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}

const unlock = () => rmSync(LOCK, { force: true });

module.exports = { makeCachesAtExit, unlock };
