import type { ReadLine, RecordReader } from "../../log/record-reader.js";
import { Replay } from "../replay/replay.js";
import type { ReplayedConfiguration } from "../replay/replayed-configuration.js";
import { order } from "./order.js";

/** Loads that the learnt policy denies in the same way, or cannot decide. */
export interface CheckedGroup {
  readonly result: "denied" | "unknown";
  readonly subject: string;
  /** The reason of the denial, or the input that is missing. */
  readonly because: string;
  readonly count: number;
  /** Ids of the first of these decisions, at most three. */
  readonly ids: readonly string[];
}

interface Counted {
  readonly result: CheckedGroup["result"];
  readonly subject: string;
  readonly because: string;
  count: number;
  readonly ids: string[];
}

/** Number of ids that a group has. */
const MAX_IDS = 3;

/** Decides the loads of another log by a learnt configuration. */
export class LearntCheck {
  readonly #replay: Replay;
  readonly #groups = new Map<string, Counted>();
  readonly counts = { allowed: 0, denied: 0, unknown: 0 };

  constructor(reader: RecordReader, learnt: ReplayedConfiguration) {
    this.#replay = new Replay(reader, learnt);
  }

  /** Takes a line that the reader has read. Loads that were denied when they were recorded, and probes, are ignored. */
  add(line: ReadLine): void {
    const decision = line.inputs ?? line.record;
    if (decision?.type !== "decision" || decision.hook !== "bpf_prog_load") return;
    const { verdict, loader_probe, subject, id } = decision;
    if ((typeof verdict === "number" && verdict < 0) || loader_probe !== undefined) return;
    const { result, again, because } = this.#replay.decide(line);
    if (again?.enforced_verdict === 0) {
      this.counts.allowed += 1;
      return;
    }
    const missing = result === "unasked" ? "facts: the gate itself decided" : because;
    const [what, why] =
      again === null ? (["unknown", missing] as const) : (["denied", again.denied_by!.reason] as const);
    this.counts[what] += 1;
    this.#count(what, String(subject?.name ?? ""), why, id);
  }

  /** The most frequent first. */
  groups(): readonly CheckedGroup[] {
    return [...this.#groups.values()].sort(
      (a, b) => b.count - a.count || order(a.subject, b.subject) || order(a.because, b.because),
    );
  }

  close(): void {
    this.#replay.close();
  }

  #count(result: CheckedGroup["result"], subject: string, because: string, id: unknown): void {
    const key = JSON.stringify([result, subject, because]);
    const group = this.#groups.get(key) ?? { result, subject, because, count: 0, ids: [] };
    this.#groups.set(key, group);
    group.count += 1;
    if (typeof id === "string" && group.ids.length < MAX_IDS) group.ids.push(id);
  }
}
