import { realpathSync } from "node:fs";
import { isAbsolute, relative, sep } from "node:path";
import { CountersignError } from "../../error.js";

/** The largest policy file to read, in bytes. */
export const MAX_POLICY = 2 ** 20;

/**
 * Throws POLICY_FORBIDDEN for a symbolic link out of the policy's folder: all code that decides must be in that folder.
 * Links within it are allowed.
 */
export function refuseLeaving(folder: string, path: string, name: string): void {
  let inside: string;
  try {
    inside = relative(realpathSync(folder), realpathSync(path));
  } catch {
    // It does not exist; reading it reports that
    return;
  }
  if (inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)) return;
  throw new CountersignError("POLICY_FORBIDDEN", "is imported, and is a link that leaves the policy's folder", {
    place: name,
    remedy: "put the file itself there",
  });
}
