import { element, identifier, identifierOf, octetString, sequence, setOf } from "../../src/trust/asn1/der-writer.js";
import { CMS_OID, EXTENSION, KEY_PURPOSE, oid } from "../../src/trust/asn1/oid.js";
import { context, TAG } from "../../src/trust/asn1/tag.js";
import type { SignatureType } from "../../src/trust/formats/formats.js";
import { Authority, extension, KEY_KINDS } from "../../src/trust/issuing/authority.js";
import type { Keyring } from "../../src/trust/keyring.js";
import { attribute, message, signerInfo, usualAttributes } from "./cms.js";
import { AUTHORITY, byKeyId, certificate, FOR_CODE, keyId, type Parts, spkiOf } from "./costly-messages.js";
import { file, trusting } from "./trust.js";

export interface MeteredLoop {
  readonly type: SignatureType;
  /** Opens the keyring that judges; each has no cached results. */
  readonly keyring: () => Keyring;
  readonly data: Buffer;
  /** A message of about so many bytes. */
  readonly message: (size: number) => Buffer;
  /** For those whose content is long instead, and not the message. */
  readonly content?: (size: number) => Buffer;
}

export const data = Buffer.from("instructions");
export const small = KEY_KINDS["p-256"]();
export const root = Authority.create({ subject: "Root" });
const rsa = Authority.create({ subject: "RSA", key: "rsa-2048" });
const other = KEY_KINDS["p-256"]();

export const many = (size: number, one: (index: number) => Buffer): Buffer[] => {
  const all: Buffer[] = [];
  for (let [index, length] = [0, 0]; length < size; index++) {
    all.push(one(index));
    length += all[index]!.length;
  }
  return all;
};
const two = (index: number): Buffer => Buffer.of(0x61 + (index >> 8), index & 0xff);
const letters = (index: number): Buffer =>
  Buffer.from([...index.toString(26).padStart(3, "0")].map((digit) => 0x61 + Number.parseInt(digit, 26)));
const utf8 = (text: string): Buffer => element(TAG.utf8String, Buffer.from(text));
const part = (value: Buffer, type = "2.5.4.3"): Buffer => sequence(identifier(type), value);
/** As many characters as fill so many bytes. */
export const filled = (text: string, size: number): string => text.repeat(Math.ceil(size / Buffer.byteLength(text)));
/** A name of up to 127 parts of this text, as many as fit. */
export const nameOf = (text: string, size: number): Buffer => {
  const parts = Math.max(1, Math.min(127, Math.floor(size / (Buffer.byteLength(text) + 13))));
  const long = filled(text, Math.max(1, size / parts - 13));
  return sequence(...Array.from({ length: parts }, () => setOf([part(utf8(long))])));
};

const plain = (): Keyring => trusting([root.pem.certificate], { profile: "compatible" });
export const PKCS7 = { type: "PKCS7", keyring: plain, data } as const;

/** A message by a certificate that nobody issued, with something long in it. */
const inCertificate = (make: (size: number) => Partial<Parts>): MeteredLoop => ({
  ...PKCS7,
  message: (size) => {
    const parts = make(size);
    const own = { subject: "L", issuer: "Nobody", spki: spkiOf(small), ...parts };
    const signer = certificate({ ...own, extensions: [keyId("one"), ...(parts.extensions ?? [])] });
    return message([byKeyId("one", small)], { version: 3, certificates: [signer] });
  },
});
const inExtension = (type: string, values: (size: number) => readonly Buffer[]): MeteredLoop =>
  inCertificate((size) => ({ extensions: [extension(type, sequence(...values(size)))] }));

/** A message by a certificate below an authority of the keyring, whose own authority is hostile. */
const below = (
  authority: (size: number) => readonly Buffer[],
  leaf: (size: number) => readonly Buffer[],
  keyring: () => Keyring = plain,
): MeteredLoop => ({
  ...PKCS7,
  keyring,
  message: (size) => {
    const above = { subject: "Hostile", issuer: "Root", spki: spkiOf(other), by: root.key };
    const end = { subject: "L", issuer: "Hostile", spki: spkiOf(small), by: other };
    const extensions = [keyId("one"), FOR_CODE, ...leaf(size / 2)];
    const certificates = [
      certificate({ ...above, extensions: [AUTHORITY, ...authority(size / 2)] }),
      certificate({ ...end, extensions }),
    ];
    return message([byKeyId("one", small)], { version: 3, certificates });
  },
});
const constraints =
  (names: (size: number) => readonly Buffer[]) =>
  (size: number): readonly Buffer[] => {
    const excluded = element(context(1, true), ...names(size).map((name) => sequence(name)));
    return [extension(EXTENSION.nameConstraints, sequence(excluded), true)];
  };
const named =
  (names: (size: number) => readonly Buffer[]) =>
  (size: number): readonly Buffer[] => [extension(EXTENSION.subjectAltName, sequence(...names(size)))];
const host = (form: number, make: (index: number) => string) => (size: number) =>
  many(size, (index) => element(context(form, false), Buffer.from(make(index))));
const directory = (text: string) => (size: number) => many(size, () => element(context(4, true), nameOf(text, 2_000)));

/** A list of the keyring with a scope of its own, and points that share no name with it. */
const scoped = (): Keyring => {
  const scope = sequence(element(context(0, true), element(context(0, true), element(context(6, false), data))));
  const extensions = [extension(EXTENSION.issuingDistributionPoint, scope, true)];
  const lists = Array.from({ length: 8 }, (_, index) =>
    file(`list-${index}`, root.revocationList({ extensions, number: index })),
  );
  return trusting([root.pem.certificate], {
    profile: "compatible",
    revoked: { crls: lists, certificates: [], digests: [] },
  });
};
const pointOf = (uri: Buffer): Buffer =>
  sequence(element(context(0, true), element(context(0, true), element(context(6, false), uri))));
const relativePoint = (index: number): Buffer =>
  sequence(element(context(0, true), element(context(1, true), part(utf8(`${index % 10}`)))));

const time = Authority.create({ subject: "Time" });
const stamping = extension(
  EXTENSION.extendedKeyUsage,
  sequence(identifierOf(KEY_PURPOSE.timeStamping as string)),
  true,
);
const policy = (index: number): Buffer => identifier(`1.2.3.${index}`);

/** By what is read, then how. */
export const CERTIFICATE_LOOPS: Readonly<Record<string, MeteredLoop>> = {
  "bytes of a signature's value": {
    ...PKCS7,
    message: (size) => message([signerInfo(data, root, { signature: Buffer.alloc(size) })]),
  },
  "bytes of attributes": {
    ...PKCS7,
    message: (size) => {
      const long = attribute(oid("1.2.3"), ...many(size, (index) => octetString(two(index))).sort(Buffer.compare));
      return message([signerInfo(data, root, { attributes: [...usualAttributes(data), long] })]);
    },
  },
  "elements of a key's parameters": inCertificate((size) => ({
    spki: sequence(
      sequence(identifier("1.2.3"), sequence(...many(size, () => Buffer.of(TAG.null, 0)))),
      element(TAG.bitString, Buffer.of(0, 1)),
    ),
  })),
  "bytes of sets in sets, compared at each depth": inCertificate((size) => {
    // Two sets of one depth differ in their last byte
    const nested = (depth: number, last: number): Buffer =>
      depth === 0
        ? octetString(Buffer.concat([Buffer.alloc(size / 32), Buffer.of(last)]))
        : setOf([nested(depth - 1, 0), nested(depth - 1, last + 1)]);
    const parameters = nested(5, 0);
    return { spki: sequence(sequence(identifier("1.2.3"), parameters), element(TAG.bitString, Buffer.of(0, 1))) };
  }),
  "elements of a malformed certificate": inCertificate((size) => {
    const key = sequence(identifier("1.2.3"), sequence(...many(size, () => sequence())));
    return { spki: sequence(key, element(TAG.bitString, Buffer.of(0, 1)), Buffer.of(TAG.null, 0)) };
  }),
  "texts of a key's parameters": inCertificate((size) => ({
    spki: sequence(
      sequence(identifier("1.2.3"), sequence(...many(size, () => utf8("é")))),
      element(TAG.bitString, Buffer.of(0, 1)),
    ),
  })),
  "key purposes, each of 64 octets": inExtension(EXTENSION.extendedKeyUsage, (size) =>
    many(size, (index) =>
      element(TAG.oid, Buffer.concat([Buffer.alloc(61, 0x81), two(index).map((octet) => octet | 0x80), Buffer.of(1)])),
    ),
  ),
  "attributes of a subject": inCertificate((size) => ({
    subject: sequence(setOf(many(size, (index) => part(element(TAG.printableString, letters(index)))))),
  })),
  "attributes of unknown types of a subject": inCertificate((size) => ({
    subject: sequence(
      ...many(Math.min(size, 9_000), () =>
        setOf([sequence(element(TAG.oid, Buffer.from(`${"\x81\x01".repeat(31)}\x01`, "latin1")), octetString(data))]),
      ),
    ),
  })),
  "text of a subject that is normalized": inCertificate((size) => ({
    subject: nameOf(`a${"\u0344\u0327".repeat(200)}`, size),
  })),
  "text of a subject that is escaped": inCertificate((size) => ({ subject: nameOf("\u200b".repeat(300), size) })),
  "text of an issuer that is normalized": inCertificate((size) => ({
    issuer: nameOf(`a${"\u0344\u0327".repeat(200)}`, size),
  })),
  "alternative names": inExtension(
    EXTENSION.subjectAltName,
    host(2, (index) => `h${index}`),
  ),
  "characters of an alternative name": inExtension(EXTENSION.subjectAltName, (size) => [
    element(context(1, false), Buffer.alloc(size, "a")),
  ]),
  "other alternative names of an issuer": inExtension(EXTENSION.issuerAltName, (size) =>
    many(size, () => element(context(0, true), identifier("1.2.3"), element(context(0, true), Buffer.of(TAG.null, 0)))),
  ),
  "access descriptions": inExtension(EXTENSION.authorityInfoAccess, (size) =>
    many(size, () => sequence(identifier("1.2.3"), element(context(6, false), data))),
  ),
  extensions: inCertificate((size) => ({
    extensions: many(size, (index) => sequence(identifier(`1.2.4.${index}`), octetString(Buffer.of()))),
  })),
  "policies with qualifiers": inExtension(EXTENSION.certificatePolicies, (size) =>
    many(size, (index) =>
      sequence(
        policy(index),
        sequence(
          sequence(identifier("1.3.6.1.5.5.7.2.2"), sequence(sequence(utf8("é"), sequence(Buffer.of(2, 1, 1))))),
        ),
      ),
    ),
  ),
  "policy mappings": inExtension(EXTENSION.policyMappings, (size) =>
    many(size, (index) => sequence(policy(index), policy(index + 1))),
  ),
  "relative distribution points of an issuer with a long name": inCertificate((size) => ({
    issuer: nameOf("aé", size / 2),
    extensions: [extension(EXTENSION.crlDistributionPoints, sequence(...many(size / 2, relativePoint)))],
  })),
  "distribution points, of 8 lists": below(
    (size) => [extension(EXTENSION.crlDistributionPoints, sequence(...many(size, (index) => pointOf(letters(index)))))],
    () => [],
    scoped,
  ),
  "hosts under constraints of hosts": below(
    constraints(host(2, (index) => `x${index}.example`)),
    named(host(2, (index) => `h${index}.example`)),
  ),
  "a long mailbox under constraints of mailboxes": below(
    constraints(host(1, (index) => `a${index}@b`)),
    named((size) => [element(context(1, false), Buffer.from(`${"a".repeat(size)}@b`))]),
  ),
  "a mailbox in UTF-8 under constraints of mailboxes": below(
    constraints(host(1, (index) => `a${index}@b`)),
    named(() => [
      element(
        context(0, true),
        identifier("1.3.6.1.5.5.7.8.9"),
        element(context(0, true), utf8(`a${"\u0344\u0327".repeat(250)}@b`)),
      ),
    ]),
  ),
  "URIs under constraints of URIs": below(
    constraints(host(6, (index) => `x${index}.example`)),
    named(host(6, (index) => `http://${"a".repeat(200)}@h${index}.example/`)),
  ),
  "addresses under constraints of addresses": below(
    constraints((size) =>
      many(size, (index) =>
        element(context(7, false), Buffer.concat([Buffer.alloc(14), two(index), Buffer.alloc(16, 0xff)])),
      ),
    ),
    named((size) =>
      many(size, (index) => element(context(7, false), Buffer.concat([Buffer.alloc(14, 1), two(index)]))),
    ),
  ),
  "directory names under constraints of directory names": below(constraints(directory("ab")), named(directory("cd"))),
  "directory names of long text under constraints": below(
    constraints(directory("é")),
    named(directory("\u0344\u0327")),
  ),
  "digests of long content": {
    ...PKCS7,
    keyring: () => trusting([rsa.pem.certificate], { profile: "compatible" }),
    message: () =>
      Buffer.concat(
        ["1", "2", "3", "8", "9", "10"].map((number) => {
          const digest = sequence(identifier(`2.16.840.1.101.3.4.2.${number}`));
          return message([signerInfo(data, rsa, { digest })], { digests: [digest] });
        }),
      ),
    content: (size) => Buffer.alloc(size * 64),
  },
  "names of the certificates of a time stamp": {
    ...PKCS7,
    keyring: () =>
      trusting([root.pem.certificate], {
        profile: "compatible",
        timestamps: { trust: [file("time", time.pem.certificate)] },
      }),
    message: (size) => {
      const clock = {
        subject: "Clock",
        issuer: nameOf("\u0344\u0327", size),
        spki: spkiOf(small),
        extensions: [keyId("clock"), stamping],
      };
      const token = message([byKeyId("clock", small)], {
        version: 3,
        contentType: CMS_OID.timeStampInfo,
        content: sequence(Buffer.of(2, 1, 1)),
        certificates: [certificate(clock)],
      });
      const unsigned = element(context(1, true), attribute(CMS_OID.timeStampToken, token));
      const signer = root.issue({ subject: "Signer" });
      return message([signerInfo(data, signer, { unsigned })], { certificates: [signer.certificate.der] });
    },
  },
};
