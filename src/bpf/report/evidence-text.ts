import type { Evidence } from "../model/facts.js";

/** Why a program has an effect, on one line: the reason, and the instruction with its line in the source. */
export function describeEvidence({ insn, text, source, because }: Evidence): string {
  if (insn === null) return because;
  return `${because}; at ${insn}: ${text ?? "?"}${source === null ? "" : ` (${source})`}`;
}
