/**
 * Each loop of a verification whose length a message chooses: what it reads, and messages of any size that make it
 * long. Nothing but the loop is long in them.
 */
import { generateKeyPairSync } from "node:crypto";
import { TAG } from "../../src/trust/asn1/tag.js";
import { joinModsig } from "../../src/trust/formats/modsig.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { minisignLine, signMinisign } from "../../src/trust/issuing/sign-minisign.js";
import { signSshsig, sshLine } from "../../src/trust/issuing/sign-sshsig.js";
import { message, signerInfo } from "./cms.js";
import { byKeyId, certificate, spkiOf } from "./costly-messages.js";
import {
  CERTIFICATE_LOOPS,
  data,
  filled,
  type MeteredLoop,
  many,
  nameOf,
  PKCS7,
  root,
  small,
} from "./metered-certificates.js";
import { Sigstore } from "./sigstore.js";
import { file, trusting } from "./trust.js";

export type { MeteredLoop };

const ed25519 = generateKeyPairSync("ed25519").privateKey;
const minisign = { key: ed25519, id: Buffer.from("12345678") };
const stranger = { key: ed25519, id: Buffer.from("87654321") };
const foreign = generateKeyPairSync("ed25519").privateKey;
const sigstore = new Sigstore();
const me = { subject: "release@example.org", issuer: "https://accounts.example.org" };
const SIGNED = Date.UTC(2026, 0, 1) / 1000;
const bundle = sigstore.bundle({ data, at: SIGNED + 60, by: sigstore.certificate(me, SIGNED) });
const SIGSTORE = {
  type: "SIGSTORE",
  data,
  keyring: () =>
    trusting([], { sigstore: { root: file("root.json", JSON.stringify(sigstore.root)), identities: [me] } }),
} as const;
const SSHSIG = { type: "SSHSIG", data, keyring: () => trusting([sshLine(ed25519)]) } as const;
const MINISIGN = { type: "MINISIGN", data, keyring: () => trusting([minisignLine(minisign)]) } as const;

/** By what is read, then how. */
export const METERED_LOOPS: Readonly<Record<string, MeteredLoop>> = {
  ...CERTIFICATE_LOOPS,
  "signatures of others in a file": {
    ...PKCS7,
    message: (size) => Buffer.concat(many(size, () => signPkcs7(data, Authority.create({ subject: "Other" })))),
  },
  "issuers of the signatures of others in a file": {
    ...PKCS7,
    message: (size) => {
      const one = message([byKeyId("one", small)], {
        version: 3,
        certificates: [certificate({ subject: "L", issuer: nameOf("\u0344\u0327", 2_000), spki: spkiOf(small) })],
      });
      return Buffer.concat(many(size, () => one));
    },
  },
  "elements after a signature": {
    ...PKCS7,
    message: (size) => Buffer.concat([signPkcs7(data, root), ...many(size, () => Buffer.of(TAG.null, 0))]),
  },
  "an appended signature": {
    ...PKCS7,
    type: "MODSIG",
    message: (size) =>
      joinModsig(Buffer.of(), message([signerInfo(data, root, { attributes: null, signature: Buffer.alloc(size) })])),
  },
  "bytes of a bare signature": {
    type: "RAW",
    data,
    keyring: () => trusting([spkiPem()]),
    message: (size) => Buffer.alloc(size),
  },
  "base64 of an SSH signature": {
    ...SSHSIG,
    message: (size) => armored(Buffer.concat([Buffer.from("SSHSIG\0\0\0\x01", "latin1"), Buffer.alloc(size)])),
  },
  "line ends of an SSH signature": {
    ...SSHSIG,
    message: (size) => Buffer.from(`-----BEGIN SSH SIGNATURE-----\n${"\n".repeat(size)}-----END SSH SIGNATURE-----\n`),
  },
  "starts of SSH signatures": {
    ...SSHSIG,
    message: (size) => Buffer.from(filled("-----BEGIN SSH SIGNATURE-----\nAAAA\n", size)),
  },
  "namespace of an SSH signature": {
    ...SSHSIG,
    message: (size) => signSshsig(data, ed25519, "\u200b".repeat(size / 3)),
  },
  "SSH signatures of others in a file": {
    ...SSHSIG,
    message: (size) => Buffer.concat(many(size, () => signSshsig(data, foreign, "file"))),
  },
  "comment of a minisign signature": { ...MINISIGN, message: (size) => signMinisign(data, minisign, "a".repeat(size)) },
  "starts of minisign signatures in one line": {
    ...MINISIGN,
    message: (size) => Buffer.from(filled("untrusted comment:", size)),
  },
  "minisign signatures of others in a file": {
    ...MINISIGN,
    message: (size) => Buffer.concat(many(size, () => signMinisign(data, stranger, "a"))),
  },
  "white space after a minisign signature": {
    ...MINISIGN,
    message: (size) => Buffer.concat([signMinisign(data, minisign, "a"), Buffer.alloc(size, " "), Buffer.from("x")]),
  },
  "entries of a bundle": {
    ...SIGSTORE,
    message: (size) => {
      const material = bundle.verificationMaterial as unknown as { tlogEntries: readonly unknown[] };
      const tlogEntries = new Array(Math.min(8, Math.ceil(size / 1_000))).fill(material.tlogEntries[0]);
      return Buffer.from(JSON.stringify({ ...bundle, verificationMaterial: { ...material, tlogEntries } }));
    },
  },
  "text of a bundle": { ...SIGSTORE, message: (size) => Buffer.from(JSON.stringify(bundle) + " ".repeat(size)) },
  "values of a bundle": {
    ...SIGSTORE,
    message: (size) => Buffer.from(JSON.stringify({ ...bundle, more: new Array(Math.ceil(size / 3)).fill([]) })),
  },
};

function armored(blob: Buffer): Buffer {
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return Buffer.from(`-----BEGIN SSH SIGNATURE-----\n${lines.join("\n")}\n-----END SSH SIGNATURE-----\n`);
}

function spkiPem(): Buffer {
  return Buffer.from(`-----BEGIN PUBLIC KEY-----\n${spkiOf(small).toString("base64")}\n-----END PUBLIC KEY-----\n`);
}
