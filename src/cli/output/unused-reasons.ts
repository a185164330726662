import { oneLine } from "../../error.js";
import type { Answer } from "../../hooks/decision.js";

/**
 * Text to append to an attachment's answer: the reasons given to `deny` that did not lead to it; empty if there are
 * none.
 */
export function unusedReasons({ attachment, unused_reasons }: Pick<Answer, "attachment" | "unused_reasons">): string {
  if (unused_reasons.length === 0) return "";
  const noun = unused_reasons.length === 1 ? "reason" : "reasons";
  return oneLine(` (unused ${noun} of ${attachment}: ${unused_reasons.join("; ")})`);
}
