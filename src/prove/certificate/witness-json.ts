import type { Exploration } from "../explorer/exploration.js";
import type { Witness } from "../shared/certificate.js";
import type { Input } from "../witness/input.js";
import type { SymbolValues } from "../witness/symbol-values.js";

/** An input in the form of a certificate. */
export function witnessOf(input: Input, { origins }: Exploration, values: SymbolValues): Witness {
  const answers: Record<string, unknown> = {};
  const maps: Record<string, Record<string, unknown>> = {};
  const { statements = [] } = input.subject as { readonly statements?: readonly unknown[] };
  for (const [name, origin] of origins) {
    if (NOT_ANSWERS.has(origin.kind)) continue;
    if (origin.kind !== "lookup") {
      const answer = input.answer(origin, null);
      if (origin.kind !== "statement_of") answers[name] = answer;
      // The helper is not asked if the program is not verified
      else if (statements.includes(answer)) answers[name] = statements.indexOf(answer);
      continue;
    }
    const key = values.textIfThere(origin.key);
    const value = key === null ? undefined : input.answer(origin, key);
    if (key !== null && value !== undefined) maps[origin.map] = { ...maps[origin.map], [key]: value };
  }
  // Evidence is for people only: policies do not see it
  const { evidence: _, ...subject } = input.subject as Readonly<Record<string, unknown>>;
  return { subject: encoded(subject), current: input.current, answers, maps };
}

/** What no helper answers. */
const NOT_ANSWERS: ReadonlySet<string> = new Set(["element", "count", "there", "computed", "folded"]);

/** A value in JSON: bytes are base64. */
function encoded(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(encoded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, encoded(one)]));
}
