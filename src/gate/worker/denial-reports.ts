import type { HookName } from "../../hooks/catalogue.js";
import type { Decision } from "../../hooks/decision.js";
import type { ReportedDenial } from "../messages/messages.js";

/** Reports each distinct denial once, for the summary of a run. */
export class DenialReports {
  readonly #reported = new Set<string>();

  constructor(private readonly send: (denial: ReportedDenial) => void) {}

  report({ hook, subject, verdict, denied_by, audit_denials }: Decision): void {
    if (denied_by !== null) this.#denial(hook, subject.name, denied_by.reason, verdict < 0 ? "denied" : "dry run");
    for (const { reason } of audit_denials) this.#denial(hook, subject.name, reason, "audit");
  }

  #denial(hook: HookName, subject: string, reason: string, outcome: ReportedDenial["outcome"]): void {
    const key = `${hook} ${subject} ${reason}`;
    if (this.#reported.has(key) || this.#reported.size >= MAX_DENIALS) return;
    this.#reported.add(key);
    this.send({ is: "denial", hook, subject, reason, outcome });
  }
}

/** Maximum number of distinct denials that are reported. The decision log has all. */
const MAX_DENIALS = 100;
