import { ERRNO } from "../../src/errno.js";
import type { Raw, Reads } from "../../src/loaded/reads/reads.js";

/** What a kernel answered, by the names of results, and nothing of the running one. */
export function readsOf(answers: Iterable<readonly [name: string, raw: Raw]>): Reads {
  const byName = new Map(answers);
  return {
    isLive: false,
    missing: [],
    bytes: (name) => byName.get(name) ?? -ERRNO.ENODATA,
    live: () => {},
    stored: () => Promise.resolve(),
  };
}
