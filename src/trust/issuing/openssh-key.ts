import { createPrivateKey, type KeyObject } from "node:crypto";
import { CountersignError } from "../../error.js";
import { SshReader } from "../ssh/ssh-wire.js";

/** The label of the PEM block in which ssh-keygen writes private keys. */
export const OPENSSH_LABEL = "OPENSSH PRIVATE KEY";

/** A private key in OpenSSH's own format (PROTOCOL.key), without a passphrase. Throws KEY_MALFORMED. */
export function readOpenSshKey(bytes: Uint8Array): KeyObject {
  try {
    const outer = new SshReader(bytes, "KEY_MALFORMED");
    if (outer.take(MAGIC.length, "a magic number").toString("latin1") !== MAGIC)
      throw malformed("does not begin with the magic number of an OpenSSH key");
    const cipher = outer.name("a cipher");
    outer.string("a key derivation");
    outer.string("its options");
    if (cipher !== "none")
      throw malformed("is encrypted", "sign with `ssh-keygen -Y sign`, or remove the passphrase of a copy");
    if (outer.uint32("a number of keys") !== 1) throw malformed("holds several keys", "give a file with one key");
    outer.string("a public key");
    const inner = new SshReader(outer.string("a private key"), "KEY_MALFORMED");
    outer.finish("a private key");
    const checks = [inner.uint32("a check"), inner.uint32("a check")];
    if (checks[0] !== checks[1]) throw malformed("the two check numbers of the private key differ, so it is damaged");
    const type = inner.name("a key's type");
    const read = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
    if (read === undefined) throw malformed(`is of type \`${type}\``, "use a key of type ed25519, rsa or ecdsa");
    return createPrivateKey({ key: read(inner), format: "jwk" });
  } catch (cause) {
    if (cause instanceof CountersignError && cause.code === "KEY_MALFORMED") throw cause;
    throw malformed(`cannot be read: ${(cause as Error).message}`, UNMODIFIED, cause);
  }
}

const MAGIC = "openssh-key-v1\0";

type Jwk = Record<string, string>;

function number(value: bigint, octets = 0): string {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Buffer.from(even.padStart(octets * 2, "0"), "hex").toString("base64url");
}

const ec =
  (crv: string, octets: number) =>
  (reader: SshReader): Jwk => {
    reader.name("a curve");
    const point = reader.string("a point");
    const d = number(reader.mpint("an ECDSA key's private number"), octets);
    const [x, y] = [point.subarray(1, 1 + octets), point.subarray(1 + octets)];
    return { kty: "EC", crv, x: x.toString("base64url"), y: y.toString("base64url"), d };
  };

const READERS: Readonly<Record<string, (reader: SshReader) => Jwk>> = {
  "ssh-ed25519": (reader) => {
    const x = reader.string("a public key").toString("base64url");
    // The seed, followed by the public key
    const d = reader.string("a private key").subarray(0, 32).toString("base64url");
    return { kty: "OKP", crv: "Ed25519", x, d };
  },
  "ssh-rsa": (reader) => {
    const [n, e, d] = [reader.mpint("a modulus"), reader.mpint("an exponent"), reader.mpint("a private exponent")];
    const [qi, p, q] = [reader.mpint("a coefficient"), reader.mpint("a prime"), reader.mpint("a prime")];
    const all = { n, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi };
    return { kty: "RSA", ...Object.fromEntries(Object.entries(all).map(([name, value]) => [name, number(value)])) };
  },
  "ecdsa-sha2-nistp256": ec("P-256", 32),
  "ecdsa-sha2-nistp384": ec("P-384", 48),
  "ecdsa-sha2-nistp521": ec("P-521", 66),
};

const UNMODIFIED = "give the unmodified file that ssh-keygen wrote";

function malformed(message: string, remedy: string = UNMODIFIED, cause?: unknown): CountersignError {
  return new CountersignError("KEY_MALFORMED", message, { remedy, cause });
}
