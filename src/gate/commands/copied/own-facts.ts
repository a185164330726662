import type { FactFields } from "../../../fact-type.js";

/**
 * Sets to null each fact that a command or an attach target has not, by the `of` of its row. A task can name a map
 * where the kernel takes a program alone, and the kernel then fails: a policy does not see the map either.
 */
export function withOwnFacts<F extends object>(fields: FactFields, owner: string, facts: F): F {
  for (const [name, owners] of ownersOf(fields))
    if (!owners.has(owner)) (facts as Record<string, unknown>)[name] = null;
  return facts;
}

type Owners = readonly (readonly [name: string, owners: ReadonlySet<string>])[];
const known = new Map<FactFields, Owners>();

/** Who has each fact of a table that not all have. */
function ownersOf(fields: FactFields): Owners {
  let owners = known.get(fields);
  if (owners === undefined) {
    owners = Object.entries(fields).flatMap(([name, { of }]) =>
      of === undefined ? [] : [[name, new Set(of)] as const],
    );
    known.set(fields, owners);
  }
  return owners;
}
