import type { PolicyCase } from "../../config/cases.js";
import { verdictName } from "../../errno.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Answer } from "../../hooks/decision.js";
import { faultText } from "../../hooks/denial.js";

/** The result of a case for one subject of it. */
export interface CaseResult {
  readonly attachment: string;
  /** `file:line:column` of the case. */
  readonly place: string;
  /** The test's own name for the case; null if it has none. */
  readonly name: string | null;
  /** The file and the subject in it, or the kind of the described subject and its name. */
  readonly file: string;
  readonly hook: HookName;
  readonly expected: string;
  readonly got: string;
  /** Reasons given to `deny` that did not lead to the answer. */
  readonly unused_reasons: readonly string[];
  /** Answers that the test gives and the policy did not ask for, as the test spells them. */
  readonly unused_answers: readonly string[];
  readonly passed: boolean;
  /** Milliseconds. */
  readonly duration: number;
}

/** Whether an answer is the one that a case expects; null means that the policy was not asked. */
export function isExpected({ expect, reason }: PolicyCase, answer: Answer | null): boolean {
  if (answer === null) return expect === "not asked";
  const text = answer.fault === null ? (answer.denial?.reason ?? "") : faultText(answer.fault);
  return meets(expect, answer) && (reason === undefined || text.includes(reason));
}

/** A fault is not a verdict, even with `on_fault: allow`: it satisfies only a case that expects a fault. */
function meets(expect: string, { fault, verdict }: Answer): boolean {
  if (fault !== null) return expect === "fault" || expect === `fault ${fault.code}`;
  return { allow: verdict === 0, deny: verdict !== 0 }[expect] ?? expect === verdictName(verdict);
}

export function expectedText({ expect, reason }: PolicyCase): string {
  return reason === undefined ? expect : `${expect}: …${reason}…`;
}

export function answerText(answer: Answer | null): string {
  if (answer === null) return "not asked";
  if (answer.fault !== null) return `fault ${answer.fault.code}: ${faultText(answer.fault)}`;
  return answer.denial === null ? "allow" : `${verdictName(answer.verdict)}: ${answer.denial.reason}`;
}
