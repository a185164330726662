import { CountersignError } from "../../error.js";
import { readDer } from "../asn1/der.js";
import { TAG } from "../asn1/tag.js";
import { hash } from "../base/digest.js";
import { sshString } from "../ssh/ssh-wire.js";
import { publicKeyOf, type SigningKey, signWith } from "./private-key.js";

/**
 * An armored SSH signature (OpenSSH's PROTOCOL.sshsig) over `data`, as `ssh-keygen -Y sign` makes it. Throws
 * SIGNING_FAILED.
 */
export function signSshsig(data: Uint8Array, key: SigningKey, namespace: string): Buffer {
  const { blob, algorithm, digest, isEc } = identityOf(key);
  const hashed = Buffer.from(hash(MESSAGE_DIGEST, data), "hex");
  const fields = [namespace, "", MESSAGE_DIGEST].map(sshString);
  const signature = signWith(key, digest, Buffer.concat([MAGIC, ...fields, sshString(hashed)]));
  const inner = Buffer.concat([sshString(algorithm), sshString(isEc ? numbersOf(signature) : signature)]);
  return armored(Buffer.concat([MAGIC, Buffer.of(0, 0, 0, 1), sshString(blob), ...fields, sshString(inner)]));
}

/** The line of an authorized_keys or allowed_signers file, without principals and comment. */
export function sshLine(key: SigningKey): string {
  const { type, blob } = identityOf(key);
  return `${type} ${blob.toString("base64")}`;
}

const MAGIC = Buffer.from("SSHSIG");
const MESSAGE_DIGEST = "sha512";

interface SshIdentity {
  readonly type: string;
  readonly blob: Buffer;
  readonly algorithm: string;
  readonly digest: string | null;
  readonly isEc: boolean;
}

/** RFC 5656 6.2.1: the digest of each curve. */
const CURVES: Readonly<Record<string, { name: string; digest: string }>> = {
  "P-256": { name: "nistp256", digest: "sha256" },
  "P-384": { name: "nistp384", digest: "sha384" },
  "P-521": { name: "nistp521", digest: "sha512" },
};

function identityOf(key: SigningKey): SshIdentity {
  const { kty, crv = "", x = "", y = "", n = "", e = "" } = publicKeyOf(key).export({ format: "jwk" });
  const curve = CURVES[crv];
  if (kty === "OKP" && crv === "Ed25519") {
    const type = "ssh-ed25519";
    return { type, blob: blobOf(type, sshString(bytesOf(x))), algorithm: type, digest: null, isEc: false };
  }
  if (kty === "RSA") {
    const blob = blobOf("ssh-rsa", mpint(bytesOf(e)), mpint(bytesOf(n)));
    return { type: "ssh-rsa", blob, algorithm: "rsa-sha2-512", digest: "sha512", isEc: false };
  }
  if (kty === "EC" && curve !== undefined) {
    const type = `ecdsa-sha2-${curve.name}`;
    const point = Buffer.concat([Buffer.of(4), bytesOf(x), bytesOf(y)]);
    const blob = blobOf(type, sshString(curve.name), sshString(point));
    return { type, blob, algorithm: type, digest: curve.digest, isEc: true };
  }
  throw new CountersignError("SIGNING_FAILED", "a key of this type cannot make SSH signatures", {
    remedy: "use an Ed25519 or RSA key, or an ECDSA key on P-256, P-384 or P-521",
  });
}

function blobOf(type: string, ...fields: readonly Buffer[]): Buffer {
  return Buffer.concat([sshString(type), ...fields]);
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, "base64url");
}

/** RFC 4251 5: two's complement, without redundant leading bytes. */
function mpint(bytes: Buffer): Buffer {
  const first = bytes.findIndex((octet) => octet !== 0);
  const minimal = first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
  return sshString((minimal[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), minimal]) : minimal);
}

/** RFC 5656 3.1.2: an ECDSA signature as two mpints, from its DER. */
function numbersOf(der: Buffer): Buffer {
  const numbers = readDer(der, TAG.sequence, "an ECDSA signature").open();
  return Buffer.concat(
    [numbers.take(TAG.integer, "r"), numbers.take(TAG.integer, "s")].map(({ contents }) => mpint(contents)),
  );
}

function armored(blob: Buffer): Buffer {
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return Buffer.from(`-----BEGIN SSH SIGNATURE-----\n${lines.join("\n")}\n-----END SSH SIGNATURE-----\n`);
}
