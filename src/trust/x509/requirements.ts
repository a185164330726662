import { CountersignError } from "../../error.js";
import { KEY_PURPOSE, oid } from "../asn1/oid.js";
import type { BlockList } from "../block-list.js";
import type { KeyringRules } from "../keyring-rules.js";
import { readMaterial } from "../source.js";
import type { PathRules } from "./path-rule.js";
import { ANY_POLICIES, type PolicyRules } from "./policy-graph.js";
import { Revocation } from "./revocation.js";

/** What a keyring's rules ask of certificate paths. Throws KEYRING_INVALID, CRL_MALFORMED, CERTIFICATE_MALFORMED. */
export function requirementsOf(rules: KeyringRules, blockList: BlockList): PathRules {
  return {
    validity: rules.validity,
    purposes: purposesOf(rules.usage),
    blocked: (certificate) => blockList.certificate(certificate),
    policies: policiesOf(rules),
    revocation: revocationOf(rules),
  };
}

function purposesOf(usage: readonly string[]): ReadonlySet<string> | null {
  if (usage.length === 0) throw invalid("usage", "`usage` is empty", "name a usage, or `any`");
  if (usage.includes("any")) return null;
  const known = Object.keys(KEY_PURPOSE).join(", ");
  const remedy = `use one of ${known}, any, or an identifier in dots`;
  return new Set(usage.map((name) => purposes.get(name) ?? fromDots(name, "usage", remedy)));
}

const purposes: ReadonlyMap<string, string> = new Map(Object.entries(KEY_PURPOSE));

function policiesOf({ policies = [] }: KeyringRules): PolicyRules {
  if (policies.length === 0) return ANY_POLICIES;
  const acceptable = new Set(policies.map((name) => fromDots(name, "policies", "use an identifier in dots")));
  return { ...ANY_POLICIES, acceptable, requireExplicit: true };
}

function revocationOf({ revoked }: KeyringRules): Revocation | null {
  const { crls, certificates } = readMaterial([...revoked.crls, ...(revoked.newer ?? [])], "crls");
  if (crls.length === 0 && revoked.freshness !== "require") return null;
  const unconfirmed = (revoked.unconfirmed ?? []).flatMap(({ file, confirm }) =>
    readMaterial([file], "crls").crls.map((crl) => [crl, confirm] as const),
  );
  return new Revocation(crls, certificates, revoked.freshness ?? "if-present", new Map(unconfirmed));
}

/** Contents octets of an identifier in dots. Throws KEYRING_INVALID. */
export function fromDots(name: string, place: string, remedy: string): string {
  if (/^(?:[01]\.[0-3]?\d|2\.\d{1,18})(?:\.(?:0|[1-9]\d{0,38}))*$/.test(name)) return oid(name);
  throw invalid(place, `\`${name}\` is not known as one of \`${place}\``, remedy);
}

function invalid(place: string, message: string, remedy: string): CountersignError {
  return new CountersignError("KEYRING_INVALID", message, { place, remedy });
}
