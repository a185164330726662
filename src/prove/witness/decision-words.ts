import { isHelperVerdict } from "../shared/helper-verdict.js";
import type { ShownDecision } from "./shown-decision.js";

/** A decision in words: `allowed`, `denied -EPERM: limit: too large`. */
export function decisionWords({ enforced_verdict: verdict, attachment, reason }: ShownDecision): string {
  if (verdict === "0") return "allowed";
  const isNamed = attachment === null || reason?.startsWith(`${attachment}: `) === true;
  return `denied ${verdict}${isNamed ? "" : ` by ${attachment}`}${reason === null ? "" : `: ${reason}`}`;
}

/** A value of an example with its name: `current.comm = "tc"`, `verify_program("platform") = -ENODATA`. */
export function valueWords(name: string, value: unknown): string {
  return `${name} = ${isHelperVerdict(name) ? value : JSON.stringify(value)}`;
}
