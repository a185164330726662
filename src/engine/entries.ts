import { bundleFile } from "../installed.js";

/** The files of the bundle that are started by themselves: in a process of their own, or in a thread. */
export type Entry = "launcher" | "gate-thread" | "gate-blocking-worker" | "engine-thread" | "pod-reader";

/** What a gate can start from memory is a script, all else a module. */
const ENDINGS: Readonly<Partial<Record<Entry, string>>> = { "gate-thread": "cjs", "gate-blocking-worker": "cjs" };

/** The path of an entry. Throws INTERNAL. */
export function entryFile(entry: Entry): string {
  return bundleFile(`${entry}.${ENDINGS[entry] ?? "js"}`);
}
