import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { SIGNATURE_TYPES } from "../../../../src/policy/model/signature-types.gen.js";
import { element, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../../../src/trust/asn1/oid.js";
import { context } from "../../../../src/trust/asn1/tag.js";
import type { SignatureType } from "../../../../src/trust/formats/formats.js";
import { Authority, type CertificateRequest, extension } from "../../../../src/trust/issuing/authority.js";
import { signKernel, signModule, signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { readPublicKey } from "../../../../src/trust/key/key.js";
import type { Keyring } from "../../../../src/trust/keyring.js";
import { type Signer, sameSigners } from "../../../../src/trust/model/signer.js";
import { minisignIdentity } from "../../../support/minisign.js";
import { Sigstore } from "../../../support/sigstore.js";
import { sshIdentity } from "../../../support/ssh.js";
import { file, trusting } from "../../../support/trust.js";

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const PERIOD = { notBefore: NOW - DAY, notAfter: NOW + 30 * DAY };
const data = Buffer.from("instructions");

const root = Authority.create({ subject: "Root", ...PERIOD });
const issue = (more: Partial<CertificateRequest> = {}) =>
  root.issue({ subject: "Signer", serial: 0x3ebn, ...PERIOD, ...more });
const signer = issue();
const signed = { subject: "CN=Signer", serial: "03eb", issuer: "CN=Root" };
const NAMELESS = { subject: null, serial: null, issuer: null };

function signersOf(keyring: Keyring, over: Uint8Array, signature: Uint8Array | null, type: SignatureType) {
  const { signers, signer: name, verdict } = keyring.verify(over, signature, type, NOW);
  expect({ verdict, named: signers.map((one) => one.name).join("; ") }).toEqual({ verdict: 0, named: name });
  return signers.map(({ subject, serial, issuer, key }) => ({ subject, serial, issuer, key: key.fingerprint }));
}

const keyOf = (pem: string): string =>
  readPublicKey(new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" })).fingerprint;

/** For each type of signature, one that is valid by a keyring, and its signer. */
const VALID: Readonly<
  Record<SignatureType, () => Parameters<typeof signersOf> | [...Parameters<typeof signersOf>, object]>
> = {
  PKCS7: () => [trusting([root.pem.certificate]), data, signPkcs7(data, signer), "PKCS7", signed],
  MODSIG: () => [trusting([signer.pem.certificate]), signModule(data, signer), null, "MODSIG", signed],
  RAW: () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    return [trusting([pem]), data, sign(null, data, privateKey), "RAW", NAMELESS];
  },
  SSHSIG: () => {
    const me = sshIdentity("ssh-ed25519");
    return [trusting([`${me.line} me@host\n`]), data, me.sign(data), "SSHSIG", { ...NAMELESS, subject: "me@host" }];
  },
  MINISIGN: () => {
    const me = minisignIdentity();
    return [trusting([me.publicKey]), data, me.sign(data), "MINISIGN", NAMELESS];
  },
  SIGSTORE: () => {
    const sigstore = new Sigstore();
    const identity = { subject: "release@example.org", issuer: "https://accounts.example.org" };
    const at = Date.UTC(2026, 0, 1) / 1000;
    const by = sigstore.certificate(identity, at);
    const bundle = Buffer.from(JSON.stringify(sigstore.bundle({ data, at: at + 60, by })));
    const trusted = file("trusted_root.json", JSON.stringify(sigstore.root));
    const keyring = trusting([], { sigstore: { root: trusted, identities: [identity] } });
    return [keyring, data, bundle, "SIGSTORE", { ...NAMELESS, ...identity }];
  },
};

describe("the signers of a valid signature", () => {
  it.each(SIGNATURE_TYPES)("are known by name and key for type %s", (type) => {
    const [keyring, over, signature, , expected] = VALID[type]() as [Keyring, Uint8Array, Uint8Array, string, object];
    const found = signersOf(keyring, over, signature, type);
    expect(found).toEqual([{ ...expected, key: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  });

  it("are known from the keyring's certificate if the signature carries none, as the kernel's style", () => {
    const keyring = trusting([signer.pem.certificate]);
    const key = keyOf(signer.pem.certificate);
    expect(signersOf(keyring, data, signKernel(data, signer), "PKCS7")).toEqual([{ ...signed, key }]);
  });

  it.each([
    [0x80n, "80"],
    [0x100n, "0100"],
    [0xdeadbeefn, "deadbeef"],
    [1n, "01"],
  ])("have the serial number %s as `openssl x509 -serial` prints it", (serial, text) => {
    const other = issue({ serial });
    expect(new X509Certificate(other.pem.certificate).serialNumber.toLowerCase()).toBe(text);
    expect(signersOf(trusting([root.pem.certificate]), data, signPkcs7(data, other), "PKCS7")[0]?.serial).toBe(text);
  });

  it("have no subject if the certificate has none", () => {
    const host = sequence(element(context(2, false), Buffer.from("example.org")));
    const nameless = issue({ subject: [], extensions: [extension(EXTENSION.subjectAltName, host, true)] });
    const keyring = trusting([root.pem.certificate]);
    expect(keyring.verify(data, signPkcs7(data, nameless), "PKCS7", NOW)).toMatchObject({
      signer: "serial 03eb",
      signers: [{ subject: null, serial: "03eb" }],
    });
  });

  it("of one name are told apart by their keys, also after one another", () => {
    const keyring = trusting([root.pem.certificate]);
    const others = [issue(), issue(), issue({ serial: 5n })];
    for (let round = 0; round < 2; round++)
      for (const other of [signer, ...others]) {
        const [found] = signersOf(keyring, data, signPkcs7(data, other), "PKCS7");
        expect(found?.key).toBe(keyOf(other.pem.certificate));
        expect(found?.serial).toBe(new X509Certificate(other.pem.certificate).serialNumber.toLowerCase());
      }
  });

  it("are none if the signature is rejected", () => {
    const keyring = trusting([root.pem.certificate]);
    const stranger = Authority.create({ subject: "Others", ...PERIOD }).issue({ subject: "Signer", ...PERIOD });
    for (const signature of [
      signPkcs7(data, stranger),
      signPkcs7(Buffer.from("other"), signer),
      Buffer.from("x"),
      null,
    ])
      expect(keyring.verify(data, signature, "PKCS7", NOW).signers).toEqual([]);
  });
});

describe("two lists of signers", () => {
  const keyed = (): Signer["key"] => {
    const { publicKey } = generateKeyPairSync("ed25519");
    return readPublicKey(publicKey.export({ type: "spki", format: "der" }));
  };
  const certificate = { subject: "CN=Root", serial: "01", issuer: "CN=Root" };
  const one: Signer = { name: "CN=Signer", key: keyed(), path: [certificate], ...signed };
  const { path: _, ...pathless } = one;

  it("are the same with equal signers in the same order", () => {
    expect(sameSigners([], [])).toBe(true);
    expect(sameSigners([one, pathless], [{ ...one, path: [certificate] }, { ...pathless }])).toBe(true);
    expect(sameSigners([one, pathless], [pathless, one])).toBe(false);
    expect(sameSigners([one], [one, one])).toBe(false);
  });

  it.each<[string, Signer]>([
    ["key", { ...one, key: keyed() }],
    ["name", { ...one, name: "CN=Other" }],
    ["subject", { ...one, subject: "CN=Other" }],
    ["serial", { ...one, serial: null }],
    ["issuer", { ...one, issuer: "CN=Other" }],
    ["certificate of the path", { ...one, path: [{ ...certificate }] }],
    ["length of the path", { ...one, path: [certificate, certificate] }],
    ["path, of which one has none", pathless],
  ])("differ by a %s", (_, other) => {
    expect([sameSigners([one], [other]), sameSigners([other], [one])]).toEqual([false, false]);
  });
});
