import type { PolicyCase } from "../../config/cases.js";
import { verdictName } from "../../errno.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Answer } from "../../hooks/decision.js";
import { faultText } from "../../hooks/denial.js";
import type { MapWrite } from "../../policy/maps/map.js";

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
export function isExpected({ expect, reason, writes }: PolicyCase, answer: Answer | null): boolean {
  if (answer === null) return expect === "not asked";
  const text = answer.fault === null ? (answer.denial?.reason ?? "") : faultText(answer.fault);
  const areWritten = writes === null || writesText(writes) === writesText(answer.writes);
  return meets(expect, answer) && (reason === undefined || text.includes(reason)) && areWritten;
}

/** The changes of maps that are left after all writes, in the order of maps and keys. */
function writesText(writes: readonly MapWrite[]): string {
  const last = new Map(writes.map(({ map, key, value }) => [`${map} ${JSON.stringify(key)}`, value]));
  const texts = [...last].map(([entry, value]) => (value === null ? `deletes ${entry}` : `writes ${entry}: ${value}`));
  return texts.length === 0 ? "writes nothing" : texts.sort().join(", ");
}

/** A fault is not a verdict, even with `on_fault: allow`: it satisfies only a case that expects a fault. */
function meets(expect: string, { fault, verdict }: Answer): boolean {
  if (fault !== null) return expect === "fault" || expect === `fault ${fault.code}`;
  return { allow: verdict === 0, deny: verdict !== 0 }[expect] ?? expect === verdictName(verdict);
}

export function expectedText({ expect, reason, writes }: PolicyCase): string {
  const text = reason === undefined ? expect : `${expect}: …${reason}…`;
  return writes === null ? text : `${text}, ${writesText(writes)}`;
}

/** An answer in one line; with its changes of maps if the case says which it expects. */
export function answerText(answer: Answer | null, { writes }: PolicyCase): string {
  const text = verdictText(answer);
  return answer === null || writes === null ? text : `${text}, ${writesText(answer.writes)}`;
}

function verdictText(answer: Answer | null): string {
  if (answer === null) return "not asked";
  if (answer.fault !== null) return `fault ${answer.fault.code}: ${faultText(answer.fault)}`;
  return answer.denial === null ? "allow" : `${verdictName(answer.verdict)}: ${answer.denial.reason}`;
}
