import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CountersignError } from "../error.js";

/** A file that ships with the package, by its path in it. Throws INTERNAL where the installation is not whole. */
export function shipped(path: string): Uint8Array {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, path);
    if (existsSync(join(folder, "package.json")) && existsSync(file)) return readFileSync(file);
    if (folder === dirname(folder))
      throw new CountersignError("INTERNAL", `the package lacks \`${path}\``, { remedy: "install it again" });
  }
}
