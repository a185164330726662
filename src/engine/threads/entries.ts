import { bundleFile } from "../../installed.js";

/** The bundle's entry points: each runs in a process or thread of its own. */
export type Entry =
  | "launcher"
  | "gate-thread"
  | "gate-blocking-worker"
  | "gate-denial-thread"
  | "engine-thread"
  | "pod-reader";

/** The entries of a gate's threads are CommonJS scripts, each of which can be one file; the others are modules. */
const ENDINGS: Readonly<Partial<Record<Entry, string>>> = {
  "gate-thread": "cjs",
  "gate-blocking-worker": "cjs",
  "gate-denial-thread": "cjs",
};

/** The path of an entry. Throws INTERNAL. */
export function entryFile(entry: Entry): string {
  return bundleFile(`${entry}.${ENDINGS[entry] ?? "js"}`);
}
