// The last step of a generator: writes its files, or with --check reports those that are not current. Returns the exit
// code.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @param {Record<string, string>} files path from the repository's root to text */
export function writeGenerated(files) {
  const check = process.argv.includes("--check");
  let stale = 0;
  for (const [path, text] of Object.entries(files)) {
    const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    if (check) {
      console.log(`${path} is not current`);
      stale += 1;
    } else writeFileSync(file, text);
  }
  return stale === 0 ? 0 : 1;
}
