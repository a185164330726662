import { containerOf } from "../../log/outcome.js";
import type { ReadRecord } from "../../log/read-record.js";
import { RecordReader } from "../../log/record-reader.js";
import { KEPT_DEFINITIONS, takeDefinition } from "./earlier-definitions.js";

/**
 * One operation that `top` shows. Several decisions can belong to it: those on one system call and a loader's retries
 * of it.
 */
interface Seen {
  readonly at: number;
  readonly where: string;
  readonly operation: string | null;
  outcome: Outcome;
  /** In microseconds. */
  took: number;
  /** Denials that are already shown, each with its outcome. */
  readonly reasons: string[];
}

/** An operation has the last of these outcomes that any of its decisions has. */
const OUTCOMES = ["allowed", "probe", "denied"] as const;
type Outcome = (typeof OUTCOMES)[number];

/** A denial for the display. */
export interface Reason {
  readonly time: string;
  readonly where: string;
  readonly hook: string;
  readonly subject: string;
  readonly reason: string;
  /**
   * `denied`: applied. `dry run`: mode `enforce` would deny. `audit`: an attachment in audit, or a default of `audit`,
   * denies.
   */
  readonly outcome: "denied" | "dry run" | "audit";
}

/** The recent operations of one container, or of all tasks outside containers. */
export interface Row {
  readonly where: string;
  /** Operations per second. */
  readonly rate: number;
  readonly allowed: number;
  /** Number of operations with a negative enforced verdict, also in a dry run. */
  readonly denied: number;
  readonly probes: number;
  /** In microseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** Time span in milliseconds that is shown. */
export const WINDOW = 10_000;
/** Maximum number of operations and of reasons that are kept. */
const MAX_SEEN = 200_000;
const MAX_REASONS = 20;

/** The operations of the last ten seconds and the reasons of the last denials, from the lines of a decision log. */
export class RecentDecisions {
  readonly #reader = new RecordReader(KEPT_DEFINITIONS);
  #seen: Seen[] = [];
  /** The elements of `#seen` that have an operation id, by that id. */
  readonly #operations = new Map<string, Seen>();
  readonly reasons: Reason[] = [];
  /** Number of lines that are no record, or one of a later version. */
  unreadable = 0;

  /** A line that was there before: a decision that follows may refer to it. */
  skip(line: string): void {
    takeDefinition(this.#reader, line);
  }

  add(lines: readonly string[], now: number): void {
    for (const line of lines) {
      const { record } = this.#reader.read(line);
      if (record === null) this.unreadable += line === "" ? 0 : 1;
      else if (record.type === "decision") this.#addDecision(record, now);
    }
  }

  /** One row for each container, the busiest first, after a first row for all of them. */
  rows(now: number): Row[] {
    this.#keep(({ at }) => at > now - WINDOW);
    const places = new Map<string, Seen[]>();
    for (const seen of this.#seen) {
      const its = places.get(seen.where);
      if (its === undefined) places.set(seen.where, [seen]);
      else its.push(seen);
    }
    const rows = [...places].map(([where, seen]) => rowOf(where, seen)).sort((a, b) => b.rate - a.rate);
    return [rowOf("all", this.#seen), ...rows];
  }

  #addDecision(decision: ReadRecord, now: number): void {
    const where = containerOf(decision) ?? "(no container)";
    const { hook = "", subject, time = "", verdict = 0, denied_by = null, audit_denials = [] } = decision;
    const seen = this.#seenFor(decision, where, now);
    seen.took += decision.duration_us ?? 0;
    if (OUTCOMES.indexOf(outcomeOf(decision)) > OUTCOMES.indexOf(seen.outcome)) seen.outcome = outcomeOf(decision);
    const add = (reason: string | undefined, outcome: Reason["outcome"]) => {
      if (reason === undefined || seen.reasons.includes(`${outcome} ${reason}`)) return;
      seen.reasons.push(`${outcome} ${reason}`);
      this.reasons.push({ time, where, hook, subject: subject?.name ?? "", reason, outcome });
      if (this.reasons.length > MAX_REASONS) this.reasons.shift();
    };
    add(denied_by?.reason, verdict < 0 ? "denied" : "dry run");
    for (const denial of audit_denials) add(denial?.reason, "audit");
  }

  /** The entry of the decision's operation; creates it if it is new. */
  #seenFor({ operation = null }: ReadRecord, where: string, now: number): Seen {
    const known = operation === null ? undefined : this.#operations.get(operation);
    if (known !== undefined) return known;
    const seen: Seen = { at: now, where, operation, outcome: OUTCOMES[0], took: 0, reasons: [] };
    this.#seen.push(seen);
    if (operation !== null) this.#operations.set(operation, seen);
    if (this.#seen.length > MAX_SEEN) this.#keep((_, index) => index >= MAX_SEEN / 2);
    return seen;
  }

  #keep(isKept: (seen: Seen, index: number) => boolean): void {
    this.#seen = this.#seen.filter((seen, index) => {
      const kept = isKept(seen, index);
      if (!kept && seen.operation !== null) this.#operations.delete(seen.operation);
      return kept;
    });
  }
}

function outcomeOf({ verdict = 0, enforced_verdict = verdict, loader_probe }: ReadRecord): Outcome {
  if (enforced_verdict < 0) return "denied";
  return loader_probe === undefined ? "allowed" : "probe";
}

function rowOf(where: string, seen: readonly Seen[]): Row {
  const count = (wanted: Outcome) => seen.reduce((sum, { outcome }) => sum + (outcome === wanted ? 1 : 0), 0);
  const times = seen.map(({ took }) => took).sort((a, b) => a - b);
  return {
    where,
    rate: seen.length / (WINDOW / 1000),
    allowed: count("allowed"),
    denied: count("denied"),
    probes: count("probe"),
    p50: times[Math.floor(times.length * 0.5)] ?? 0,
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
  };
}
