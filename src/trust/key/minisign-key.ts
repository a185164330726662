import { CountersignError } from "../../error.js";
import { element, identifier, sequence } from "../asn1/der-writer.js";
import { TAG } from "../asn1/tag.js";
import { type PublicKey, readPublicKey } from "./key.js";

/** A minisign public key: Ed25519, and the eight bytes by which signatures identify it. */
export interface MinisignKey {
  /** Those bytes as minisign displays them: as a little-endian number, in hex. */
  readonly name: string;
  readonly key: PublicKey;
}

/** Whether a text is a minisign public key file, or its base64 line alone. */
export function isMinisignKey(text: string): boolean {
  return PUBLIC_KEY.test(text);
}

/** Throws KEY_MALFORMED. */
export function readMinisignKey(text: string): MinisignKey {
  const bytes = Buffer.from(PUBLIC_KEY.exec(text)?.[1] ?? "", "base64");
  if (bytes.length !== 42 || bytes.toString("latin1", 0, 2) !== "Ed")
    throw new CountersignError("KEY_MALFORMED", "is not a minisign public key", {
      remedy: "give the unmodified .pub file",
    });
  const bits = element(TAG.bitString, Buffer.of(0), bytes.subarray(10));
  return { name: minisignId(bytes), key: readPublicKey(sequence(sequence(identifier("1.3.101.112")), bits)) };
}

/** The id in the bytes of a key or a signature; it follows the two bytes of the algorithm. */
export function minisignId(bytes: Buffer): string {
  return bytes.readBigUInt64LE(2).toString(16).toUpperCase().padStart(16, "0");
}

const PUBLIC_KEY = /^(?:untrusted comment:[^\r\n]*\r?\n)?(RW[A-Za-z0-9+/]{54})\s*$/;
