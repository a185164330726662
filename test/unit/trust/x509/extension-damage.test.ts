/**
 * Every extension that is understood, whole and with each of its fields damaged: certificates and CRLs decode them all.
 */
import { describe, expect, it } from "vitest";
import { element, identifier, integer, NULL, octetString, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../../../src/trust/asn1/oid.js";
import { context, TAG } from "../../../../src/trust/asn1/tag.js";
import { Authority, type CertificateRequest, extension, namedBits } from "../../../../src/trust/issuing/authority.js";
import { Certificate } from "../../../../src/trust/x509/certificate.js";
import { Crl } from "../../../../src/trust/x509/crl.js";
import { UNDERSTOOD } from "../../../../src/trust/x509/extension.js";
import { nameOfValues, utf8 } from "../../../support/names.js";

const text = (tag: number, value: string): Buffer => element(tag, Buffer.from(value));
const ia5 = (value: string): Buffer => text(TAG.ia5String, value);
const TRUE = element(TAG.boolean, Buffer.of(0xff));
/** A value of ANY type: whatever stands there instead is as good. */
const ANY = utf8("any");

const directoryName = nameOfValues(["2.5.4.3", ANY]);
const noticeNumbers = sequence(integer(1), integer(2));
const names = [
  element(context(0, true), identifier("1.2.3"), element(context(0, true), ANY)),
  element(context(0, true), identifier("1.3.6.1.5.5.7.8.9"), element(context(0, true), utf8("a@b.example"))),
  text(context(1, false), "a@b.example"),
  text(context(2, false), "b.example"),
  element(context(4, true), directoryName),
  element(context(5, true), element(context(0, true), utf8("x")), element(context(1, true), utf8("y"))),
  text(context(6, false), "https://b.example"),
  element(context(7, false), Buffer.of(10, 0, 0, 1)),
  element(context(8, false), Buffer.of(0x2a, 3)),
];
const point = element(context(0, true), element(context(0, true), ...names));
const points = sequence(
  sequence(point, element(context(1, false), Buffer.of(1, 6)), element(context(2, true), ...names)),
  sequence(element(context(0, true), element(context(1, true), sequence(identifier("2.5.4.3"), ANY)))),
);
const access = sequence(sequence(identifier("1.3.6.1.5.5.7.48.1"), names[6] as Buffer));
const subtrees = [2, 3, 4, 5].map((index) => sequence(names[index] as Buffer));
const notice = sequence(sequence(utf8("x"), noticeNumbers), utf8("y"));
const keyIdentifier = sequence(
  element(context(0, false), Buffer.of(1, 2)),
  element(context(1, true), ...names),
  element(context(2, false), Buffer.of(1)),
);

const CERTIFICATE_SAMPLES: Partial<Record<keyof typeof EXTENSION, Buffer>> = {
  subjectKeyIdentifier: octetString(Buffer.of(1, 2)),
  keyUsage: namedBits([0]),
  subjectAltName: sequence(...names),
  issuerAltName: sequence(...names),
  basicConstraints: sequence(TRUE, integer(1)),
  nameConstraints: sequence(element(context(0, true), ...subtrees), element(context(1, true), ...subtrees)),
  crlDistributionPoints: points,
  certificatePolicies: sequence(
    sequence(identifier("1.2.3")),
    sequence(
      identifier("1.2.4"),
      sequence(
        sequence(identifier("1.3.6.1.5.5.7.2.1"), ia5("https://b.example")),
        sequence(identifier("1.3.6.1.5.5.7.2.2"), notice),
        sequence(identifier("1.2.5"), ANY),
      ),
    ),
  ),
  policyMappings: sequence(sequence(identifier("1.2.3"), identifier("1.2.4"))),
  authorityKeyIdentifier: keyIdentifier,
  policyConstraints: sequence(element(context(0, false), Buffer.of(1)), element(context(1, false), Buffer.of(2))),
  extendedKeyUsage: sequence(identifier("1.3.6.1.5.5.7.3.3"), identifier("1.2.3")),
  freshestCrl: points,
  inhibitAnyPolicy: integer(1),
  authorityInfoAccess: access,
  subjectInfoAccess: access,
};

const LIST_SAMPLES: Partial<Record<keyof typeof EXTENSION, Buffer>> = {
  authorityKeyIdentifier: keyIdentifier,
  issuerAltName: sequence(...names),
  crlNumber: integer(5),
  deltaCrlIndicator: integer(4),
  issuingDistributionPoint: sequence(
    point,
    element(context(1, false), Buffer.of(0xff)),
    element(context(3, false), Buffer.of(1, 6)),
    element(context(4, false), Buffer.of(0xff)),
  ),
  freshestCrl: points,
};

const ENTRY_SAMPLES: Partial<Record<keyof typeof EXTENSION, Buffer>> = {
  crlReason: element(TAG.enumerated, Buffer.of(1)),
  invalidityDate: text(TAG.generalizedTime, "20260101000000Z"),
  certificateIssuer: sequence(element(context(4, true), nameOfValues(["2.5.4.3", utf8("x")]))),
};

/**
 * Each element replaced by a NULL; each constructed one with a NULL behind its last; each that must not be empty
 * emptied; cut and padded.
 */
function* damaged(whole: Buffer): Generator<readonly [title: string, der: Buffer]> {
  yield ["garbage", Buffer.from("a garbage value")];
  yield ["nothing", Buffer.alloc(0)];
  yield ["cut short", whole.subarray(0, -1)];
  yield ["a byte behind", Buffer.concat([whole, Buffer.of(0)])];
  yield ["an element behind", Buffer.concat([whole, NULL])];
  yield* within(whole, "value");
}

function* within(der: Buffer, path: string): Generator<readonly [title: string, der: Buffer]> {
  if (der.equals(ANY)) return;
  yield [`${path} is NULL`, NULL];
  const tag = der[0] as number;
  const contents = der.subarray((der[1] as number) < 0x80 ? 2 : 2 + ((der[1] as number) & 0x7f));
  if ((tag & 0x20) === 0) {
    if (NOT_EMPTY.has(tag)) yield [`${path} is empty`, element(tag)];
    return;
  }
  if (!MAY_BE_EMPTY.some((known) => known.equals(der))) yield [`${path} is empty`, element(tag)];
  yield [`${path} has more`, element(tag, contents, NULL)];
  const parts = split(contents);
  for (const [index, part] of parts.entries())
    for (const [title, changed] of within(part, `${path}.${index}`))
      yield [title, element(tag, ...parts.map((other, at) => (at === index ? changed : other)))];
}

function split(contents: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < contents.length; ) {
    const first = contents[at + 1] as number;
    const header = first < 0x80 ? 2 : 2 + (first & 0x7f);
    const length = first < 0x80 ? first : contents.readUIntBE(at + 2, first & 0x7f);
    parts.push(contents.subarray(at, at + header + length));
    at += header + length;
  }
  return parts;
}

const NOT_EMPTY: ReadonlySet<number> = new Set([
  TAG.boolean,
  TAG.integer,
  TAG.bitString,
  TAG.oid,
  TAG.enumerated,
  TAG.generalizedTime,
  context(7, false),
  context(8, false),
]);

/** A Name, and sequences of optional elements alone. */
const MAY_BE_EMPTY: readonly Buffer[] = [
  directoryName,
  noticeNumbers,
  notice,
  keyIdentifier,
  CERTIFICATE_SAMPLES.basicConstraints as Buffer,
  LIST_SAMPLES.issuingDistributionPoint as Buffer,
];

const root = Authority.create({ subject: "Root" });
const { key } = root;
const bare: CertificateRequest = { subject: "Signer", key, bare: true };
const certificate = (found: Buffer): Certificate =>
  new Certificate(root.issue({ ...bare, extensions: [found] }).certificate.der);
const list = (found: Buffer): Crl => new Crl(root.revocationList({ bare: true, extensions: [found] }));
const entry = (found: Buffer): Crl => new Crl(root.revocationList({ entries: [{ serial: 1n, extensions: [found] }] }));

const KINDS = [
  ["certificate", CERTIFICATE_SAMPLES, certificate],
  ["CRL", LIST_SAMPLES, list],
  ["CRL entry", ENTRY_SAMPLES, entry],
] as const;

describe("extensions", () => {
  it("that are understood have a sample each", () => {
    const sampled = Object.keys(CERTIFICATE_SAMPLES).map((name) => EXTENSION[name as keyof typeof EXTENSION]);
    expect([...UNDERSTOOD].filter((understood) => !sampled.includes(understood))).toEqual([]);
    const all = KINDS.flatMap(([, samples]) => Object.keys(samples));
    expect(Object.keys(EXTENSION).filter((name) => !all.includes(name))).toEqual([]);
  });

  const samples = KINDS.flatMap(([kind, table, read]) =>
    Object.entries(table).map(([name, value]) => [kind, name as keyof typeof EXTENSION, value, read] as const),
  );

  it.each(samples)("of a %s: %s is taken whole, and damaged in no field", (_kind, name, value, read) => {
    for (const critical of [false, true]) {
      expect(() => read(extension(EXTENSION[name], value, critical))).not.toThrow();
      const taken = [...damaged(value)].filter(([, der]) => {
        try {
          read(extension(EXTENSION[name], der, critical));
          return true;
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(DER|CERTIFICATE)_MALFORMED$/) });
          return false;
        }
      });
      expect(taken.map(([title]) => title)).toEqual([]);
    }
  });
});
