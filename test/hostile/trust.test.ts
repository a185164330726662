/** Signatures and certificates made to hurt: each is rejected after a bounded amount of work, with the errno and the rule that it breaks. */
import "../support/work.js";
import { createPublicKey, randomBytes } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { verdictName } from "../../src/errno.js";
import { checkDer } from "../../src/trust/asn1/der.js";
import { element, identifier, integer, NULL, octetString, sequence, setOf } from "../../src/trust/asn1/der-writer.js";
import { CMS_OID, EXTENSION } from "../../src/trust/asn1/oid.js";
import { context } from "../../src/trust/asn1/tag.js";
import type { Keyring } from "../../src/trust/keyring.js";
import { Authority, type CertificateRequest, extension } from "../../src/trust/making/authority.js";
import { signPkcs7 } from "../../src/trust/making/sign.js";
import { Certificate } from "../../src/trust/x509/certificate.js";
import { attribute, message, signerInfo, usualAttributes } from "../support/cms.js";
import { trusting } from "../support/trust.js";
import { worked } from "../support/work.js";

const data = Buffer.from("instructions of a program");
const root = Authority.create({ subject: "Root" });
const signer = root.issue({ subject: "Signer" });
const rsa = root.issue({ subject: "RSA signer", key: "rsa-2048" });
const keyring = trusting([root.pem.certificate]);

/** What OpenSSL is asked for: public keys and verifications, whose number must be bounded as well as the work of this project's code. */
const calls = vi.hoisted(() => ({ made: 0 }));
vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  const counted = <F extends (...given: never[]) => unknown>(call: F) =>
    ((...given: Parameters<F>) => {
      calls.made += 1;
      return call(...given);
    }) as F;
  return {
    ...crypto,
    verify: counted(crypto.verify as never),
    createPublicKey: counted(crypto.createPublicKey as never),
  };
});
const MOST_BLOCKS = 2_000_000;
const MOST_CALLS = 200;

/** The verdict on a signature, which a keyring that never saw it before must come to with a bounded amount of work. */
function verdictOn(
  signature: Uint8Array,
  by: Keyring = keyring,
  over: Uint8Array = data,
): { errno: string; rule: string | null } {
  calls.made = 0;
  const { result, blocks } = worked(() => by.verify(over, signature, "PKCS7", Date.now()));
  expect(blocks).toBeLessThan(MOST_BLOCKS);
  expect(calls.made).toBeLessThan(MOST_CALLS);
  return { errno: verdictName(result.verdict), rule: result.rule };
}

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
  const many = Array.from(
    { length: 10_000 },
    (_, serial) => Authority.create({ subject: "Candidate", key, serial: BigInt(serial + 1) }).pem.certificate,
  );

  it("of the issuer's name in the keyring are tried up to a limit", () => {
    const likeness = Authority.create({ subject: "Candidate", key });
    const stranger = new Authority({ ...likeness, key: signer.key }).issue({ subject: "Leaf" });
    const crowded = trusting([many.join("")]);
    expect(verdictOn(signPkcs7(data, stranger), crowded)).toEqual({
      errno: "-EKEYREJECTED",
      rule: "effort limit",
    });
  }, 120_000);

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

describe("encodings that are not DER", () => {
  const good = signPkcs7(data, signer);
  const bad = { errno: "-EBADMSG", rule: "DER_MALFORMED" };

  it("nested a hundred thousand deep", () => {
    let nested: Buffer = NULL;
    for (let depth = 0; depth < 40; depth++) nested = sequence(nested);
    expect(() => checkDer(nested, 0, nested.length)).toThrow(
      expect.objectContaining({ message: "nested deeper than 32" }),
    );
    expect(verdictOn(Buffer.alloc(200_000, Buffer.from([0x30, 0x80])))).toEqual(bad);
    const deep = message([sequence(integer(1), nested)]);
    expect(verdictOn(deep)).toEqual(bad);
  });

  it("with an indefinite length", () => {
    expect(verdictOn(Buffer.concat([Buffer.from([0x30, 0x80]), good.subarray(4), Buffer.alloc(2)]))).toEqual(bad);
  });

  it("with a length that is longer than it need be", () => {
    const body = good.subarray(4);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    expect(verdictOn(Buffer.concat([Buffer.from([0x30, 0x83]), length.subarray(1), body]))).toEqual(bad);
  });

  it("with bytes behind the end", () => {
    expect(verdictOn(Buffer.concat([good, Buffer.of(0)]))).toEqual(bad);
  });

  it("cut short anywhere", () => {
    for (let length = 0; length < good.length; length++)
      expect(verdictOn(good.subarray(0, length)).errno).toBe("-EBADMSG");
  });

  it("of elements without end", () => {
    expect(verdictOn(element(0x31, Buffer.alloc(200_000, NULL)))).toEqual(bad);
    expect(
      verdictOn(message([signerInfo(data, signer)], { digests: [element(0x31, Buffer.alloc(200_000, NULL))] })),
    ).toEqual(bad);
    expect(verdictOn(message([element(0x30, Buffer.alloc(200_000, Buffer.from([0x31, 0x00])))]))).toEqual(bad);
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

describe("attributes", () => {
  const [type, digest] = usualAttributes(data) as [Buffer, Buffer];
  const carrying = (attributes: readonly Buffer[]): Buffer =>
    message([signerInfo(data, signer, { attributes })], { certificates: [signer.certificate.der] });

  it.each([
    ["there twice", [type, digest, digest]],
    ["of one kind with two values", [type, digest, attribute("\x2a\x03", NULL), attribute("\x2a\x03", integer(1))]],
    ["out of order", [digest, type]],
    [
      "with two digests",
      [type, attribute(CMS_OID.messageDigest, octetString(Buffer.alloc(32)), octetString(Buffer.alloc(31)))],
    ],
    ["without a value", [type, sequence(identifier("1.2.840.113549.1.9.4"), setOf([]))]],
    ["without a digest", [type]],
    ["without a content type", [digest]],
    ["that are none", []],
  ])("%s", (_what, attributes) => {
    expect(verdictOn(carrying(attributes as readonly Buffer[])).errno).toBe("-EBADMSG");
  });

  it("that name another type of content", () => {
    const other = attribute(CMS_OID.contentType, identifier("1.2.840.113549.1.7.2"));
    expect(verdictOn(carrying([other, digest]))).toEqual({ errno: "-EKEYREJECTED", rule: "RFC 5652 11.1" });
  });

  it("passed off as the data that they were signed with", () => {
    const attributes = element(0x31, ...usualAttributes(data));
    const info = signerInfo(attributes, signer, { attributes: null });
    expect(verdictOn(message([info], { certificates: [signer.certificate.der] }), keyring, attributes)).toEqual({
      errno: "-EKEYREJECTED",
      rule: "RFC 5652 5.4",
    });
  });

  it("that nothing covers", () => {
    const unsigned = element(context(1, true), attribute("\x2a\x03", NULL));
    expect(
      verdictOn(message([signerInfo(data, signer, { unsigned })], { certificates: [signer.certificate.der] })).errno,
    ).toBe("-EBADMSG");
  });
});

describe("messages", () => {
  const certificates = [signer.certificate.der];

  it("of two signers of whom one is bad", () => {
    const bad = signerInfo(data, rsa, { signature: randomBytes(256) });
    const two = message([signerInfo(data, signer), bad], { certificates: [...certificates, rsa.certificate.der] });
    expect(verdictOn(two)).toEqual({ errno: "-EKEYREJECTED", rule: "RFC 5652 5.6" });
  });

  it("of two signers of whom one is not known", () => {
    const stranger = Authority.create({ subject: "Stranger" });
    const two = message([signerInfo(data, signer), signerInfo(data, stranger)], {
      certificates: [...certificates, stranger.certificate.der],
    });
    expect(verdictOn(two).errno).toBe("-EKEYREJECTED");
  });

  it("of one signer seventeen times", () => {
    const infos = Array.from({ length: 17 }, () => signerInfo(data, signer));
    expect(verdictOn(message(infos, { certificates })).errno).toBe("-EBADMSG");
  });

  it("of no signer", () => {
    expect(verdictOn(message([], { certificates })).errno).toBe("-EBADMSG");
  });

  it("with other content inside, or the same", () => {
    for (const content of [Buffer.from("other"), data])
      expect(verdictOn(message([signerInfo(content, signer)], { certificates, content }))).toEqual({
        errno: "-EBADMSG",
        rule: "RFC 5652 5.2",
      });
  });

  it("of another type of content, of a version that does not fit, with an unlisted digest, with CRLs", () => {
    const info = signerInfo(data, signer);
    const digests = [sequence(identifier("2.16.840.1.101.3.4.2.3"))];
    for (const parts of [
      { contentType: "\x2a\x03", version: 3 },
      { version: 3 },
      { version: 4 },
      { digests },
      { crls: [root.revocationList()] },
    ])
      expect(verdictOn(message([info], { certificates, ...parts })).errno).toBe("-EBADMSG");
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
    expect(() => new Certificate(certificate)).toThrow(
      expect.objectContaining({ message: "an extension that is there twice" }),
    );
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
