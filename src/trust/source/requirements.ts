import { CountersignError } from "../../error.js";
import { KEY_PURPOSE, oid } from "../asn1/oid.js";
import type { KeyringRules } from "../model/keyring-rules.js";
import { BlockList } from "../path/block-list.js";
import type { PathRules } from "../path/path-rule.js";
import { ANY_POLICIES, type PolicyRules } from "../path/policy-graph.js";
import { Revocation } from "../path/revocation.js";
import type { Certificate } from "../x509/certificate.js";
import { CertificateIndex } from "../x509/certificate-index.js";
import type { Crl } from "../x509/crl.js";
import { type Material, readMaterial } from "./source.js";

/** Certificates, CRLs and the block list from all files of a keyring. */
export interface KnownCertificates {
  readonly blockList: BlockList;
  readonly lists: Material;
  readonly unconfirmed: ReadonlyMap<Crl, () => void>;
  /** Certificates of `timestamps.trust`. */
  readonly stamps: readonly Certificate[];
  /** Certificates of all files. */
  readonly all: CertificateIndex;
}

/** `trust` are the certificates in the keyring's `trust`. Throws CRL_MALFORMED, CERTIFICATE_MALFORMED. */
export function knownCertificates(rules: KeyringRules, trust: readonly Certificate[]): KnownCertificates {
  const { revoked, timestamps } = rules;
  const lists = readMaterial([...revoked.crls, ...(revoked.newer ?? [])], "crls");
  const unconfirmed = (revoked.unconfirmed ?? []).flatMap(({ file, confirm }) =>
    readMaterial([file], "crls").crls.map((crl) => [crl, confirm] as const),
  );
  const stamps = readMaterial(timestamps?.trust ?? [], "anchors").certificates;
  const all = [...trust, ...stamps, ...lists.certificates];
  return {
    blockList: blockListOf(revoked),
    lists,
    unconfirmed: new Map(unconfirmed),
    stamps,
    all: new CertificateIndex(all),
  };
}

function blockListOf({ digests, serials = [], certificates }: KeyringRules["revoked"]): BlockList {
  const listed = readMaterial(certificates);
  return new BlockList({
    ...listed,
    digests,
    serials: serials.map(({ issuer, serials: numbers }) => ({
      issuers: readMaterial([issuer]).certificates,
      numbers,
    })),
    formatKeys: listed.formatKeys.map(({ key }) => key.key),
  });
}

/**
 * The path rules that a keyring sets for paths to `anchors`. `place` is the configuration key of the anchors, for
 * messages. Throws KEYRING_INVALID, CRL_MALFORMED, CERTIFICATE_MALFORMED.
 */
export function requirementsOf(
  rules: KeyringRules,
  { blockList, lists, unconfirmed, all }: KnownCertificates,
  anchors: readonly Certificate[],
  place: string,
): PathRules {
  const { freshness = "if-present" } = rules.revoked;
  const { profile = "strict" } = rules;
  if (freshness === "require") checkConfirmable(anchors, all, place);
  const isUsed = lists.crls.length > 0 || freshness === "require";
  return {
    profile,
    validity: rules.validity,
    purposes: purposesOf(rules.usage),
    blocked: (certificate) => blockList.certificate(certificate),
    issuerBlocked: (certificate) => blockList.issuerOf(certificate),
    authorities: all,
    policies: policiesOf(rules),
    revocation: isUsed ? new Revocation(lists.crls, lists.certificates, freshness, unconfirmed, profile) : null,
  };
}

/**
 * If every certificate needs a CRL, an anchor that is no authority needs one that can issue its CRL. Throws
 * KEYRING_INVALID.
 */
function checkConfirmable(anchors: readonly Certificate[], authorities: CertificateIndex, place: string): void {
  const alone = anchors.find(
    (anchor) => anchor.basicConstraints?.authority !== true && authorities.issuersOf(anchor).length === 0,
  );
  if (alone === undefined) return;
  const gap = "no file of the keyring has its issuer: no revocation list can cover it";
  const message = `\`${alone}\` is not an authority, and ${gap}`;
  const remedy =
    "add its authority's certificate to `trust`, or to `revoked.crls` with the authority's list; or use " +
    "`freshness: if-present`";
  throw invalid(place, message, remedy);
}

function purposesOf(usage: readonly string[]): ReadonlySet<string> | null {
  if (usage.length === 0) throw invalid("usage", "`usage` is empty", "name a usage, or `any`");
  if (usage.includes("any")) return null;
  const known = Object.keys(KEY_PURPOSE).join(", ");
  const remedy = `use one of ${known}, any, or a dotted identifier`;
  return new Set(usage.map((name) => purposes.get(name) ?? fromDots(name, "usage", remedy)));
}

const purposes: ReadonlyMap<string, string> = new Map(Object.entries(KEY_PURPOSE));

function policiesOf({ policies = [] }: KeyringRules): PolicyRules {
  if (policies.length === 0) return ANY_POLICIES;
  const acceptable = new Set(policies.map((name) => fromDots(name, "policies", "use a dotted identifier")));
  return { ...ANY_POLICIES, acceptable, requireExplicit: true };
}

/** Contents octets of a dotted identifier. Throws KEYRING_INVALID. */
export function fromDots(name: string, place: string, remedy: string): string {
  if (/^(?:[01]\.[0-3]?\d|2\.\d{1,18})(?:\.(?:0|[1-9]\d{0,38}))*$/.test(name)) return oid(name);
  throw invalid(place, `\`${name}\` is not a valid value of \`${place}\``, remedy);
}

function invalid(place: string, message: string, remedy: string): CountersignError {
  return new CountersignError("KEYRING_INVALID", message, { place, remedy });
}
