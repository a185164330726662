import { ERRNO } from "../../errno.js";
import { ANY_EXTENDED_KEY_USAGE, dotted, EXTENSION, KEY_PURPOSE } from "../asn1/oid.js";
import { type Refusal, refuse } from "../base/refusal.js";
import type { Certificate } from "../x509/certificate.js";
import { KEY_USAGE } from "../x509/extension.js";
import type { PathRule } from "./path-rule.js";

/** RFC 5280 6.1.3 (a)(2). notAfter includes its whole second. */
const validity: PathRule = {
  section: "RFC 5280 6.1.3 (a)(2)",
  name: "validity",
  check: (certificate, { rules, window }) => {
    if (rules.validity === "ignore") return null;
    if (window.passed(certificate.notAfter + 1000))
      return refuse(
        "EKEYEXPIRED",
        validity.section,
        `certificate \`${certificate}\` expired at ${iso(certificate.notAfter)}`,
      );
    if (!window.passed(certificate.notBefore))
      return refuse(
        "EKEYREJECTED",
        validity.section,
        `certificate \`${certificate}\` is valid from ${iso(certificate.notBefore)} on`,
      );
    return null;
  },
};

const blocked: PathRule = {
  section: "block list",
  name: "not blocked",
  check: (certificate, { rules }) => rules.blocked(certificate),
};

/** RFC 5280 4.2: an unknown critical extension rejects the certificate (6.1.4 (o), 6.1.5 (f)). */
const critical: PathRule = {
  section: "RFC 5280 4.2",
  name: "critical extensions",
  check: (certificate) => {
    const unknown = certificate.unknownCritical[0];
    if (unknown === undefined) return null;
    return refuse(
      "EKEYREJECTED",
      critical.section,
      `certificate \`${certificate}\` has the unknown critical extension ${dotted(unknown)}`,
    );
  },
};

/** RFC 5280 4.2.1.4: whoever cannot interpret a qualifier in a critical extension must reject the certificate. */
const policyQualifiers: PathRule = {
  section: "RFC 5280 4.2.1.4",
  name: "policy qualifiers",
  check: (certificate) => {
    const { unknownQualifier } = certificate;
    if (unknownQualifier === null || certificate.critical(EXTENSION.certificatePolicies) !== true) return null;
    const found = `the unknown policy qualifier ${dotted(unknownQualifier)} in a critical extension`;
    return refuse("EKEYREJECTED", policyQualifiers.section, `certificate \`${certificate}\` has ${found}`);
  },
};

/** RFC 5280 6.1.3 (a)(4). */
const chaining: PathRule = {
  section: "RFC 5280 6.1.3 (a)(4)",
  name: "name chaining",
  check: (certificate, { issuer }) =>
    certificate.issuer.equals(issuer.subject)
      ? null
      : refuse("EKEYREJECTED", chaining.section, `certificate \`${certificate}\` is not issued by \`${issuer}\``),
};

/** RFC 5280 6.1.3 (a)(1). */
const signature: PathRule = {
  section: "RFC 5280 6.1.3 (a)(1)",
  name: "signature",
  check: (certificate, { issuer }) => certificate.signedBy(issuer.publicKey),
};

/** RFC 5280 6.1.4 (k). */
const authority: PathRule = {
  section: "RFC 5280 6.1.4 (k)",
  name: "basic constraints",
  check: (certificate) =>
    certificate.basicConstraints?.authority === true
      ? null
      : refuse("EKEYREJECTED", authority.section, `certificate \`${certificate}\` is not a certificate authority`),
};

/** RFC 5280 6.1.4 (l) and (m). */
const pathLength: PathRule = {
  section: "RFC 5280 6.1.4 (l)",
  name: "path length",
  check: (certificate, state) => {
    if (certificate !== state.issuer && !certificate.selfIssued) {
      if (state.maxPathLength <= 0)
        return refuse(
          "EKEYREJECTED",
          pathLength.section,
          `certificate \`${certificate}\` exceeds the path length that its authority allows`,
        );
      state.maxPathLength -= 1;
    }
    const limit = certificate.basicConstraints?.pathLength ?? null;
    if (limit !== null && limit < state.maxPathLength) state.maxPathLength = limit;
    return null;
  },
};

/** RFC 5280 6.1.4 (n). */
const certificateSigning: PathRule = {
  section: "RFC 5280 6.1.4 (n)",
  name: "key usage",
  check: (certificate) =>
    certificate.keyUsage === null || (certificate.keyUsage & KEY_USAGE.keyCertSign) !== 0
      ? null
      : refuse(
          "EKEYREJECTED",
          certificateSigning.section,
          `the key of \`${certificate}\` is not for signing certificates`,
        ),
};

/**
 * RFC 5280 4.2.1.12. A certificate below an anchor must have the purpose, since only this extension separates the
 * purposes that an authority issues for. A certificate that is itself an anchor may lack the extension.
 */
const purpose: PathRule = {
  section: "RFC 5280 4.2.1.12",
  name: "extended key usage",
  check: (certificate, { rules, trusted }) => {
    if (rules.purposes === null) return null;
    const stated = certificate.extendedKeyUsage;
    if (stated === null && trusted) return null;
    for (const wanted of rules.purposes) if (stated?.has(wanted) === true) return null;
    return refuse(
      "EKEYREJECTED",
      purpose.section,
      `certificate \`${certificate}\` does not have the extended key usage ${named(rules.purposes)} that is required`,
    );
  },
};

/**
 * RFC 5280 4.2.1.12 does not define purposes of authorities. As in OpenSSL, an authority that has this extension may
 * issue only for those purposes.
 */
const authorityPurpose: PathRule = {
  section: "RFC 5280 4.2.1.12",
  name: "extended key usage of an authority",
  check: (certificate, { rules }) => {
    const stated = certificate.extendedKeyUsage;
    if (rules.purposes === null || stated === null || stated.has(ANY_EXTENDED_KEY_USAGE)) return null;
    for (const wanted of rules.purposes) if (stated.has(wanted)) return null;
    return refuse(
      "EKEYREJECTED",
      purpose.section,
      `authority \`${certificate}\` may not issue for the extended key usage ${named(rules.purposes)} that is required`,
    );
  },
};

const PURPOSE_NAMES = new Map(Object.entries(KEY_PURPOSE).map(([name, octets]) => [octets, name]));

/** The names of key purposes as `usage` of a keyring takes them. */
function named(purposes: ReadonlySet<string>): string {
  return Array.from(purposes, (octets) => PURPOSE_NAMES.get(octets) ?? dotted(octets)).join(" or ");
}

/** RFC 5280 6.1.3 (a)(3). */
const revocation: PathRule = {
  section: "RFC 5280 6.1.3 (a)(3)",
  name: "revocation",
  check: (certificate, { rules, issuer, crlIssuers, window, effort }) =>
    rules.revocation?.check(certificate, issuer, crlIssuers, window, effort) ?? null,
};

/** RFC 5280 6.1.3 (b) and (c): not checked for self-issued intermediate certificates. */
const names: PathRule = {
  section: "RFC 5280 6.1.3 (b)",
  name: "name constraints",
  check: (certificate, state) => (certificate.selfIssued && !state.last ? null : state.names.check(certificate)),
};

/** RFC 5280 6.1.3 (d), (e), (f). */
const policies: PathRule = {
  section: "RFC 5280 6.1.3 (d)",
  name: "certificate policies",
  check: (certificate, state) => state.policies.enter(certificate, state.last),
};

/** RFC 5280 6.1.4 (a), (b), (h), (i), (j). */
const policyMappings: PathRule = {
  section: "RFC 5280 6.1.4 (a)",
  name: "policy mappings and constraints",
  check: (certificate, state) => state.policies.prepare(certificate),
};

/** RFC 5937 3.2: the policies and policy constraints of an anchor are inputs of the path. */
const anchorPolicies: PathRule = {
  section: "RFC 5937 3.2",
  name: "policies of an anchor",
  check: (certificate, state) => {
    state.policies.constrain(certificate);
    return null;
  },
};

/** RFC 5280 6.1.4 (g). */
const nameSubtrees: PathRule = {
  section: "RFC 5280 6.1.4 (g)",
  name: "further name constraints",
  check: (certificate, state) => {
    state.names.add(certificate);
    return null;
  },
};

/**
 * RFC 5280 6.1.5 (a), (b), (g). For an anchor alone, its own certificate must have the policies that the keyring
 * requires.
 */
const policyOutcome: PathRule = {
  section: "RFC 5280 6.1.5 (g)",
  name: "acceptable policies",
  check: (certificate, { rules, length, policies }) => {
    if (length > 0) return policies.conclude(certificate);
    return rules.policies.requireExplicit
      ? (policies.enter(certificate, true) ?? policies.conclude(certificate))
      : null;
  },
};

/**
 * RFC 5280 6.1.3 (a)(3), for an anchor. An anchor may have been revoked by its own issuer, so it is checked against the
 * authorities above it that are in any file of the keyring, and against their CRLs.
 */
const issuerOfAnchor: PathRule = {
  section: "RFC 5280 6.1.3 (a)(3)",
  name: "revocation of an anchor",
  check: (certificate, { rules, crlIssuersBelow, window, effort }) => {
    const ask = (one: Certificate, below: readonly Certificate[]): Refusal | null => {
      const file = rules.authorities.find(one) ?? one;
      const authorities = rules.authorities
        .issuersOf(file)
        .filter((authority) => !below.some((known) => known.sameHolder(authority)));
      const blocked = rules.issuerBlocked(file) ?? firstRefusal(authorities, rules.blocked);
      const refusal =
        blocked ?? rules.revocation?.checkAnchor(one, authorities, crlIssuersBelow, window, effort) ?? null;
      // An authority that is not trusted itself need not have a CRL: only its revocation counts
      const known = refusal === null || below.length === 0 || refusal.verdict === -ERRNO.EKEYREVOKED ? refusal : null;
      if (known !== null || below.length >= MAX_AUTHORITIES) return known;
      return firstRefusal(authorities, (authority) => ask(authority, [one, ...below]));
    };
    return ask(certificate, []);
  },
};

/** The most authorities to check above an anchor, each the issuer of the one before. */
const MAX_AUTHORITIES = 8;

function firstRefusal(
  certificates: readonly Certificate[],
  check: (certificate: Certificate) => Refusal | null,
): Refusal | null {
  for (const certificate of certificates) {
    const refusal = check(certificate);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** For the anchor, whose signature is not checked. */
export const ANCHOR: readonly PathRule[] = [blocked, validity, critical, policyQualifiers, issuerOfAnchor];
/** For each certificate below the anchor: RFC 5280 6.1.3. */
export const BELOW: readonly PathRule[] = [
  chaining,
  signature,
  validity,
  blocked,
  critical,
  policyQualifiers,
  revocation,
  names,
  policies,
];
/** For each certificate that issues the next, in the order of RFC 5280 6.1.4. */
const ISSUING: readonly PathRule[] = [authority, pathLength, certificateSigning, authorityPurpose, nameSubtrees];
/** For an anchor that issues: its constraints apply to the path (RFC 5937 3.2). */
export const ANCHOR_ISSUER: readonly PathRule[] = [anchorPolicies, ...ISSUING];
/** For each other certificate that issues the next: RFC 5280 6.1.4. */
export const ISSUER: readonly PathRule[] = [policyMappings, ...ISSUING];
/** For the target certificate: RFC 5280 6.1.5. */
export const END: readonly PathRule[] = [purpose, policyOutcome];

function iso(moment: number): string {
  return new Date(moment).toISOString().replace(".000Z", "Z");
}
