import { EXTENSION } from "../asn1/oid.js";
import { refuse } from "../base/refusal.js";
import type { Certificate } from "../x509/certificate.js";
import { KEY_USAGE } from "../x509/extension.js";
import type { PathRule } from "./path-rule.js";

/** A rule about one certificate alone. `wrong` returns the violation, in words that follow "certificate `NAME` has". */
function about(section: string, name: string, wrong: (certificate: Certificate) => string | null): PathRule {
  return {
    section,
    name,
    check: (certificate) => {
      const found = wrong(certificate);
      return found === null ? null : refuse("EKEYREJECTED", section, `certificate \`${certificate}\` has ${found}`);
    },
  };
}

function critical(section: string, identifier: string, what: string): PathRule {
  return about(section, `critical ${what}`, (certificate) =>
    certificate.critical(identifier) === false ? `${what} in an extension that is not critical` : null,
  );
}

const isAuthority = ({ basicConstraints }: Certificate): boolean => basicConstraints?.authority === true;
const mayCertify = ({ keyUsage }: Certificate): boolean =>
  keyUsage !== null && (keyUsage & KEY_USAGE.keyCertSign) !== 0;

/**
 * Requirements of RFC 5280 on authorities that a verifier may ignore. Profile `strict` applies them to certificates
 * below an anchor; revocation.ts has those on CRLs.
 */
export const STRICT: readonly PathRule[] = [
  about("RFC 5280 4.1.2.2", "positive serial number", ({ serial }) => {
    const octets = serial.contents;
    if ((octets[0] as number) >= 0x80) return "a negative serial number";
    return octets.every((octet) => octet === 0) ? "the serial number zero" : null;
  }),
  about("RFC 5280 4.2.1.1", "authority key identifier", (certificate) => {
    if (certificate.critical(EXTENSION.authorityKeyIdentifier) === true) return "a critical authority key identifier";
    return certificate.authorityKeyIdentifier === null ? "no authority key identifier" : null;
  }),
  about("RFC 5280 4.2.1.2", "subject key identifier", (certificate) => {
    if (certificate.critical(EXTENSION.subjectKeyIdentifier) === true) return "a critical subject key identifier";
    return isAuthority(certificate) && certificate.subjectKeyIdentifier === null ? "no subject key identifier" : null;
  }),
  about("RFC 5280 4.2.1.9", "critical basic constraints", (certificate) =>
    isAuthority(certificate) && certificate.critical(EXTENSION.basicConstraints) === false
      ? "basic constraints of an authority that are not critical"
      : null,
  ),
  critical("RFC 5280 4.2.1.10", EXTENSION.nameConstraints, "name constraints"),
  critical("RFC 5280 4.2.1.11", EXTENSION.policyConstraints, "policy constraints"),
  critical("RFC 5280 4.2.1.14", EXTENSION.inhibitAnyPolicy, "a limit on anyPolicy"),
];

/**
 * RFC 5280 4.2.1.10: a host, below which are all names with more labels on the left. A leading period is for URIs and
 * mailboxes. Profile `strict` rejects it in an anchor too, since software reads it in different ways.
 */
const hostSubtrees: PathRule = {
  section: "RFC 5280 4.2.1.10",
  name: "subtrees of hosts",
  check: (certificate, { rules }) => {
    if (rules.profile !== "strict" || certificate.nameConstraints === null) return null;
    const { permitted, excluded } = certificate.nameConstraints;
    const wrong = [...permitted, ...excluded].find((name) => name.kind === "dns" && name.value.startsWith("."));
    if (wrong === undefined) return null;
    const reason = `certificate \`${certificate}\` has a name constraint of a host with a leading period`;
    return refuse("EKEYREJECTED", hostSubtrees.section, reason);
  },
};

/** Applied to every certificate of a path, including the anchor. */
export const CERTIFICATE: readonly PathRule[] = [
  about("RFC 5280 4.1.2.2", "serial number", ({ serial }) =>
    serial.length > 20 ? `a serial number of ${serial.length} octets, more than 20` : null,
  ),
  about("RFC 5280 4.1.2.4", "issuer", ({ issuer }) => (issuer.empty ? "an empty issuer" : null)),
  about("RFC 5280 4.1.2.6", "subject", (certificate) => {
    if (!certificate.subject.empty) return null;
    if (isAuthority(certificate)) return "an empty subject and is an authority";
    return certificate.critical(EXTENSION.subjectAltName) === true
      ? null
      : "an empty subject and no critical alternative name";
  }),
  about("RFC 5280 4.2.1.9", "authority that certifies", (certificate) =>
    mayCertify(certificate) && !isAuthority(certificate) ? "a key to sign certificates and is not an authority" : null,
  ),
  about("RFC 5280 4.2.1.10", "name constraints of an authority", (certificate) =>
    certificate.nameConstraints !== null && !isAuthority(certificate)
      ? "name constraints and is not an authority"
      : null,
  ),
  hostSubtrees,
];
