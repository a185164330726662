import { unknownName } from "./unknown-name.js";

/** All properties, or the only one that `--property` names. Throws USAGE if there is none of this name. */
export function chosenProperties<Property extends { readonly name: string }>(
  all: readonly Property[],
  name: string | undefined,
): readonly Property[] {
  const chosen = all.filter((one) => one.name === (name ?? one.name));
  if (chosen.length > 0) return chosen;
  throw unknownName(
    "property",
    name!,
    all.map((one) => one.name),
  );
}
