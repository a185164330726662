import { clipped } from "../../clipped.js";
import { containerOf, outcomeOf } from "../../log/outcome.js";
import type { ReadRecord } from "../../log/read-record.js";
import { exampleDecision, shown } from "./example-decision.js";
import { PeriodCounts, type Periods } from "./period-counts.js";
import type { ExampleDecision, GroupData } from "./report-data.js";

/**
 * Maximum number of groups that are kept in memory. Decisions of further ones are only counted by outcome and
 * attachments.
 */
const MAX_GROUPS = 50_000;
/** Maximum number of combinations of attachments for which they are counted apart. */
const MAX_OTHERS = 200;
/** Characters of a name. A reason can have more. */
const MAX_NAME = 120;

type Kind = Omit<GroupData, "count" | "periods" | "example" | "others">;

interface Group {
  readonly kind: Kind;
  readonly counts: PeriodCounts;
  /** Null if nothing was denied. */
  readonly example: ExampleDecision | null;
}

/** Decisions of groups that are left out. */
interface Others extends Pick<Kind, "outcome" | "policies"> {
  readonly counts: PeriodCounts;
  groups: number;
}

/** Counts decisions that are alike: same outcome, hook, subject, container, task, denying attachments and reason. */
export class DecisionGroups {
  readonly #groups = new Map<string, Group>();
  /** What has no group, by outcome and denying attachments. */
  readonly #others = new Map<string, Others>();

  constructor(private readonly periods: Periods) {}

  /** The time must be included in the periods. */
  add(record: ReadRecord, time: number | null): void {
    const kind = kindOf(record);
    const key = JSON.stringify(Object.values(kind));
    const group = this.#groups.get(key) ?? this.#newGroup(key, kind, record);
    if (group === null) this.#other(kind).counts.add(time);
    else group.counts.add(time);
  }

  /** Null if there are too many. */
  #newGroup(key: string, kind: Kind, record: ReadRecord): Group | null {
    if (this.#groups.size >= MAX_GROUPS) {
      this.#other(kind).groups += 1; // an upper bound: whether two such decisions are alike is not known
      return null;
    }
    const example = kind.policies.length > 0 ? exampleDecision(record) : null;
    const group = { kind, counts: new PeriodCounts(this.periods), example };
    this.#groups.set(key, group);
    return group;
  }

  /**
   * The groups whose JSON has together at most `bytes` bytes: denials first, then by frequency. What is left out is
   * one more group for each outcome and the attachments that denied.
   */
  within(bytes: number): readonly GroupData[] {
    const sorted = [...this.#groups.values()].sort(
      (a, b) => Number(a.example === null) - Number(b.example === null) || b.counts.total - a.counts.total,
    );
    const shown: GroupData[] = [];
    let left = bytes;
    for (const { kind, counts, example } of sorted) {
      const data = { ...kind, count: counts.total, periods: counts.pairs() };
      // Examples take at most the larger part, so that many groups without one still fit
      const one = left > bytes * WITHOUT_EXAMPLES ? { ...data, example } : { ...data, example: null };
      left -= Buffer.byteLength(JSON.stringify(one)) + 1;
      if (left > 0) shown.push(one);
      else this.#leaveOut(kind, counts);
    }
    shown.sort((a, b) => b.count - a.count);
    return [...shown, ...[...this.#others.values()].map(otherGroup)];
  }

  #leaveOut(kind: Kind, counts: PeriodCounts): void {
    const other = this.#other(kind);
    other.groups += 1;
    other.counts.addAll(counts);
  }

  #other({ outcome, policies: all }: Kind): Others {
    const policies = this.#others.size < MAX_OTHERS ? all : [];
    const key = JSON.stringify([outcome, ...policies]);
    const known = this.#others.get(key);
    if (known !== undefined) return known;
    const other = { outcome, policies, counts: new PeriodCounts(this.periods), groups: 0 };
    this.#others.set(key, other);
    return other;
  }
}

/** The share of the bytes that is for groups without an example. */
const WITHOUT_EXAMPLES = 0.35;

function otherGroup({ outcome, policies, counts, groups }: Others): GroupData {
  const kind: Kind = { outcome, hook: "", program: "", container: null, task: "", policies, reason: null };
  return { ...kind, others: groups, count: counts.total, periods: counts.pairs(), example: null };
}

function kindOf(record: ReadRecord): Kind {
  const { hook = "", subject, current, denied_by, audit_denials = [] } = record;
  const denials = [denied_by, ...audit_denials].flatMap((denial) => (denial == null ? [] : [denial]));
  const container = containerOf(record);
  return {
    outcome: outcomeOf(record),
    hook: clipped(hook, MAX_NAME),
    program: clipped(subject?.name ?? "", MAX_NAME),
    container: container === null ? null : clipped(container, MAX_NAME),
    task: clipped(current?.comm ?? "", MAX_NAME),
    policies: [
      ...new Set(denials.map(({ attachment }) => (attachment == null ? null : clipped(attachment, MAX_NAME)))),
    ],
    reason: denials.length === 0 ? null : shown(withoutDigests(denials[0]?.reason ?? "")),
  };
}

/** Digests and addresses in a reason would make each decision a group of its own. */
function withoutDigests(reason: string): string {
  return reason.replace(/\b(?:0x)?[0-9a-f]{16,}\b/g, "…");
}
