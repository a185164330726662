import { hash as digest } from "node:crypto";
import { CountersignError } from "../../error.js";
import { oid } from "../asn1/oid.js";

/** A message digest. Only those in the table below can be used. */
export interface Digest {
  /** Its name in node:crypto. */
  readonly node: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * Contents octets of its identifier in CMS and certificates (NIST CSOR, RFC 5754); null if signatures may not use it.
   */
  readonly oid: string | null;
}

/** `sha1` is here for program tags and old file names only; a signature that uses it is rejected. */
export const DIGESTS: Readonly<Record<string, Digest>> = {
  sha256: { node: "sha256", size: 32, oid: oid("2.16.840.1.101.3.4.2.1") },
  sha384: { node: "sha384", size: 48, oid: oid("2.16.840.1.101.3.4.2.2") },
  sha512: { node: "sha512", size: 64, oid: oid("2.16.840.1.101.3.4.2.3") },
  "sha3-256": { node: "sha3-256", size: 32, oid: oid("2.16.840.1.101.3.4.2.8") },
  "sha3-384": { node: "sha3-384", size: 48, oid: oid("2.16.840.1.101.3.4.2.9") },
  "sha3-512": { node: "sha3-512", size: 64, oid: oid("2.16.840.1.101.3.4.2.10") },
  sha1: { node: "sha1", size: 20, oid: null },
};

/** A digest in lower-case hex. `algorithm` is a name of {@link DIGESTS}. Throws USAGE. */
export function hash(algorithm: string, data: Uint8Array): string {
  const known = Object.hasOwn(DIGESTS, algorithm) ? DIGESTS[algorithm] : undefined;
  if (known === undefined)
    throw new CountersignError("USAGE", `\`${algorithm}\` is not a supported digest`, {
      remedy: `use one of ${Object.keys(DIGESTS).join(", ")}`,
    });
  return digest(known.node, data, "hex");
}

/** The name of the digest with an identifier, given by its contents octets; undefined if signatures may not use it. */
export function digestByOid(octets: string): string | undefined {
  return byOid.get(octets);
}

const byOid = new Map<string, string>();
for (const [name, known] of Object.entries(DIGESTS)) if (known.oid !== null) byOid.set(known.oid, name);
