// @module-tag deep
/**
 * Messages made to hurt: each is rejected after a bounded amount of work, with the errno and the rule that it breaks.
 */
import "../support/work.js";
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { checkDer } from "../../src/trust/asn1/der.js";
import { element, identifier, integer, NULL, octetString, sequence, setOf } from "../../src/trust/asn1/der-writer.js";
import { CMS_OID } from "../../src/trust/asn1/oid.js";
import { context } from "../../src/trust/asn1/tag.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { data, keyring, root, rsa, signer, verdictOn } from "../support/bounded-verdict.js";
import { attribute, message, signerInfo, usualAttributes } from "../support/cms.js";

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
