import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CountersignError } from "../error.js";

/** The files of the bundle that are started by themselves: in a process of their own, or in a thread. */
export type Entry = "launcher" | "gate-thread" | "gate-porter" | "engine-thread" | "pod-reader";

/** What is loaded with V8's code cache is a script, all else a module. */
const ENDINGS: Readonly<Partial<Record<Entry, string>>> = { "gate-thread": "cjs" };

/** Where an entry lies: beside the bundle's other entries, one folder up from its chunks; or, for tests, in the
 * bundle of this source. Throws INTERNAL. */
export function entryFile(entry: Entry): string {
  const name = `${entry}.${ENDINGS[entry] ?? "js"}`;
  for (const folder of ["./", "../", "../../dist/"]) {
    const file = fileURLToPath(new URL(`${folder}${name}`, import.meta.url));
    if (existsSync(file)) return file;
  }
  throw new CountersignError("INTERNAL", `\`${name}\` is missing from the bundle`, {
    remedy: "run `npm run build`",
  });
}
