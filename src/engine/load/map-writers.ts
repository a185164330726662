import type { AttachmentConfig } from "../../config/attachments.js";
import type { MapConfig } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import type { ConfiguredName } from "../../policy/linker/names.js";
import { type MapWriters, NO_WRITERS, type PolicyMap } from "../../policy/maps/map.js";
import { shareOf } from "../../policy/maps/map-size.js";
import type { Warning } from "../../warning.js";

/** An attachment with the keyrings and maps that its policy names. */
export interface NamingAttachment extends Pick<AttachmentConfig, "name" | "domain"> {
  readonly names: readonly ConfiguredName[];
}

/**
 * The writers of a map: the attachments and domains in its `writers`. An attachment that is listed itself is a writer
 * of its own; otherwise it writes as its domain. A map without `writers` belongs to the only domain whose policies name
 * it. Throws CONFIG_INVALID if policies of several domains name it, or if the map is too small for its writers.
 */
export function mapWriters(map: MapConfig, attachments: readonly NamingAttachment[]): MapWriters {
  if (map.writable === null) return NO_WRITERS;
  const writers = map.writers ?? ownersOf(map, attachments);
  const count = Math.max(1, writers.length);
  if (Object.values(shareOf(map.writable, count)).includes(0))
    throw invalid(map, `is too small to be divided among ${count} writers`, "raise its `entries` and `bytes`");
  const as = new Map<string, string>();
  for (const { name, domain } of attachments) {
    const writer = writers.includes(name) ? name : domain;
    if (writers.includes(writer)) as.set(name, writer);
  }
  return { as, count };
}

function ownersOf(map: MapConfig, attachments: readonly NamingAttachment[]): readonly string[] {
  const named = (names: readonly ConfiguredName[]) =>
    names.some(({ kind, name }) => kind === "map" && name === map.name);
  const domains = [...new Set(attachments.filter(({ names }) => named(names)).map(({ domain }) => domain))];
  if (domains.length > 1) {
    const listed = domains.map((domain) => `\`${domain}\``).join(", ");
    const message = `is named by policies of the domains ${listed}, but has no \`writers\``;
    throw invalid(map, message, "list the attachments or domains that may write to it in `writers`");
  }
  if (domains.length === 1) return domains;
  // A policy may compute a map's name at run time, which is not visible here. With a single domain, it cannot be
  // another domain's
  const all = [...new Set(attachments.map(({ domain }) => domain))];
  return all.length === 1 ? all : [];
}

/**
 * Warns of each write, with a literal map name, by an attachment that may not write to that map: the call has no
 * effect.
 */
export function writeWarnings(
  maps: ReadonlyMap<string, PolicyMap>,
  attachments: readonly NamingAttachment[],
): readonly Warning[] {
  return attachments.flatMap(({ name: attachment, names }) =>
    names.flatMap(({ kind, name, helper, place }) => {
      const map = kind === "map" && helper !== "map_lookup" ? maps.get(name) : undefined;
      if (map === undefined || map.writerOf(attachment) !== null) return [];
      const why =
        map.limits === null ? "is not writable" : `does not have \`${attachment}\` or its domain in \`writers\``;
      return [
        {
          code: "MAP_WRITE_DENIED" as const,
          message: `\`${attachment}\` calls ${helper} on the map \`${name}\`, which ${why}: the call returns -EPERM`,
          place,
          remedy: "add the attachment or its domain to the map's `writers`, or remove the call",
        },
      ];
    }),
  );
}

function invalid({ name, place }: MapConfig, message: string, remedy: string): CountersignError {
  return new CountersignError("CONFIG_INVALID", `the map \`${name}\` ${message}`, { place, remedy });
}
