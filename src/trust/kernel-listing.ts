import type { Certificate } from "./x509/certificate.js";

/** A certificate in a keyring of the kernel, as `/proc/keys` and `keyctl show` tell of it. */
export interface ListedKey {
  /** The kernel's own words for its subject. */
  readonly description: string;
  /** The subject key identifier, or the serial number where the certificate has none; in hex. */
  readonly id: string;
}

/**
 * The asymmetric keys of a listing (kernel: crypto/asymmetric_keys/x509_public_key.c makes their descriptions). That is all the
 * kernel gives out of them: not the certificates, so that those must come from elsewhere, and be told by these identifiers.
 */
export function readKernelListing(text: string): readonly ListedKey[] {
  return text.split("\n").flatMap((line) => {
    const [, description = "", id = ""] = LINE.exec(line.slice(0, MAX_LINE)) ?? [];
    return id === "" ? [] : [{ description, id }];
  });
}

/** Whether a listed key can be this certificate: an identifier says so, and proves nothing. */
export function isListed({ subjectKeyIdentifier, serial }: Certificate, listed: readonly ListedKey[]): boolean {
  const bytes = subjectKeyIdentifier === null ? serial.contents : Buffer.from(subjectKeyIdentifier, "latin1");
  return listed.some(({ id }) => id === bytes.toString("hex"));
}

/** The type's name, which `/proc/keys` cuts to nine characters; the description; and what the subtype adds to it. */
const LINE = /\sasymmetri(?:c:)?\s+(.*?): ([0-9a-f]{2,128})(?:: [\w.-]+ .*)?\s*$/;
const MAX_LINE = 4096;
