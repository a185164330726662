import { integer, sequence } from "../asn1/der-writer.js";
import { hash } from "../base/digest.js";
import type { Effort } from "../base/effort.js";
import { type Refusal, refuse } from "../base/refusal.js";
import { NAMELESS } from "../base/signer-identity.js";
import { isMinisignKey } from "../key/minisign-key.js";
import type { Signer } from "../model/signer.js";
import type { BlockList } from "../path/block-list.js";
import { isSshKeys, readSshKeys, type SshSigner } from "../ssh/allowed-signers.js";
import { RULE, SshTrust } from "../ssh/ssh-trust.js";
import { SshReader, sshString } from "../ssh/ssh-wire.js";
import { blocksIn } from "./blocks.js";
import type { KeyFile, SignatureFormat, VerificationContext } from "./format.js";

export const SSH_KEYS: KeyFile<SshSigner> = {
  kind: "ssh key",
  // The comment of a minisign key can be any text, such as an SSH key
  is: (text) => isSshKeys(text) && !isMinisignKey(text),
  read: readSshKeys,
};

export const SSHSIG: SignatureFormat = {
  doc: "As `ssh-keygen -Y sign` writes it.",
  detached: true,
  endings: [".sig"],
  check: null,
  several: {
    split: (file) => blocksIn(file, ARMORED),
    signerOf: keyOf,
    naming: (keyring) => {
      const keys = new Set(keyring.keysOf(SSH_KEYS).map(({ blob }) => blob));
      return (signature, effort) => keys.has(effort.decode(signature.length, () => keyOf(signature)));
    },
  },
  keys: SSH_KEYS,
  open(keyring) {
    const trust = new SshTrust(keyring.keysOf(SSH_KEYS), keyring.rules);
    return (context) => verifySshsig(trust, keyring.blockList, context);
  },
};

/** Verifies an armored SSH signature over `data`. Throws SIGNATURE_MALFORMED. */
function verifySshsig(
  trust: SshTrust,
  blockList: BlockList,
  { data, isStatement, signature, window, effort }: VerificationContext,
): readonly Signer[] | Refusal {
  const blob = effort.decode(signature.length, () => unarmored(signature));
  if (blob === null) return refuse("EBADMSG", RULE, "not an armored SSH signature");
  const reader = new SshReader(blob, "SIGNATURE_MALFORMED");
  if (reader.take(MAGIC.length, "a magic number").toString("latin1") !== MAGIC)
    return refuse("EBADMSG", RULE, "an SSH signature without its magic number");
  const version = reader.uint32("a version");
  if (version !== 1) return refuse("ENOPKG", RULE, `version ${version} of SSH signatures is not supported`);
  const key = reader.string("a key").toString("latin1");
  const namespace = reader.string("a namespace").toString("utf8");
  const reserved = reader.string("a reserved field");
  const algorithm = reader.name("a digest algorithm");
  const inner = reader.string("a signature");
  reader.finish("an SSH signature");
  if (namespace === "" || reserved.length > 0)
    return refuse("EBADMSG", RULE, "an empty namespace, or a reserved field that is not empty");
  // PROTOCOL.sshsig allows only these two
  if (algorithm !== "sha256" && algorithm !== "sha512")
    return refuse("ENOPKG", "algorithm allow-list", `digest \`${algorithm}\` in an SSH signature is not supported`);
  const signer = trust.find(key, namespace, window, isStatement);
  if ("verdict" in signer) return signer;
  const digest = Buffer.from(effort.contentDigest(algorithm, data), "hex");
  const signed = [Buffer.from(MAGIC), ...[namespace, "", algorithm, digest].map(sshString)];
  const refusal = blockList.key(signer.key) ?? verifyInner(signer, Buffer.concat(signed), inner, effort);
  return refusal ?? [{ ...NAMELESS, subject: signer.subject, name: signer.name, key: signer.key }];
}

/** The encoded key of a signature, one character per byte. Throws SIGNATURE_MALFORMED. */
function keyOf(signature: Uint8Array): string {
  const reader = new SshReader(unarmored(signature) ?? Buffer.of(), "SIGNATURE_MALFORMED");
  reader.take(MAGIC.length, "a magic number");
  reader.uint32("a version");
  return reader.string("a key").toString("latin1");
}

const MAGIC = "SSHSIG";
/** PROTOCOL.u2f: the flag that says that the user touched the key. */
const USER_PRESENT = 0x01;

function verifyInner(
  { key, application, signatures, type }: SshSigner,
  signed: Buffer,
  inner: Buffer,
  effort: Effort,
): Refusal | null {
  const reader = new SshReader(inner, "SIGNATURE_MALFORMED");
  const name = reader.name("a signature algorithm");
  const scheme = Object.hasOwn(signatures, name) ? signatures[name] : undefined;
  if (scheme === undefined)
    return refuse(
      "ENOPKG",
      "algorithm allow-list",
      `signature algorithm \`${name}\` of a key of type ${type} is not supported`,
    );
  const bytes = reader.string("the bytes of a signature");
  const data = application === null ? signed : assertion(application, signed, reader);
  reader.finish("the bytes of a signature");
  if ("verdict" in data) return data;
  return key.verify(scheme, data, scheme.family === "ec" ? ecdsaValue(bytes) : bytes, RULE, effort);
}

/**
 * The data that a security key signs (PROTOCOL.u2f): the application's digest, flags, a counter, and the message's
 * digest.
 */
function assertion(application: string, signed: Buffer, reader: SshReader): Buffer | Refusal {
  const flags = reader.byte("flags");
  const counter = reader.take(4, "a counter");
  if ((flags & USER_PRESENT) === 0) return refuse("EKEYREJECTED", "PROTOCOL.u2f", "the security key was not touched");
  const sha256 = (bytes: Uint8Array) => Buffer.from(hash("sha256", bytes), "hex");
  return Buffer.concat([sha256(Buffer.from(application)), Buffer.of(flags), counter, sha256(signed)]);
}

/** RFC 5656 3.1.2: converts two mpints to the DER that OpenSSL expects. */
function ecdsaValue(bytes: Buffer): Buffer {
  const reader = new SshReader(bytes, "SIGNATURE_MALFORMED");
  const [r, s] = [reader.mpint("an integer"), reader.mpint("an integer")];
  reader.finish("an ECDSA signature");
  return sequence(integer(r), integer(s));
}

const ARMORED = /-----BEGIN SSH SIGNATURE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END SSH SIGNATURE-----\s*/y;

function unarmored(signature: Uint8Array): Buffer | null {
  const text = Buffer.from(signature).toString("latin1");
  const body = /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END SSH SIGNATURE-----\s*$/.exec(
    text,
  )?.[1];
  const base64 = body?.replace(/[\r\n]+/g, "") ?? "";
  const blob = Buffer.from(base64, "base64");
  return base64 !== "" && blob.toString("base64") === base64 ? blob : null;
}
