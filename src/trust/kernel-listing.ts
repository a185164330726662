import type { Certificate } from "./x509/certificate.js";

/** A certificate in a kernel keyring, as `/proc/keys` and `keyctl show` list it. */
export interface ListedKey {
  /** The subject, as the kernel formats it. */
  readonly description: string;
  /** The subject key identifier in hex; the serial number if the certificate has none. */
  readonly id: string;
}

/**
 * The asymmetric keys of a listing (crypto/asymmetric_keys/x509_public_key.c makes their descriptions). The kernel does
 * not export the certificates, so these must come from elsewhere and be matched by these identifiers.
 */
export function readKernelListing(text: string): readonly ListedKey[] {
  return text.split("\n").flatMap((line) => {
    const [, description = "", id = ""] = LINE.exec(line.slice(0, MAX_LINE)) ?? [];
    return id === "" ? [] : [{ description, id }];
  });
}

/** Whether a listed key can be this certificate. An identifier is a match, not a proof. */
export function isListedKey({ subjectKeyIdentifier, serial }: Certificate, listed: readonly ListedKey[]): boolean {
  const bytes = subjectKeyIdentifier === null ? serial.contents : Buffer.from(subjectKeyIdentifier, "latin1");
  return listed.some(({ id }) => id === bytes.toString("hex"));
}

/**
 * The type's name, which `/proc/keys` truncates to nine characters; the description; and the text that the subtype
 * appends.
 */
const LINE = /\sasymmetri(?:c:)?\s+(.*?): ([0-9a-f]{2,128})(?:: [\w.-]+ .*)?\s*$/;
const MAX_LINE = 4096;
