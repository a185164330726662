import { bundleFile } from "../../installed.js";

/** The bundle's entry points: each runs in a process or thread of its own. */
export type Entry = "launcher" | "gate-thread" | "gate-blocking-worker" | "engine-thread" | "pod-reader";

/** Entries that a gate can start from memory are CommonJS scripts; the others are modules. */
const ENDINGS: Readonly<Partial<Record<Entry, string>>> = { "gate-thread": "cjs", "gate-blocking-worker": "cjs" };

/** The path of an entry. Throws INTERNAL. */
export function entryFile(entry: Entry): string {
  return bundleFile(`${entry}.${ENDINGS[entry] ?? "js"}`);
}
