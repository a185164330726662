import { closeSync, openSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { LogConfig } from "../../config/config.js";
import { CountersignError } from "../../error.js";

/**
 * The log that `check --log` writes: the named file, or else that of the configuration. Because `--log` takes the next
 * argument as its file, `--log program.o` would append to the program. So this throws USAGE for a file that is also
 * checked, for an existing file that is not a decision log, and if no file is named and the configuration has no log.
 */
export function checkLog(
  named: string | true,
  configured: LogConfig | null,
  config: string,
  files: readonly string[],
): LogConfig {
  if (named === true) {
    if (configured !== null) return configured;
    throw new CountersignError("USAGE", "has no `log`, so `--log` needs a file", {
      place: config,
      remedy: "write --log=FILE, or add `log` to the configuration",
    });
  }
  const file = resolve(named);
  if (files.some((one) => resolve(one) === file) || !isLog(file))
    throw new CountersignError("USAGE", "is not a decision log", {
      place: named,
      remedy: "name the log as --log=FILE, or put `--log` after the files that are checked",
    });
  return { rotate: DEFAULT_ROTATE, keep: DEFAULT_KEEP, ...configured, file };
}

const DEFAULT_ROTATE = 100 * 2 ** 20;
const DEFAULT_KEEP = 5;

/** The first characters of each record of a decision log. */
const RECORD = '{"level":';

/** Whether a file can be a decision log: it begins with a record, is empty, does not exist or is not a regular file. */
function isLog(file: string): boolean {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return true;
  const fd = openSync(file, "r");
  try {
    const start = Buffer.alloc(RECORD.length);
    return readSync(fd, start) === 0 || start.toString() === RECORD;
  } finally {
    closeSync(fd);
  }
}
