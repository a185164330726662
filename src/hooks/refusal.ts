import { ERRNO, verdictName } from "../errno.js";
import { oneLine } from "../error.js";
import type { Fault, Outcome } from "../policy/outcome.js";
import type { HookName } from "./catalogue.js";
import type { Refusal } from "./decision.js";

/** Why an attachment refuses, in one line: who, what it said, the evidence, and the signatures' results that led there. */
export function refusedByPolicy(attachment: string, verdict: number, outcome: Outcome): Refusal {
  const refusal = (code: Refusal["code"], why: string): Refusal => {
    return { verdict, by: attachment, code, reason: bounded(`${attachment}: ${why}`) };
  };
  if (outcome.fault !== null) return refusal(outcome.fault.code, faultText(outcome.fault));
  const failed = outcome.answers.filter((answer) => FAILED_SIGNATURE.test(answer));
  const behind = [...(outcome.evidence ?? []), ...failed];
  const because = behind.length > 0 ? ` (${behind.join("; ")})` : "";
  if (outcome.reason !== null) return refusal("REFUSED_BY_POLICY", outcome.reason + because);
  const own = failed.find((answer) => answer.includes(`: ${verdictName(verdict)}`));
  if (own !== undefined) return refusal("SIGNATURE_INVALID", own);
  return refusal("REFUSED_BY_POLICY", `answered ${verdictName(verdict)} without a reason${because}`);
}

/** Nothing that enforces is in scope, and the configuration denies that. */
export function refusedByDefault(hook: HookName): Refusal {
  return {
    verdict: -ERRNO.EPERM,
    by: null,
    code: "REFUSED_BY_DEFAULT",
    reason: `no enforcing attachment is in scope, and the configuration's default for ${hook} is deny`,
  };
}

const FAILED_SIGNATURE = /^verify_signature .*: -/s;

/** Characters of a reason; a policy's own words are bounded by the sandbox already. */
const MAX_REASON = 1000;

function bounded(text: string): string {
  const line = oneLine(text);
  return line.length <= MAX_REASON ? line : `${line.slice(0, MAX_REASON - 1)}…`;
}

/** A fault in words: its kind, its place in the policy, and its message. */
export function faultText({ code, message, place }: Fault): string {
  const where = place === null ? "" : ` at ${place}`;
  return `${code.toLowerCase().replaceAll("_", " ")}${where}: ${message}`;
}
