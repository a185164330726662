import type { RecordOutcome } from "../../log/outcome.js";
import type { GroupData } from "../report/report-data.js";

/** What the reader can narrow the report down to, by one value each. */
export type Dimension = "policy" | "container" | "program";

/** The values of a group in a dimension, as they are shown. */
export const VALUES: Readonly<Record<Dimension, (group: GroupData) => readonly string[]>> = {
  policy: ({ policies }) => policies.map((name) => name ?? "(default or gate)"),
  container: ({ container, others }) => [others === undefined ? (container ?? "(no container)") : OTHERS],
  program: ({ program, others }) => [others === undefined ? program || "(no name)" : OTHERS],
};

const OTHERS = "(others)";

/** The decisions that the reader wants to see. */
export class Selection {
  text = "";
  readonly hidden = new Set<RecordOutcome>();
  readonly picked = new Map<Dimension, string>();
  /** The first and the last period; null for all. */
  range: readonly [first: number, last: number] | null = null;

  has(group: GroupData): boolean {
    return (
      !this.hidden.has(group.outcome) &&
      [...this.picked].every(([dimension, value]) => VALUES[dimension](group).includes(value)) &&
      (this.text === "" || textOf(group).includes(this.text.toLowerCase()))
    );
  }

  /** Number of the group's decisions in the range. */
  count({ count, periods }: GroupData): number {
    if (this.range === null) return count;
    const [first, last] = this.range;
    let sum = 0;
    for (let at = 0; at < periods.length; at += 2) {
      const period = periods[at] as number;
      if (period >= first && period <= last) sum += periods[at + 1] as number;
    }
    return sum;
  }
}

const texts = new WeakMap<GroupData, string>();

function textOf(group: GroupData): string {
  const known = texts.get(group);
  if (known !== undefined) return known;
  const { outcome, hook, program, container, task, policies, reason } = group;
  const text = [outcome, hook, program, container, task, ...policies, reason].join("\n").toLowerCase();
  texts.set(group, text);
  return text;
}
