import { Document } from "yaml";
import { readMapFile } from "../../../config/mapfile.js";
import { CountersignError } from "../../../error.js";
import { proposedSchema } from "../../../policy/maps/proposed-schema.js";
import type { PlacedPolicies } from "../../../prove/configuration/placed-policies.js";

/**
 * What is assumed of each map that a policy looks up and that has no schema, with the line of the configuration that
 * says more: a schema of the entries that its file has. Of maps whose contents are known, which entries these are.
 */
export function assumedMaps({ config, placed, names: { known = {} } }: PlacedPolicies): readonly string[] {
  const named = placed.flatMap(({ policy }) => policy.names);
  const looked = new Set(
    named.flatMap(({ kind, name, helper }) => (kind === "map" && helper === "map_lookup" ? [name] : [])),
  );
  return config.maps.flatMap(({ name, file, schema }) => {
    const contents = Object.hasOwn(known, name) ? known[name]!.contents : undefined;
    if (contents !== undefined)
      return [`\`${name}\` has the entries of ${file}, whose SHA-256 is ${contents.sha256.slice(0, 16)}…`];
    if (!looked.has(name) || schema?.values !== undefined) return [];
    const proposed = file === null ? null : proposedSchema(valuesIn(file));
    const line = flow({ values: proposed ?? { type: "object" } });
    const what = `\`${name}\` has any JSON value under any key`;
    return [`${what}; to say more, write a schema below \`maps.${name}\` in ${config.file}, such as ${line}`];
  });
}

/** The values in a map's file; none if it cannot be read, since an answer does not depend on them. */
function valuesIn(file: string): readonly unknown[] {
  try {
    return Object.values(readMapFile(file));
  } catch (error) {
    if (error instanceof CountersignError) return [];
    throw error;
  }
}

/** A mapping of YAML in one line, without the braces around it. */
function flow(value: object): string {
  const text = new Document(value).toString({ collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true });
  return `\`${text.trim().slice(1, -1).trim()}\``;
}
