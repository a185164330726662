import { CountersignError } from "../../error.js";
import { element, identifier, integer, NULL, sequence } from "../asn1/der-writer.js";
import { TAG } from "../asn1/tag.js";
import { hash } from "../base/digest.js";
import type { Scheme } from "../key/algorithm.js";
import { type PublicKey, readPublicKey } from "../key/key.js";
import { SshReader } from "./ssh-wire.js";

/** An SSH public key (RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4, OpenSSH's PROTOCOL.u2f). */
export interface SshKey {
  /** The key type, such as `ssh-ed25519`. */
  readonly type: string;
  /** The encoded key as in signatures, one character per byte. It identifies the key. */
  readonly blob: string;
  readonly key: PublicKey;
  /** The application of a security key, such as `ssh:`; null for other keys. */
  readonly application: string | null;
  /** The signature algorithms that this key may use, by name. */
  readonly signatures: Readonly<Record<string, Scheme>>;
}

/** Throws KEY_MALFORMED. */
export function readSshKey(blob: Uint8Array): SshKey {
  try {
    const reader = new SshReader(blob, "KEY_MALFORMED");
    const type = reader.name("a key's type");
    const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
    if (kind === undefined)
      throw new CountersignError("KEY_MALFORMED", `is a key of type \`${type}\`, which is not supported`, {
        remedy: `use one of ${Object.keys(KINDS).join(", ")}`,
      });
    const spki = kind.read(reader);
    const application = kind.securityKey === true ? reader.name("an application") : null;
    reader.finish("a key");
    const key = readPublicKey(spki);
    return { type, blob: Buffer.from(blob).toString("latin1"), key, application, signatures: kind.signatures };
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code === "KEY_MALFORMED") throw cause;
    throw new CountersignError("KEY_MALFORMED", `is not an SSH key: ${cause.message}`, {
      remedy: "give the complete, unmodified line that ssh-keygen wrote",
      cause,
    });
  }
}

/** `SHA256:…`, as `ssh-keygen -l` shows it. */
export function sshFingerprint({ blob }: SshKey): string {
  const digest = hash("sha256", Buffer.from(blob, "latin1"));
  return `SHA256:${Buffer.from(digest, "hex").toString("base64").replace(/=+$/, "")}`;
}

interface Kind {
  /** Reads the fields after the type and returns a SubjectPublicKeyInfo. */
  readonly read: (reader: SshReader) => Buffer;
  readonly signatures: Readonly<Record<string, Scheme>>;
  readonly securityKey?: true;
}

const scheme = (family: Scheme["family"], digest: string | null, keyType: string | null = null): Scheme => ({
  family,
  digest,
  salt: 0,
  keyType,
});

const spki = (algorithm: Buffer, bits: Uint8Array): Buffer =>
  sequence(algorithm, element(TAG.bitString, Buffer.of(0), bits));

const ed25519 = (reader: SshReader): Buffer => spki(sequence(identifier("1.3.101.112")), reader.string("a key"));

const rsa = (reader: SshReader): Buffer => {
  const exponent = reader.mpint("an exponent");
  const modulus = reader.mpint("a modulus");
  return spki(sequence(identifier("1.2.840.113549.1.1.1"), NULL), sequence(integer(modulus), integer(exponent)));
};

const curve = (name: string, oid: string) => (reader: SshReader) => {
  const named = reader.name("a curve");
  if (named !== name)
    throw new CountersignError("KEY_MALFORMED", `names the curve \`${named}\` where its type says ${name}`, {
      remedy: "give the complete, unmodified line that ssh-keygen wrote",
    });
  return spki(sequence(identifier("1.2.840.10045.2.1"), identifier(oid)), reader.string("a point"));
};

const nistp256 = curve("nistp256", "1.2.840.10045.3.1.7");
const EDWARDS = scheme("edwards", null, "ed25519");

/** RFC 8332 3 for RSA (without `ssh-rsa`, which uses SHA-1), RFC 5656 6.2.1 for the digests of curves. */
const KINDS: Readonly<Record<string, Kind>> = {
  "ssh-ed25519": { read: ed25519, signatures: { "ssh-ed25519": EDWARDS } },
  "ssh-rsa": {
    read: rsa,
    signatures: { "rsa-sha2-256": scheme("rsa", "sha256"), "rsa-sha2-512": scheme("rsa", "sha512") },
  },
  "ecdsa-sha2-nistp256": { read: nistp256, signatures: { "ecdsa-sha2-nistp256": scheme("ec", "sha256") } },
  "ecdsa-sha2-nistp384": {
    read: curve("nistp384", "1.3.132.0.34"),
    signatures: { "ecdsa-sha2-nistp384": scheme("ec", "sha384") },
  },
  "ecdsa-sha2-nistp521": {
    read: curve("nistp521", "1.3.132.0.35"),
    signatures: { "ecdsa-sha2-nistp521": scheme("ec", "sha512") },
  },
  "sk-ssh-ed25519@openssh.com": {
    read: ed25519,
    signatures: { "sk-ssh-ed25519@openssh.com": EDWARDS },
    securityKey: true,
  },
  "sk-ecdsa-sha2-nistp256@openssh.com": {
    read: nistp256,
    signatures: { "sk-ecdsa-sha2-nistp256@openssh.com": scheme("ec", "sha256") },
    securityKey: true,
  },
};
