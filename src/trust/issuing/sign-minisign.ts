import { createHash, createPrivateKey, type KeyObject } from "node:crypto";
import { CountersignError } from "../../error.js";
import { identifier, integer, octetString, sequence } from "../asn1/der-writer.js";
import type { SourceFile } from "../model/keyring-rules.js";
import { publicPart, type SigningKey, signWith } from "./private-key.js";

/** A minisign key and the eight bytes by which signatures identify it. */
export interface MinisignIdentity<Key extends SigningKey = SigningKey> {
  readonly key: Key;
  readonly id: Buffer;
}

/**
 * A signature in minisign's format: over the BLAKE2b digest of the data, with a second signature over the first and the
 * trusted comment. Throws SIGNING_FAILED.
 */
export function signMinisign(data: Uint8Array, { key, id }: MinisignIdentity, comment: string): Buffer {
  if (/[\r\n]/.test(comment))
    throw new CountersignError("SIGNING_FAILED", "a trusted comment of several lines", { remedy: "write one line" });
  const value = signWith(key, null, createHash("blake2b512").update(data).digest());
  const whole = signWith(key, null, Buffer.concat([value, Buffer.from(comment)]));
  const first = Buffer.concat([Buffer.from("ED"), id, value]).toString("base64");
  return Buffer.from(
    `untrusted comment: signature by countersign\n${first}\ntrusted comment: ${comment}\n${whole.toString("base64")}\n`,
  );
}

/** A public key without its comment line. */
export function minisignLine({ key, id }: MinisignIdentity): string {
  return Buffer.concat([Buffer.from("Ed"), id, publicPart(key).subarray(-32)]).toString("base64");
}

export function isMinisignSecretKey(bytes: Uint8Array): boolean {
  return SECRET.test(Buffer.from(bytes).toString("latin1"));
}

/** A secret key as `minisign -G -W` writes it, without a password. Throws KEY_MALFORMED with the file. */
export function readMinisignSecretKey({ path, bytes }: SourceFile): MinisignIdentity<KeyObject> {
  const raw = Buffer.from(SECRET.exec(Buffer.from(bytes).toString("latin1"))?.[1] ?? "", "base64");
  if (raw.length !== SIZE || raw.toString("latin1", 0, 2) !== "Ed")
    throw new CountersignError("KEY_MALFORMED", "is not a minisign secret key", {
      place: path,
      remedy: "give the unmodified key file that minisign wrote",
    });
  // Layout: algorithms of signature, password and checksum (2 bytes each), salt, two limits, id, seed, public key,
  // checksum
  if (raw.readUInt16LE(2) !== 0)
    throw new CountersignError("KEY_MALFORMED", "is a minisign secret key with a password", {
      place: path,
      remedy: "remove the password from a copy with `minisign -C -W`, or sign with minisign",
    });
  const seed = raw.subarray(62, 94);
  const pkcs8 = sequence(integer(0), sequence(identifier("1.3.101.112")), octetString(octetString(seed)));
  return { id: raw.subarray(54, 62), key: createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }) };
}

const SIZE = 158;
const SECRET = /^untrusted comment:[^\r\n]*\r?\n(RWQ?[A-Za-z0-9+/]{200,}={0,2})\s*$/;
