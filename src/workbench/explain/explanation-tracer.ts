import { posix } from "node:path";
import { CountersignError } from "../../error.js";
import { HOOK_NAMES } from "../../hooks/catalogue.js";
import type { AttachmentOfRecord, DecidedBy, PolicyOfRecord } from "../../log/input-records.js";
import type { Limits } from "../../policy/attachment.js";
import type { Domain } from "../../policy/domain.js";
import { type LinkedPolicy, linkPolicy } from "../../policy/linker/linker.js";
import type { FaultCode } from "../../policy/model/outcome.js";
import { LIMIT_BOUNDS } from "../../sandbox/shared/limits.js";
import { VERSION } from "../../version.js";
import type { RecordedAnswers } from "../replay/recorded-answers.js";
import type { RecordedSubject } from "../replay/recorded-subject.js";
import type { Tracer } from "../replay/tracer.js";
import { DecisionTrace } from "./decision-trace.js";

/** What is traced of one decision. */
export interface TracedDecision {
  readonly decidedBy: Pick<DecidedBy, "keyrings">;
  readonly parameter: string;
  readonly current: object;
  /** The recorded faults by attachment. */
  readonly faults: ReadonlyMap<string, FaultCode>;
}

/** Traces each policy of one decision: what it reads, calls, and where it goes. */
export class ExplanationTracer implements Tracer {
  readonly traces = new Map<string, DecisionTrace>();
  /** Why places are missing, for people. */
  readonly limitations: string[] = [];
  readonly #lines = new Map<string, readonly string[]>();

  constructor(private readonly decision: TracedDecision) {}

  /** The same policy, linked from its recorded files with marks. Without them it runs as it is recorded. */
  traced(policy: LinkedPolicy, { file, files }: PolicyOfRecord): LinkedPolicy {
    if (files === null || files === undefined) return this.#unmarked(policy, "the log does not have its file");
    const read = (name: string): string => {
      const text = Object.hasOwn(files, name) ? files[name] : undefined;
      if (typeof text === "string") return text;
      throw new CountersignError("LOG_DAMAGED", "is not in the log", { place: name });
    };
    const options = { read, hookNames: HOOK_NAMES, root: posix.dirname(file) };
    try {
      if (linkPolicy(file, options).digest !== policy.digest)
        return this.#unmarked(policy, `Countersign ${VERSION} links its file to another text than the recorded one`);
      for (const [name, text] of Object.entries(files)) this.#lines.set(name, text.split(/\r\n?|\n/));
      return linkPolicy(file, { ...options, marksFor: "trace" });
    } catch (error) {
      return this.#unmarked(policy, (error as Error).message);
    }
  }

  /** Twice as much, unless the policy ran out of it: a trace needs some too. */
  limits({ name, limits }: AttachmentOfRecord): Limits {
    const fault = this.decision.faults.get(name);
    const raised = (limit: "steps" | "memory" | "stack", extra: number) =>
      fault === RAN_OUT[limit] ? limits[limit] : Math.min(LIMIT_BOUNDS[limit][1], 2 * limits[limit] + extra);
    return { ...limits, steps: raised("steps", 1_000_000), memory: raised("memory", 0), stack: raised("stack", 0) };
  }

  functions(
    attachment: string,
    { points }: LinkedPolicy,
    answers: RecordedAnswers,
    subject: RecordedSubject,
  ): Parameters<Domain["ask"]>[5] {
    const { decidedBy, parameter, current } = this.decision;
    const keyrings = new Set(Object.keys(decidedBy.keyrings));
    const sourceOf = (file: string, line: number) => this.#lines.get(file)?.[line - 1] ?? "";
    const trace = new DecisionTrace({ answers, subject, parameter, current, points, keyrings, sourceOf });
    this.traces.set(attachment, trace);
    return trace;
  }

  #unmarked(policy: LinkedPolicy, why: string): LinkedPolicy {
    this.limitations.push(`no lines of \`${policy.file}\`: ${why}`);
    return policy;
  }
}

const RAN_OUT: Readonly<Record<"steps" | "memory" | "stack", FaultCode>> = {
  steps: "OUT_OF_STEPS",
  memory: "OUT_OF_MEMORY",
  stack: "OUT_OF_STACK",
};
