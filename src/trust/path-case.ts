import { verdictName } from "../errno.js";
import { CountersignError } from "../error.js";
import { KEY_PURPOSE } from "./asn1/oid.js";
import { isPem, readPem } from "./asn1/pem.js";
import { type Refusal, refuse } from "./base/refusal.js";
import { Window } from "./base/window.js";
import { findPath } from "./path/path.js";
import type { PathRules } from "./path/path-rule.js";
import { ANY_POLICIES, type PolicyRules } from "./path/policy-graph.js";
import { type Freshness, Revocation } from "./path/revocation.js";
import { fromDots } from "./source/requirements.js";
import { Certificate } from "./x509/certificate.js";
import { CertificateIndex } from "./x509/certificate-index.js";
import { Crl } from "./x509/crl.js";
import type { Profile } from "./x509/profile.js";

/** Input of one path validation. Each string is one certificate or CRL, in PEM, or in DER as base64. */
export interface PathCase {
  readonly trust: readonly string[];
  readonly untrusted: readonly string[];
  /** If there are any, every certificate on the path needs one, unless `freshness` says otherwise. */
  readonly crls: readonly string[];
  readonly leaf: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Extended key usages by name or in dotted form, of which the leaf needs one; empty or `any` for no check. */
  readonly usage: readonly string[];
  /** Certificate policies, one of which must be valid for the whole path; or the policy inputs of RFC 5280 6.1.1. */
  readonly policies: readonly string[] | Partial<PolicyInputs>;
  readonly freshness: Freshness | null;
  /** `compatible` by default, since test vectors cover RFC 5280 6.1 and 6.3. */
  readonly profile?: Profile;
}

/** RFC 5280 6.1.1 (c), (e), (f), (g). Policies in dotted form. */
export interface PolicyInputs {
  readonly acceptable: readonly string[];
  readonly requireExplicit: boolean;
  readonly inhibitMapping: boolean;
  readonly inhibitAny: boolean;
}

export interface PathVerdict {
  readonly ok: boolean;
  /** The name of the errno; null for a valid path. */
  readonly errno: string | null;
  readonly rule: string | null;
  readonly reason: string | null;
}

/** Validates one path. A malformed certificate gives a verdict; an unknown usage or policy throws KEYRING_INVALID. */
export function judgePath(one: PathCase): PathVerdict {
  const refusal = refusalOf(one);
  if (refusal === null) return { ok: true, errno: null, rule: null, reason: null };
  return { ok: false, errno: verdictName(refusal.verdict).slice(1), rule: refusal.rule, reason: refusal.reason };
}

function refusalOf(one: PathCase): Refusal | null {
  const { usage, freshness, at } = one;
  const purposes = usage.length === 0 || usage.includes("any") ? null : new Set(usage.map(purposeOf));
  const policies = policyRules(one.policies);
  try {
    const certificates = (texts: readonly string[]): Certificate[] =>
      texts.flatMap(decode).map((der) => new Certificate(der));
    const [leaf, ...more] = certificates([one.leaf]);
    if (leaf === undefined) return refuse("EBADMSG", "RFC 5280 4.1", "there is no leaf");
    const crls = one.crls.flatMap(decode).map((der) => new Crl(der));
    const revocation =
      crls.length === 0 && freshness === null
        ? null
        : new Revocation(crls, [], freshness ?? "require", new Map(), one.profile);
    const anchors = new CertificateIndex(certificates(one.trust));
    const others = new CertificateIndex([...certificates(one.untrusted), ...more]);
    const rules: PathRules = {
      profile: one.profile ?? "compatible",
      validity: "now",
      purposes,
      blocked: () => null,
      issuerBlocked: () => null,
      authorities: anchors,
      policies,
      revocation,
    };
    const found = findPath(leaf, anchors, others, rules, new Window(at));
    return "verdict" in found ? found : null;
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return refuse(
      "EBADMSG",
      error.code,
      error.place === undefined ? error.message : `${error.message} at ${error.place}`,
    );
  }
}

function decode(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text);
  return isPem(bytes) ? readPem(bytes).map((block) => block.bytes) : [Buffer.from(text, "base64")];
}

function purposeOf(name: string): string {
  const known = new Map(Object.entries(KEY_PURPOSE)).get(name);
  return (
    known ?? fromDots(name, "usage", `use one of ${Object.keys(KEY_PURPOSE).join(", ")}, any, or a dotted identifier`)
  );
}

function policyRules(policies: PathCase["policies"]): PolicyRules {
  const octets = (names: readonly string[]): ReadonlySet<string> | null =>
    names.length === 0 ? null : new Set(names.map((name) => fromDots(name, "policies", "use a dotted identifier")));
  if (!("length" in policies)) return { ...ANY_POLICIES, ...policies, acceptable: octets(policies.acceptable ?? []) };
  return policies.length === 0
    ? ANY_POLICIES
    : { ...ANY_POLICIES, acceptable: octets(policies), requireExplicit: true };
}
