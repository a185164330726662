import { isFactOf, type OwnedFields } from "../../../fact-type.js";

/**
 * Sets to null each fact that a command or an attach target has not, by the `of` of its row. A task can name a map
 * where the kernel takes a program alone, and the kernel then fails: a policy does not see the map either.
 */
export function withOwnFacts<F extends object>(fields: OwnedFields, owner: string, facts: F): F {
  for (const [name, field] of Object.entries(fields))
    if (!isFactOf(field, owner)) (facts as Record<string, unknown>)[name] = null;
  return facts;
}
