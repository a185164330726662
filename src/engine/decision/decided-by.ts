import { hash } from "node:crypto";
import { dirname, resolve } from "node:path";
import type { Config } from "../../config/config.js";
import type { DecidedBy, KeyringOfRecord } from "../../log/input-records.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import type { FileSnapshot } from "../load/file-cache.js";

/**
 * Everything that a configuration decides by, for the log. `policies` are those of the attachments, in their order, and
 * `texts` the files that the engine has read.
 */
export function decidedBy(
  { file: config, mode, default: defaults, attachments, maps }: Config,
  policies: readonly LinkedPolicy[],
  keyrings: Readonly<Record<string, KeyringOfRecord>>,
  texts: FileSnapshot,
): DecidedBy {
  const folder = dirname(resolve(config));
  const sources = policies.map(({ digest, file, source, hooks, blind, files: names }) => {
    const files = Object.fromEntries(names.map((name) => [name, texts.get(resolve(folder, name)) ?? ""]));
    return [digest, { file, source, files, hooks, blind }] as const;
  });
  return {
    mode,
    default: defaults,
    attachments: attachments.map(({ name, hooks, mode, scope, limits, domain, onFault, delegate, freeze }, number) => {
      const { digest, hooks: exported } = policies[number]!;
      const how = { mode, scope, limits, domain, on_fault: onFault, delegate, freeze };
      return { name, policy: digest, hooks: hooks ?? exported, ...how };
    }),
    policies: Object.fromEntries(sources),
    keyrings,
    maps: Object.fromEntries(
      maps.map(({ name, file, writable, schema }) => {
        const text = file === null ? undefined : texts.get(file);
        const sha256 = text === undefined ? null : hash("sha256", text);
        return [name, { sha256, writable, ...(schema === undefined ? {} : { schema }) }];
      }),
    ),
  };
}
