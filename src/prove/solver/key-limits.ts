import type { Origin } from "../shared/atom.js";
import { type KnownMaps, knownMap } from "../shared/known-maps.js";
import type { Condition } from "./condition.js";
import type { Membership } from "./texts.js";

/** What must hold for texts that are keys of entries: a map has only the keys that its schema allows. */
export interface KeyLimits {
  readonly memberships: readonly Membership[];
  readonly conditions: readonly Condition[];
}

/** The limits of the keys under which `flags` say that a map has an entry. A key of several parts has none. */
export function keyLimits(
  flags: ReadonlyMap<string, boolean>,
  { origins, known = {} }: { readonly origins: ReadonlyMap<string, Origin>; readonly known?: KnownMaps },
): KeyLimits {
  const memberships: Membership[] = [];
  const conditions: Condition[] = [];
  for (const [name, origin] of origins) {
    if (origin.kind !== "lookup" || flags.get(`${name}!`) !== true) continue;
    const { keys } = knownMap(known, origin.map);
    const [part, ...others] = origin.key;
    if (keys === undefined || typeof part !== "object" || !("text" in part) || others.length > 0) continue;
    const of = part.text;
    if ("enum" in keys) memberships.push({ of, among: true, texts: keys.enum });
    else conditions.push({ atom: { kind: "regex", of, text: `^[0-9a-f]{${2 * keys.hex}}$`, flags: "" }, is: true });
  }
  return { memberships, conditions };
}
