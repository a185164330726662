import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CountersignError } from "../error.js";

/** The files of the bundle that are started by themselves: in a process of their own, or in a thread. */
export type Entry = "launcher" | "gate-thread" | "gate-porter" | "engine-thread" | "pod-reader";

/** Where an entry lies: beside the bundle's other entries, one folder up from its chunks; or, for tests, in the
 * bundle of this source. Throws INTERNAL. */
export function entryFile(entry: Entry): string {
  for (const folder of ["./", "../", "../../dist/"]) {
    const file = fileURLToPath(new URL(`${folder}${entry}.js`, import.meta.url));
    if (existsSync(file)) return file;
  }
  throw new CountersignError("INTERNAL", `\`${entry}.js\` is missing from the bundle`, {
    remedy: "run `npm run build`",
  });
}
