import type { ValueSchema } from "../../policy/maps/value-schema.js";
import type { PolicyForm } from "./learnt-policy.js";

const TEXTS: ValueSchema = { type: "array", items: { type: "string" } };

/** The schema of the values of a learnt map: an entry as learnt-map.ts makes it, or a list of them for effects. */
export function learntSchema({ by, label }: PolicyForm): ValueSchema {
  const asked = [...(by === "effects" ? ["effects"] : []), ...(label === null ? [] : ["where"])];
  const entry: ValueSchema = {
    type: "object",
    properties: {
      ...Object.fromEntries(asked.map((name) => [name, TEXTS])),
      ...{ programs: TEXTS, more: { type: "integer", minimum: 1 }, kernels: TEXTS, object: { type: "string" } },
    },
    required: [...asked, "programs"],
    additionalProperties: false,
  };
  return by === "effects" ? { type: "array", items: entry } : entry;
}
