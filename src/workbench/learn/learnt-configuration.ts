import { relative, resolve } from "node:path";
import type { Config } from "../../config/config.js";
import { KEYRING, keyringConfig } from "../../config/keyring.js";
import { CountersignError } from "../../error.js";
import { json, LEARNT_MAP } from "./learnt-map.js";
import { MADE_BY, optionsOf, type PolicyForm } from "./learnt-policy.js";
import { learntSchema } from "./learnt-schema.js";

type Keyring = Config["keyrings"][number];

/** The files that `learn` writes, by their names in its folder. */
export const LEARNT_FILES = {
  configuration: "countersign.yaml",
  policy: "policies/learnt.js",
  tests: "policies/learnt.test.yaml",
  map: "maps/learnt-programs.json",
} as const;

/**
 * The configuration that enforces a learnt policy. Keyrings and folders of statements are those of `from`, with paths
 * relative to `folder`. Throws CONFIG_INVALID if `from` does not have a keyring that the policy asks.
 */
export function learntConfiguration(form: PolicyForm, from: Config | null, folder: string): string {
  const path = (absolute: string) => relative(resolve(folder), absolute) || ".";
  const keyrings = form.keyrings.map((name) => keyringText(keyringOf(from, name), path));
  const signatures = form.keyrings.length === 0 ? [] : (from?.signatures ?? []).map(path);
  const lines = [
    `# ${MADE_BY} ${optionsOf(form)}\`.`,
    "version: 1",
    "default: { bpf_prog_load: deny }",
    ...(keyrings.length === 0 ? [] : ["keyrings:", ...keyrings]),
    ...(signatures.length === 0 ? [] : [`signatures: ${json(signatures)}`]),
    "maps:",
    `  ${LEARNT_MAP}:`,
    `    file: ${LEARNT_FILES.map}`,
    `    values: ${json(learntSchema(form))}`,
    "attachments:",
    `  - policy: ${LEARNT_FILES.policy}`,
  ];
  return `${lines.join("\n")}\n`;
}

function keyringOf(from: Config | null, name: string): Keyring {
  const keyring = from?.keyrings.find((one) => one.name === name);
  if (keyring !== undefined) return keyring;
  throw new CountersignError("CONFIG_INVALID", `has no keyring \`${name}\`, which verified statements in the log`, {
    place: from?.file,
    remedy: "name the configuration that the log was written with: --config FILE",
  });
}

/** What a keyring has if its configuration does not say. */
const DEFAULTS = keyringConfig("default", "", KEYRING.parse({ trust: ["default"] }), (path) => path);

/** A keyring as src/config/keyring.ts reads it, without what is default. */
function keyringText(keyring: Keyring, path: (absolute: string) => string): string {
  const { name, place: _, trust, revoked, timestamps, sigstore, ...plain } = keyring;
  const rules = {
    trust: trust.map(path),
    revoked: {
      ...revoked,
      crls: revoked.crls.map(path),
      certificates: revoked.certificates.map(path),
      serials: revoked.serials.map(({ issuer, serials }) => ({ issuer: path(issuer), serials })),
    },
    timestamps: timestamps === null ? null : { ...timestamps, trust: timestamps.trust.map(path) },
    sigstore: sigstore === null ? null : { ...sigstore, root: path(sigstore.root) },
    ...plain,
  };
  const given = Object.entries(rules).filter(([key, value]) => json(value) !== json(DEFAULTS[key as keyof Keyring]));
  return `  ${json(name)}: ${json(Object.fromEntries(given))}`;
}
