import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { verdictName } from "../../../../src/errno.js";
import {
  element,
  identifier,
  identifierOf,
  integer,
  NULL,
  octetString,
  sequence,
  time,
} from "../../../../src/trust/asn1/der-writer.js";
import { CMS_OID } from "../../../../src/trust/asn1/oid.js";
import { context } from "../../../../src/trust/asn1/tag.js";
import { Authority } from "../../../../src/trust/issuing/authority.js";
import type { Certificate } from "../../../../src/trust/x509/certificate.js";
import { attribute, message, SHA256, signerInfo, usualAttributes } from "../../../support/cms.js";
import { trusting } from "../../../support/trust.js";

const NOW = Date.now();
const data = Buffer.from("instructions");
const root = Authority.create({ subject: "Root" });
const signer = root.issue({ subject: "Signer" });
const other = root.issue({ subject: "Other" });
const keyring = trusting([root.pem.certificate]);

const hashed = (algorithm: string, certificate: Certificate): Buffer =>
  octetString(createHash(algorithm).update(certificate.der).digest());
const digestOf = (text: string): Buffer => octetString(createHash("sha256").update(text).digest());
const directory = (certificate: Certificate): Buffer => element(context(4, true), certificate.issuer.element.whole);
const issuerSerial = (certificate: Certificate, name = directory(certificate)): Buffer =>
  sequence(sequence(name), certificate.serial.whole);
const ess = (...parts: readonly Buffer[]): Buffer => sequence(sequence(sequence(...parts)));

const SHA256_NULL = sequence(identifier("2.16.840.1.101.3.4.2.1"), NULL);
const SHA384 = sequence(identifier("2.16.840.1.101.3.4.2.2"));
const ECDSA256 = sequence(identifier("1.2.840.10045.4.3.2"));
const ECDSA384 = sequence(identifier("1.2.840.10045.4.3.3"));
const inContext = (number: number, algorithm: Buffer): Buffer => {
  const copy = Buffer.from(algorithm);
  copy[0] = context(number, true);
  return copy;
};

const own = signer.certificate;
const wrong = other.certificate;
const [V1, V2] = [CMS_OID.signingCertificate, CMS_OID.signingCertificateV2];
const PROTECTION = CMS_OID.algorithmProtection;

/** Attributes beside the usual two, what comes of them, and the rule. */
const CASES: readonly (readonly [what: string, extra: Buffer, verdict: string, rule?: string])[] = [
  ["signingTime", attribute(CMS_OID.signingTime, time(NOW)), "0"],
  [
    "signingTime with two values",
    attribute(CMS_OID.signingTime, time(NOW), time(NOW + 1000)),
    "-EBADMSG",
    "RFC 5652 11.3",
  ],
  ["signingTime that is no time", attribute(CMS_OID.signingTime, octetString(Buffer.from("now"))), "-EBADMSG"],
  ["the signer's algorithms", attribute(PROTECTION, sequence(SHA256, inContext(1, ECDSA256))), "0"],
  ["its digest with NULL", attribute(PROTECTION, sequence(SHA256_NULL, inContext(1, ECDSA256))), "0"],
  ["another digest", attribute(PROTECTION, sequence(SHA384, inContext(1, ECDSA256))), "-EKEYREJECTED", "RFC 6211"],
  [
    "another signature algorithm",
    attribute(PROTECTION, sequence(SHA256, inContext(1, ECDSA384))),
    "-EKEYREJECTED",
    "RFC 6211",
  ],
  ["no signature algorithm", attribute(PROTECTION, sequence(SHA256)), "-EBADMSG"],
  ["a MAC algorithm", attribute(PROTECTION, sequence(SHA256, inContext(2, ECDSA256))), "-EBADMSG"],
  [
    "algorithms twice",
    attribute(PROTECTION, sequence(SHA256, inContext(1, ECDSA256)), sequence(SHA384, inContext(1, ECDSA256))),
    "-EBADMSG",
  ],
  ...([V1, V2] as const).flatMap((type, index) => {
    const [name, digest] = index === 0 ? ["signingCertificate", "sha1"] : ["signingCertificateV2", "sha256"];
    const rejected = ["-EKEYREJECTED", "RFC 5035 5.4"] as const;
    const stranger = element(context(4, true), wrong.subject.element.whole);
    const email = element(context(1, false), Buffer.from("me@example.org"));
    return [
      [`${name} of the signer`, attribute(type, ess(hashed(digest, own))), "0"],
      [`${name} of another`, attribute(type, ess(hashed(digest, wrong))), ...rejected],
      [`${name} with issuer and serial`, attribute(type, ess(hashed(digest, own), issuerSerial(own))), "0"],
      [`${name} with another serial`, attribute(type, ess(hashed(digest, own), issuerSerial(wrong))), ...rejected],
      [
        `${name} with another issuer`,
        attribute(type, ess(hashed(digest, own), issuerSerial(own, stranger))),
        ...rejected,
      ],
      [
        `${name} with an issuer of another form`,
        attribute(type, ess(hashed(digest, own), issuerSerial(own, email))),
        ...rejected,
      ],
      [`${name} with two values`, attribute(type, ess(hashed(digest, own)), ess(hashed(digest, wrong))), "-EBADMSG"],
      [`${name} without a certificate`, attribute(type, sequence(sequence())), "-EBADMSG"],
    ] as const;
  }),
  ["signingCertificateV2 by SHA-384", attribute(V2, ess(SHA384, hashed("sha384", own))), "0"],
  [
    "signingCertificateV2 of another by SHA-384",
    attribute(V2, ess(SHA384, hashed("sha384", wrong))),
    "-EKEYREJECTED",
    "RFC 5035 5.4",
  ],
  ["an attribute that is not known", attribute("\x2a\x03", integer(1)), "0"],
];

describe("a signed attribute", () => {
  it.for(CASES)("%s", ([, extra, verdict, rule]) => {
    const attributes = [...usualAttributes(data), extra].sort(Buffer.compare);
    const cms = message([signerInfo(data, signer, { attributes })], { certificates: [own.der] });
    const judged = keyring.verify(data, cms, "PKCS7", NOW);
    expect({ verdict: verdictName(judged.verdict), rule: judged.rule }).toMatchObject({
      verdict,
      ...(rule === undefined ? {} : { rule }),
    });
  });

  it.each([
    ["content type", CMS_OID.contentType, identifierOf(CMS_OID.data), identifierOf(CMS_OID.timeStampInfo)],
    ["message digest", CMS_OID.messageDigest, digestOf("instructions"), digestOf("other")],
  ] as const)("with two values is rejected: %s", (_, type, first, second) => {
    const [contentType, messageDigest] = usualAttributes(data) as readonly [Buffer, Buffer];
    const both =
      type === CMS_OID.contentType
        ? [attribute(type, first, second), messageDigest]
        : [contentType, attribute(type, first, second)];
    const cms = message([signerInfo(data, signer, { attributes: both.sort(Buffer.compare) })], {
      certificates: [own.der],
    });
    expect(verdictName(keyring.verify(data, cms, "PKCS7", NOW).verdict)).toBe("-EBADMSG");
  });
});
