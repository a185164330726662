import type { ReadRecord } from "../log/read-record.js";
import { DecisionGroups } from "./report/decision-groups.js";
import { shown } from "./report/example-decision.js";
import { Periods } from "./report/period-counts.js";
import type { PolicyData, ReportData } from "./report/report-data.js";
import { ShadowGroups } from "./report/shadow-groups.js";

/** Bytes of the JSON of a report's groups. With the page, a report has at most 5 MB. */
const MAX_BYTES = 4_000_000;
/** Maximum number of attachments that are counted one by one. */
const MAX_POLICIES = 2000;
/** Milliseconds; of two processes that write one log, the records of one can be that much older. */
const TOLERANCE = 60_000;

type Counts = { -readonly [Key in keyof PolicyData]: PolicyData[Key] };

/** Counts the decisions of logs for a report. Memory and result are bounded, however many decisions there are. */
export class Report {
  readonly #periods = new Periods();
  readonly #groups = new DecisionGroups(this.#periods);
  readonly #shadow = new ShadowGroups();
  readonly #policies = new Map<string, Counts>();
  #decisions = 0;
  #from = Number.POSITIVE_INFINITY;
  #to = Number.NEGATIVE_INFINITY;
  #backwards = 0;

  /** Records that are neither decisions nor differences of a shadow are not counted. */
  add(record: ReadRecord): void {
    if (record.type === "shadow") this.#shadow.add(record);
    if (record.type !== "decision") return;
    this.#decisions += 1;
    const time = this.#timeOf(record);
    this.#groups.add(record, time);
    for (const answer of record.answers ?? []) {
      const { attachment = "", mode, verdict = 0, fault } = answer ?? {};
      const counts = this.#policy(shown(attachment));
      counts.asked += 1;
      if (fault != null) counts.faults += 1;
      if (verdict < 0) counts.denied += 1;
      if (mode === "audit") counts.inAudit += 1;
    }
  }

  data(logs: readonly string[]): ReportData {
    const groups = this.#groups.within(MAX_BYTES);
    const isTimed = this.#from <= this.#to;
    return {
      logs,
      decisions: this.#decisions,
      from: isTimed ? this.#from : null,
      to: isTimed ? this.#to : null,
      period: this.#periods.length,
      backwards: this.#backwards,
      groups,
      policies: [...this.#policies.values()],
      shadow: this.#shadow.all,
    };
  }

  /** Null if the record has no time. */
  #timeOf({ time: text }: ReadRecord): number | null {
    const time = text === undefined ? Number.NaN : Date.parse(text);
    if (Number.isNaN(time)) return null;
    this.#periods.include(time);
    if (time < this.#to - TOLERANCE) this.#backwards += 1;
    this.#from = Math.min(this.#from, time);
    this.#to = Math.max(this.#to, time);
    return time;
  }

  #policy(name: string): Counts {
    const known = this.#policies.get(name);
    if (known !== undefined) return known;
    if (this.#policies.size >= MAX_POLICIES) return this.#policies.get(OTHERS) ?? this.#add(OTHERS);
    return this.#add(name);
  }

  #add(name: string): Counts {
    const counts = { name, asked: 0, denied: 0, inAudit: 0, faults: 0 };
    this.#policies.set(name, counts);
    return counts;
  }
}

const OTHERS = "(others)";
