import { ERRNO, verdictName } from "../errno.js";
import { oneLine } from "../error.js";
import type { Fault, Outcome } from "../policy/model/outcome.js";
import type { HookName } from "./catalogue.js";
import type { Denial } from "./decision.js";

/**
 * An attachment's denial. The reason is one line: name, the policy's reason, the evidence, failed signatures and
 * signers.
 */
export function deniedByPolicy(attachment: string, verdict: number, outcome: Outcome): Denial {
  const denial = (code: Denial["code"], why: string): Denial => {
    return { attachment, verdict, code, reason: bounded(`${attachment}: ${why}`) };
  };
  if (outcome.fault !== null) return denial(outcome.fault.code, faultText(outcome.fault));
  const failed = outcome.answers.filter((answer) => FAILED_SIGNATURE.test(answer));
  const signers = outcome.answers.filter((answer) => SIGNER.test(answer));
  const behind = [...(outcome.evidence ?? []), ...failed, ...signers];
  const because = behind.length > 0 ? ` (${behind.join("; ")})` : "";
  if (outcome.reason !== null) return denial("DENIED_BY_POLICY", outcome.reason + because);
  const own = failed.find((answer) => answer.includes(`: ${verdictName(verdict)}`));
  if (own !== undefined) return denial("SIGNATURE_INVALID", own);
  return denial("DENIED_BY_POLICY", `answered ${verdictName(verdict)} without a reason${because}`);
}

/**
 * The denial by a hook's default, `deny` or `audit`, when no enforcing attachment answered. `asked` says whether any
 * enforcing attachment was in scope; if so, each of them failed and has `on_fault: allow`.
 */
export function deniedByDefault(hook: HookName, rule: "deny" | "audit", asked: boolean): Denial {
  const why = asked
    ? "every enforcing attachment in scope failed and has `on_fault: allow`"
    : "no enforcing attachment is in scope";
  return {
    attachment: null,
    verdict: -ERRNO.EPERM,
    code: "DENIED_BY_DEFAULT",
    reason: `${why}, and the configuration's default for ${hook} is ${rule}`,
  };
}

const FAILED_SIGNATURE = /^verify_(?:signature|program) .*: -/s;
const SIGNER = /^(?:signer_of|statement_of) /;

/** Maximum length of a reason in characters. The sandbox has already limited the part that the policy wrote. */
const MAX_REASON = 1000;

function bounded(text: string): string {
  const line = oneLine(text);
  return line.length <= MAX_REASON ? line : `${line.slice(0, MAX_REASON - 1)}…`;
}

/** One line that says how a policy failed, and where. */
export function faultText({ code, message, place }: Fault): string {
  const where = place === null ? "" : ` at ${place}`;
  return `${code.toLowerCase().replaceAll("_", " ")}${where}: ${message}`;
}
