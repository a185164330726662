/**
 * What a property of `countersign prove property` gets besides facts: the kind of each key, by interface, as
 * fact-kinds.ts has them. `prove/guest/property.ts` and `prove/property/evaluated-property.ts` make these objects.
 */
export const PROPERTY_FACTS = {
  Decision: {
    verdict: "number",
    enforced_verdict: "number",
    mode: "string",
    attachment: "string?",
    reason: "string?",
    fault: "string?",
    answers: "Answer[]",
  },
  Answer: {
    attachment: "string",
    mode: "string",
    verdict: "number",
    reason: "string?",
    fault: "string?",
  },
  PropertyHelpers: {
    keyrings: "string[]",
    verified: "boolean()",
    signer: "Signer()",
    change: "same()",
    decide: "Decision()",
  },
} as const;
