// @module-tag deep
/**
 * Certificates, keys and paths made to hurt: each is rejected after a bounded amount of work, with the rule that it
 * breaks.
 */
import "../support/work.js";
import { createPublicKey, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { element, identifier, integer, NULL, sequence } from "../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../src/trust/asn1/oid.js";
import { writePem } from "../../src/trust/asn1/pem.js";
import { context } from "../../src/trust/asn1/tag.js";
import { Authority, type CertificateRequest, extension } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { Certificate } from "../../src/trust/x509/certificate.js";
import { data, root, rsa, signer, verdictOn } from "../support/bounded-verdict.js";
import { message, signerInfo } from "../support/cms.js";
import { trusting } from "../support/trust.js";

/** A signature by a certificate for someone else's public key: no one can make it, so its value is noise. */
function forged(spki: Buffer, request: Partial<CertificateRequest> = {}, length = 256): Buffer {
  const certificate = new Certificate(root.certify({ subject: "Forged", ...request }, spki));
  const info = signerInfo(data, { key: rsa.key, certificate }, { signature: randomBytes(length) });
  return message([info], { certificates: [certificate.der] });
}

const wholeBits = (bytes: Buffer): Buffer => element(0x03, Buffer.of(0), bytes);
const rsaKey = (modulus: Buffer, exponent: bigint): Buffer =>
  sequence(
    sequence(identifier("1.2.840.113549.1.1.1"), NULL),
    wholeBits(sequence(integer(BigInt(`0x${modulus.toString("hex")}`)), integer(exponent))),
  );
const odd = (bytes: number): Buffer => {
  const number = randomBytes(bytes);
  number[0] = 0xff;
  number[bytes - 1] = 0xff;
  return number;
};

describe("authorities that certify each other", () => {
  it("in a circle lead nowhere", () => {
    const one = Authority.create({ subject: "One" });
    const two = Authority.create({ subject: "Two" });
    const oneByTwo = two.subordinate({ subject: "One", key: one.key });
    const twoByOne = one.subordinate({ subject: "Two", key: two.key });
    const leaf = one.issue({ subject: "Leaf" });
    const chain = [oneByTwo.certificate, twoByOne.certificate];
    expect(verdictOn(signPkcs7(data, { ...leaf, chain }))).toEqual({ errno: "-ENOKEY", rule: "RFC 5280 6.1" });
  });

  it("all with all, in every direction, end the search at its limit", () => {
    const roots = Array.from({ length: 8 }, (_, index) => Authority.create({ subject: `Authority ${index}` }));
    const chain = roots.flatMap((issuer, from) =>
      roots
        .filter((_, to) => to !== from)
        .map(
          (subject) =>
            issuer.subordinate({ subject: [["2.5.4.3", `Authority ${roots.indexOf(subject)}`]], key: subject.key })
              .certificate,
        ),
    );
    const leaf = (roots[0] as Authority).issue({ subject: "Leaf" });
    expect(verdictOn(signPkcs7(data, { ...leaf, chain }))).toEqual({ errno: "-EKEYREJECTED", rule: "effort limit" });
  });
});

describe("very many certificates", () => {
  const key = root.issue({ subject: "Key" }).key;
  // One certificate with ten thousand serial numbers: nobody verifies the signature of a trusted certificate
  const first = 0x1000_0000;
  const { der } = Authority.create({ subject: "Candidate", key, serial: BigInt(first) }).certificate;
  const at = der.indexOf(Buffer.of(0x10, 0, 0, 0));
  const many = Array.from({ length: 10_000 }, (_, index) => {
    const other = Buffer.from(der);
    other.writeUInt32BE(first + index, at);
    return writePem("CERTIFICATE", other);
  });

  it("of the issuer's name in the keyring are tried up to a limit", () => {
    const likeness = Authority.create({ subject: "Candidate", key });
    const stranger = new Authority({ ...likeness, key: signer.key }).issue({ subject: "Leaf" });
    const crowded = trusting([many.join("")]);
    expect(verdictOn(signPkcs7(data, stranger), crowded)).toEqual({
      errno: "-EKEYREJECTED",
      rule: "effort limit",
    });
  });

  it("in a message are too many before they are looked at", () => {
    const der = signer.certificate.der;
    const certificates = Array.from({ length: 65 }, (_, index) =>
      Buffer.concat([der.subarray(0, -1), Buffer.of(index)]),
    );
    expect(verdictOn(message([signerInfo(data, signer)], { certificates }))).toEqual({
      errno: "-EBADMSG",
      rule: "DER_MALFORMED",
    });
    const enormous = message([signerInfo(data, signer)], { certificates: [sequence(Buffer.alloc(4_000_000))] });
    expect(verdictOn(enormous)).toEqual({ errno: "-EBADMSG", rule: "signature size limit" });
  });
});

describe("numbers and keys", () => {
  it("an integer of two hundred thousand bytes as a version, or a serial number", () => {
    const huge = element(0x02, Buffer.alloc(200_000, 1));
    expect(
      verdictOn(sequence(identifier("1.2.840.113549.1.7.2"), element(context(0, true), sequence(huge)))).errno,
    ).toBe("-EBADMSG");
    const certificate = root.certify(
      { subject: "Long", serial: BigInt(`0x${"7f".repeat(50_000)}`) },
      createPublicKey(signer.key).export({ type: "spki", format: "der" }),
    );
    const info = signerInfo(data, { key: signer.key, certificate: new Certificate(certificate) });
    expect(verdictOn(message([info], { certificates: [certificate] }))).toEqual({
      errno: "-EKEYREJECTED",
      rule: "RFC 5280 4.1.2.2",
    });
  });

  it.each([
    ["of 16,384 bits", odd(2048), 65537n],
    ["of 1,024 bits", odd(128), 65537n],
    ["of 8,200 bits", odd(1025), 65537n],
    ["with exponent 1", odd(256), 1n],
    ["with exponent 3", odd(256), 3n],
    ["with an even exponent", odd(256), 65538n],
    ["with an exponent of 100 bits", odd(256), (1n << 100n) + 1n],
  ])("an RSA key %s", (_what, modulus, exponent) => {
    expect(verdictOn(forged(rsaKey(modulus, exponent), {}, modulus.length))).toEqual({
      errno: "-EKEYREJECTED",
      rule: "key allow-list",
    });
  });

  it("an RSA exponent of twenty thousand bytes", () => {
    const spki = rsaKey(odd(256), BigInt(`0x${odd(20_000).toString("hex")}`));
    const certificate = root.certify({ subject: "Forged" }, spki);
    expect(verdictOn(message([signerInfo(data, rsa)], { certificates: [certificate] })).errno).toBe("-EBADMSG");
  });

  it.each([
    ["off the curve", Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)])],
    ["at infinity", Buffer.of(0)],
    ["compressed", Buffer.concat([Buffer.of(2), Buffer.alloc(32, 1)])],
    ["cut short", Buffer.concat([Buffer.of(4), Buffer.alloc(60, 1)])],
  ])("a P-256 point %s", (_what, point) => {
    const spki = sequence(
      sequence(identifier("1.2.840.10045.2.1"), identifier("1.2.840.10045.3.1.7")),
      wholeBits(point),
    );
    const certificate = new Certificate(root.certify({ subject: "Point" }, spki));
    const info = signerInfo(data, { key: signer.key, certificate });
    expect(verdictOn(message([info], { certificates: [certificate.der] })).errno).toBe("-EBADMSG");
  });

  it("a curve given by its own parameters", () => {
    const spki = sequence(
      sequence(identifier("1.2.840.10045.2.1"), sequence(integer(1))),
      wholeBits(Buffer.alloc(65, 4)),
    );
    expect(verdictOn(forged(spki))).toEqual({ errno: "-ENOPKG", rule: "algorithm allow-list" });
  });

  it("a signature of zeros, or of r and s as long as they like", () => {
    const zero = sequence(integer(0), integer(0));
    const long = sequence(integer(BigInt(`0x${"77".repeat(20_000)}`)), integer(1));
    for (const signature of [zero, long, Buffer.alloc(0), Buffer.alloc(72)])
      expect(
        verdictOn(message([signerInfo(data, signer, { signature })], { certificates: [signer.certificate.der] })).errno,
      ).toBe("-EKEYREJECTED");
  });
});

describe("certificates", () => {
  const withExtensions = (...extensions: readonly Buffer[]): Buffer => {
    const issued = root.issue({ subject: "Extended", extensions });
    return message([signerInfo(data, issued)], { certificates: [issued.certificate.der] });
  };

  it("with an extension twice", () => {
    const certificate = root.certify(
      {
        subject: "Twice",
        extensions: [extension(EXTENSION.extendedKeyUsage, sequence(identifier("1.3.6.1.5.5.7.3.3")))],
      },
      createPublicKey(signer.key).export({ type: "spki", format: "der" }),
    );
    expect(() => new Certificate(certificate)).toThrow(expect.objectContaining({ message: "a duplicate extension" }));
  });

  it("with a critical extension that nobody knows", () => {
    expect(verdictOn(withExtensions(extension("\x2a\x03", NULL, true)))).toEqual({
      errno: "-EKEYREJECTED",
      rule: "RFC 5280 4.2",
    });
    expect(verdictOn(withExtensions(extension("\x2a\x03", NULL))).errno).toBe("0");
  });

  it("with three thousand names under three thousand constraints", () => {
    const names = (count: number, host = "h"): Buffer[] =>
      Array.from({ length: count }, (_, index) => element(context(2, false), Buffer.from(`${host}${index}.example`)));
    const subtrees = names(3000, "x").map((name) => sequence(name));
    const middle = root.subordinate({
      subject: "Middle",
      extensions: [extension(EXTENSION.nameConstraints, sequence(element(context(1, true), ...subtrees)), true)],
    });
    const leaf = middle.issue({
      subject: "Leaf",
      extensions: [extension(EXTENSION.subjectAltName, sequence(...names(3000)))],
    });
    expect(verdictOn(signPkcs7(data, { ...leaf, chain: [middle.certificate] }))).toEqual({
      errno: "-EKEYREJECTED",
      rule: "effort limit",
    });
  });

  it("with a name of fifteen hundred parts", () => {
    const parts = Array.from({ length: 1500 }, (_, index) => ["2.5.4.11", `unit ${index}`] as const);
    const issued = root.certify(
      { subject: parts },
      createPublicKey(signer.key).export({ type: "spki", format: "der" }),
    );
    expect(() => new Certificate(issued)).toThrow(
      expect.objectContaining({ code: "DER_MALFORMED", message: "a name of more than 128 parts" }),
    );
    const info = signerInfo(data, { key: signer.key, certificate: signer.certificate });
    expect(verdictOn(message([info], { certificates: [issued] })).errno).toBe("-EBADMSG");
  });

  it("with policies made to multiply", () => {
    const policy = (index: number): Buffer => sequence(identifier(`1.3.6.1.4.1.99999.${index}`));
    const all = Array.from({ length: 200 }, (_, index) => policy(index));
    const mappings = Array.from({ length: 200 }, (_, from) =>
      sequence(identifier(`1.3.6.1.4.1.99999.${from}`), identifier(`1.3.6.1.4.1.99999.${(from * 7) % 200}`)),
    );
    const extensions = [
      extension(EXTENSION.certificatePolicies, sequence(...all)),
      extension(EXTENSION.policyMappings, sequence(...mappings), true),
    ];
    let authority: Authority = root;
    const chain: Certificate[] = [];
    for (let depth = 0; depth < 8; depth++) {
      authority = authority.subordinate({ subject: `Level ${depth}`, extensions });
      chain.push(authority.certificate);
    }
    const leaf = authority.issue({
      subject: "Leaf",
      extensions: [extension(EXTENSION.certificatePolicies, sequence(policy(5000)))],
    });
    const strict = trusting([root.pem.certificate], { policies: ["1.3.6.1.4.1.99999.1"] });
    expect(verdictOn(signPkcs7(data, { ...leaf, chain }), strict)).toEqual({
      errno: "-EKEYREJECTED",
      rule: "effort limit",
    });
  });

  it("on a path that is too long", () => {
    let authority: Authority = root;
    const chain: Certificate[] = [];
    for (let depth = 0; depth < 20; depth++) {
      authority = authority.subordinate({ subject: `Level ${depth}` });
      chain.push(authority.certificate);
    }
    expect(verdictOn(signPkcs7(data, { ...authority.issue({ subject: "Leaf" }), chain }))).toEqual({
      errno: "-EKEYREJECTED",
      rule: "path length limit",
    });
  });
});
