/** SSH keys and signatures made here, by the letter of PROTOCOL.sshsig, so that a test can also break that letter. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { sshString } from "../../src/trust/ssh/ssh-wire.js";

export const SSH_KINDS = [
  "ssh-ed25519",
  "ssh-rsa",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
] as const;
export type SshKind = (typeof SSH_KINDS)[number];

/** What a signature says; every field may be made to lie. */
export interface SshClaims {
  readonly namespace?: string;
  readonly digest?: string;
  readonly magic?: string;
  readonly version?: number;
  readonly reserved?: string;
  readonly algorithm?: string;
  readonly flags?: number;
  readonly trailing?: Buffer;
}

export interface SshIdentity {
  readonly kind: SshKind;
  /** As in a `.pub` file, without a comment. */
  readonly line: string;
  readonly sign: (data: Uint8Array, claims?: SshClaims) => Buffer;
}

export function sshIdentity(kind: SshKind): SshIdentity {
  const key = privateKey(kind);
  const blob = publicBlob(kind, key);
  return {
    kind,
    line: `${kind} ${blob.toString("base64")}`,
    sign: (data, claims = {}) => armored(signatureBlob(kind, key, blob, data, claims)),
  };
}

export function armored(blob: Uint8Array): Buffer {
  const lines =
    Buffer.from(blob)
      .toString("base64")
      .match(/.{1,70}/g) ?? [];
  return Buffer.from(`-----BEGIN SSH SIGNATURE-----\n${lines.join("\n")}\n-----END SSH SIGNATURE-----\n`);
}

const APPLICATION = "ssh:";
const CURVES: Readonly<Record<string, string>> = { nistp256: "P-256", nistp384: "P-384", nistp521: "P-521" };

const curveOf = (kind: SshKind): string | undefined => /nistp\d+/.exec(kind)?.[0];

function privateKey(kind: SshKind): KeyObject {
  const curve = curveOf(kind);
  if (curve !== undefined) return generateKeyPairSync("ec", { namedCurve: CURVES[curve] as string }).privateKey;
  if (kind === "ssh-rsa") return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  return generateKeyPairSync("ed25519").privateKey;
}

function publicBlob(kind: SshKind, key: KeyObject): Buffer {
  const { x = "", y = "", n = "", e = "" } = key.export({ format: "jwk" });
  const bytes = (text: string): Buffer => Buffer.from(text, "base64url");
  const curve = curveOf(kind);
  const numbers =
    curve !== undefined
      ? [sshString(curve), sshString(Buffer.concat([Buffer.of(4), bytes(x), bytes(y)]))]
      : kind === "ssh-rsa"
        ? [mpint(bytes(e)), mpint(bytes(n))]
        : [sshString(bytes(x))];
  const application = kind.startsWith("sk-") ? [sshString(APPLICATION)] : [];
  return Buffer.concat([sshString(kind), ...numbers, ...application]);
}

function signatureBlob(kind: SshKind, key: KeyObject, blob: Buffer, data: Uint8Array, claims: SshClaims): Buffer {
  const { namespace = "file", digest = "sha512", magic = "SSHSIG", version = 1, reserved = "" } = claims;
  const hashed = createHash(digest).update(data).digest();
  const signed = Buffer.concat([
    Buffer.from(magic),
    ...[namespace, reserved, digest].map(sshString),
    sshString(hashed),
  ]);
  const numbered = Buffer.alloc(4);
  numbered.writeUInt32BE(version);
  return Buffer.concat([
    Buffer.from(magic),
    numbered,
    sshString(blob),
    ...[namespace, reserved, digest].map(sshString),
    sshString(innerSignature(kind, key, signed, claims)),
    claims.trailing ?? Buffer.alloc(0),
  ]);
}

function innerSignature(kind: SshKind, key: KeyObject, signed: Buffer, claims: SshClaims): Buffer {
  const { algorithm = kind === "ssh-rsa" ? "rsa-sha2-512" : kind, flags = 1 } = claims;
  const counter = Buffer.from([flags, ...randomBytes(4)]);
  const sha256 = (bytes: Uint8Array | string): Buffer => createHash("sha256").update(bytes).digest();
  const securityKey = kind.startsWith("sk-");
  const data = securityKey ? Buffer.concat([sha256(APPLICATION), counter, sha256(signed)]) : signed;
  return Buffer.concat([
    sshString(algorithm),
    sshString(bare(kind, key, data, algorithm)),
    securityKey ? counter : Buffer.alloc(0),
  ]);
}

function bare(kind: SshKind, key: KeyObject, data: Buffer, algorithm: string): Buffer {
  const curve = curveOf(kind);
  if (kind === "ssh-rsa")
    return sign(algorithm === "rsa-sha2-256" ? "sha256" : algorithm === "ssh-rsa" ? "sha1" : "sha512", data, key);
  if (curve === undefined) return sign(null, data, key);
  const digest = { nistp256: "sha256", nistp384: "sha384", nistp521: "sha512" }[curve] as string;
  const both = sign(digest, data, { key, dsaEncoding: "ieee-p1363" });
  return Buffer.concat([mpint(both.subarray(0, both.length / 2)), mpint(both.subarray(both.length / 2))]);
}

function mpint(bytes: Buffer): Buffer {
  const first = bytes.findIndex((octet) => octet !== 0);
  const minimal = first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
  return sshString((minimal[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), minimal]) : minimal);
}
