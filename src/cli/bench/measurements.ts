import type { Engine } from "../../engine/decision/engine.js";
import type { Question } from "../../engine/files/load-questions.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Decision } from "../../hooks/decision.js";
import type { Current } from "../../policy/model/current.js";
import { Samples } from "./samples.js";

/** What was measured of one attachment at one hook, or of whole decisions at a hook. Times are in microseconds. */
export interface Measured {
  /** Null for whole decisions. */
  readonly attachment: string | null;
  readonly hook: HookName;
  readonly decisions: number;
  readonly p50_us: number;
  readonly p99_us: number;
  /** Median of the first decision about each subject, for which the sandbox builds the subject. */
  readonly first_us: number;
  /** The most steps of one answer; null for whole decisions. */
  readonly steps: number | null;
  /** How many answers were faults. */
  readonly faults: number;
}

/** The values of one row. */
class Row {
  readonly times = new Samples();
  readonly first = new Samples();
  steps = 0;
  faults = 0;

  add(took: number, isFirst: boolean): void {
    (isFirst ? this.first : this.times).add(took);
  }
}

/** Asks an engine the same questions again and again, and keeps what each attachment took. */
export class Measurements {
  /** By hook, and within it by attachment; null stands for whole decisions. */
  readonly #rows = new Map<HookName, Map<string | null, Row>>();

  /**
   * Asks every question once for each round, in turn. The task has another pid each time, as the tasks at a gate have.
   * Before that, a copy of each subject is decided about, which makes the runtimes. `step` is called before each round.
   */
  run(
    engine: Engine,
    questions: readonly Question[],
    current: Current,
    rounds: number,
    step: (round: number) => void,
  ): void {
    for (const { hook, subject } of questions) engine.decide({ hook, subject: { ...subject } as never, current });
    for (let round = 0; round <= rounds; round++) {
      step(round);
      const pid = current.pid + round;
      for (const { hook, subject } of questions) {
        const decision = engine.decide({ hook, subject: subject as never, current: { ...current, pid, tid: pid } });
        this.#add(decision, round === 0);
      }
    }
  }

  #add({ hook, answers, duration_us }: Decision, isFirst: boolean): void {
    this.#row(hook, null).add(duration_us, isFirst);
    for (const answer of answers) {
      const row = this.#row(hook, answer.attachment);
      row.add(answer.duration_us, isFirst);
      row.steps = Math.max(row.steps, answer.steps);
      if (answer.fault !== null) row.faults += 1;
    }
  }

  #row(hook: HookName, attachment: string | null): Row {
    const rows = this.#rows.get(hook) ?? new Map<string | null, Row>();
    this.#rows.set(hook, rows);
    const row = rows.get(attachment) ?? new Row();
    rows.set(attachment, row);
    return row;
  }

  /** The rows of each hook: whole decisions first, then the attachments in their order. */
  get rows(): readonly Measured[] {
    return [...this.#rows].flatMap(([hook, rows]) =>
      Array.from(rows, ([attachment, { times, first, steps, faults }]) => ({
        attachment,
        hook,
        decisions: times.count,
        p50_us: times.quantile(0.5),
        p99_us: times.quantile(0.99),
        first_us: first.quantile(0.5),
        steps: attachment === null ? null : steps,
        faults,
      })),
    );
  }
}
