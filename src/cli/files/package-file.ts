import { readFileSync } from "node:fs";
import { packagePath } from "../../package-path.js";

/** Reads a file of the package, by its path in the package. Throws INTERNAL if it is missing. */
export function packageFile(path: string): Uint8Array {
  return readFileSync(packagePath(path));
}
