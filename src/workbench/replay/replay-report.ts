import type { Replayed } from "./replay.js";

/** Decisions that differ in the same way, or that lack the same input. */
export interface ReplayGroup {
  readonly result: "different" | "unknown";
  /** What differs, or the input that is missing. */
  readonly because: string;
  /** The attachment whose answer or denial is another one; null if it is a default. */
  readonly attachment: string | null;
  /** The labels of the container, such as `app=web,tier=edge`; null outside of containers. */
  readonly labels: string | null;
  readonly subject: string;
  readonly count: number;
  /** The ids of the first decisions, at most 5. */
  readonly ids: readonly string[];
}

/** Number of ids in a group, and of groups that are kept apart: further ones are one group for each result. */
const MAX_IDS = 5;
const MAX_GROUPS = 10_000;
const OTHERS = { different: "in other ways", unknown: "other inputs" } as const;

/** Counts what a replay has shown, and groups the decisions that are not the same. */
export class ReplayReport {
  readonly counts = { same: 0, different: 0, unknown: 0, unasked: 0 };
  readonly #groups = new Map<string, ReplayGroup & { count: number; ids: string[] }>();

  add({ result, because, line, again }: Replayed): void {
    this.counts[result] += 1;
    if (result !== "different" && result !== "unknown") return;
    const record = line.record ?? {};
    const denial = again?.denied_by ?? again?.audit_denials[0] ?? record.denied_by ?? null;
    const attachment = denial?.attachment ?? null;
    const labels = record.current?.container?.labels;
    const shown = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
    const its = record.current?.container == null ? null : shown.sort().join();
    const subject = record.subject?.name ?? "";
    const group = this.#groupOf({ result, because, attachment, labels: its, subject });
    group.count += 1;
    if (group.ids.length < MAX_IDS && record.id !== undefined) group.ids.push(record.id);
  }

  /** Whether there was no decision. */
  get isEmpty(): boolean {
    return Object.values(this.counts).every((count) => count === 0);
  }

  #groupOf(which: Omit<ReplayGroup, "count" | "ids">): ReplayGroup & { count: number; ids: string[] } {
    const known = this.#groups.get(JSON.stringify(which));
    if (known !== undefined) return known;
    const { result } = which;
    const others = { result, because: OTHERS[result], attachment: null, labels: null, subject: "(others)" };
    const kept = this.#groups.size < MAX_GROUPS ? which : others;
    const key = JSON.stringify(kept);
    const group = this.#groups.get(key) ?? { ...kept, count: 0, ids: [] };
    this.#groups.set(key, group);
    return group;
  }

  /** The most frequent first; of equal ones those that differ. */
  groups(): readonly ReplayGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count || (a.result < b.result ? -1 : 1));
  }
}
