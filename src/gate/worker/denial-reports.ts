import type { Decision } from "../../hooks/decision.js";
import type { ReportedDenial } from "../messages/messages.js";

/** Reports each distinct denial once, for the summary of a run. */
export class DenialReports {
  readonly #reported = new Set<string>();

  constructor(private readonly send: (denial: ReportedDenial) => void) {}

  report({ id, hook, subject, verdict, denied_by, audit_denials }: Decision): void {
    const denial = { id, hook, subject: subject.name };
    if (denied_by !== null)
      this.#denial({ ...denial, reason: denied_by.reason, outcome: verdict < 0 ? "denied" : "dry run" });
    for (const { reason } of audit_denials) this.#denial({ ...denial, reason, outcome: "audit" });
  }

  #denial(denial: Omit<ReportedDenial, "is">): void {
    const { hook, subject, reason } = denial;
    const key = `${hook} ${subject} ${reason}`;
    if (this.#reported.has(key) || this.#reported.size >= MAX_DENIALS) return;
    this.#reported.add(key);
    this.send({ is: "denial", ...denial });
  }
}

/** Maximum number of distinct denials that are reported. The decision log has all. */
const MAX_DENIALS = 100;
