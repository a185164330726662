import { CountersignError } from "../../error.js";
import { GUARD_VERSION } from "../list/list-header.js";

/** The kernel frees the maps of a guard that was stopped only after a grace period of RCU. */
export const OTHER_VERSION =
  "use the Countersign that started it: under audit, its `seal stop` ends it, which shows after some seconds; " +
  "otherwise boot the machine again";

/**
 * Requires that this Countersign knows the guard that is in force: in another version, bits and numbers can mean
 * something else. `version` is null without a guard, and 0 until the loader has written it. Throws SEAL_RUNNING.
 */
export function requireOwnVersion(version: number | null): void {
  if (version === null || version === 0 || version === GUARD_VERSION) return;
  const message = `a guard of version ${version} is in force, and this Countersign is of version ${GUARD_VERSION}`;
  throw new CountersignError("SEAL_RUNNING", message, { place: "guard", remedy: OTHER_VERSION });
}
