import { EXTENSION } from "../asn1/oid.js";
import { refuse } from "../refusal.js";
import type { Certificate } from "./certificate.js";
import { KEY_USAGE } from "./extension.js";
import type { PathRule } from "./path-rule.js";

/** A rule about one certificate by itself: `wrong` says what breaks it, in words that follow "certificate `NAME` has". */
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

const isAuthority = ({ basicConstraints }: Certificate): boolean => basicConstraints?.authority === true;
const mayCertify = ({ keyUsage }: Certificate): boolean =>
  keyUsage !== null && (keyUsage & KEY_USAGE.keyCertSign) !== 0;

/** What no certificate on a path may be, the anchor's included. */
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
    mayCertify(certificate) && !isAuthority(certificate) ? "a key to sign certificates and is no authority" : null,
  ),
  about("RFC 5280 4.2.1.10", "name constraints of an authority", (certificate) =>
    certificate.nameConstraints !== null && !isAuthority(certificate) ? "name constraints and is no authority" : null,
  ),
];
