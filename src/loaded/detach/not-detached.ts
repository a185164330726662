import { errorName } from "../../errno.js";
import { CountersignError } from "../../error.js";

/** The error of a removal that was not made, with its reason. */
export function notDetached(message: string, remedy: string): CountersignError {
  return new CountersignError("SCAN_NOT_DETACHED", message, { remedy });
}

const CHANGED = "scan again: it has changed meanwhile";

/** What to do after the kernel has denied a removal, by its error. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: CHANGED,
  ESRCH: CHANGED,
  ENODEV: CHANGED,
  ESTALE: CHANGED,
  EEXIST: CHANGED,
  EBUSY: "a link has it: name the link, as `scan` prints it",
  EOPNOTSUPP: "end the processes that hold it, and remove its pins",
  EPERM:
    "run it as root, outside of containers; ask which LSM, guard or gate denies it, and for a tc action its filters",
  EACCES: "run it as root, outside of containers; ask which LSM, guard or gate denies it",
};

/** The error of a step of a removal that failed with a negative errno. */
function failedStep(doing: string, error: number): CountersignError {
  const name = errorName(-error);
  return notDetached(`${doing} failed: ${name}`, REMEDIES[name] ?? "report this, with `uname -r`");
}

/** Throws SCAN_NOT_DETACHED if a step failed; otherwise its result. */
export function done(result: number, doing: string): number {
  if (result < 0) throw failedStep(doing, result);
  return result;
}
