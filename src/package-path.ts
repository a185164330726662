import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CountersignError } from "./error.js";

/** The absolute path of a file of the package, by its path in the package. Throws INTERNAL if it is missing. */
export function packagePath(path: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, path);
    if (existsSync(join(folder, "package.json")) && existsSync(file)) return file;
    if (folder === dirname(folder))
      throw new CountersignError("INTERNAL", `the package lacks \`${path}\``, { remedy: "install it again" });
  }
}
