import type { Decision } from "../hooks/decision.js";
import type { MapWrite } from "../policy/map.js";

/** What an attachment wrote. */
export interface Commit {
  readonly attachment: string;
  readonly writes: readonly MapWrite[];
}

/**
 * Every map write that threads have committed, by the latest to each key, in order: what a new thread repeats to have the maps
 * of those before it.
 */
export class Ledger {
  readonly #latest = new Map<string, { attachment: string; write: MapWrite }>();

  record({ answers }: Pick<Decision, "answers">): void {
    for (const { attachment, writes } of answers) {
      for (const write of writes) {
        const key = JSON.stringify([attachment, write.map, write.key]);
        // the last to write is the last to be repeated, whoever it was
        this.#latest.delete(key);
        this.#latest.set(key, { attachment, write });
      }
    }
  }

  commits(): readonly Commit[] {
    return [...this.#latest.values()].map(({ attachment, write }) => ({ attachment, writes: [write] }));
  }
}
