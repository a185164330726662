/**
 * Messages of at most 256 KiB that are made to take as long as they can, each with the keyring that judges it: many
 * candidates for one signature, many authorities of one name, slow keys, paths that lead nowhere, many names, policies
 * and time stamps.
 */
import { createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import {
  element,
  identifier,
  identifierOf,
  integer,
  NULL,
  octetString,
  sequence,
  setOf,
  time,
} from "../../src/trust/asn1/der-writer.js";
import { CMS_OID, EXTENSION, KEY_PURPOSE, oid } from "../../src/trust/asn1/oid.js";
import { context, TAG } from "../../src/trust/asn1/tag.js";
import { hash } from "../../src/trust/base/digest.js";
import {
  Authority,
  distinguishedName,
  extension,
  type Issued,
  KEY_KINDS,
  type KeyKind,
} from "../../src/trust/issuing/authority.js";
import { localStamper } from "../../src/trust/issuing/time-stamp-maker.js";
import type { Keyring } from "../../src/trust/keyring.js";
import { message, signerInfo } from "./cms.js";
import { file, trusting } from "./trust.js";

export interface CostlyMessage {
  readonly keyring: () => Keyring;
  readonly data: Buffer;
  readonly message: Buffer;
}

const data = Buffer.from("instructions");
const NOW = Date.now();
const DAY = 86_400_000;
const ECDSA = sequence(identifier("1.2.840.10045.4.3.2"));
const RSA = sequence(identifier("1.2.840.113549.1.1.11"), NULL);
export const AUTHORITY = extension(EXTENSION.basicConstraints, sequence(element(TAG.boolean, Buffer.of(0xff))), true);
export const FOR_CODE = extension(
  EXTENSION.extendedKeyUsage,
  sequence(identifierOf(KEY_PURPOSE.codeSigning as string)),
);
export const keyId = (id: string): Buffer => extension(EXTENSION.subjectKeyIdentifier, octetString(Buffer.from(id)));
export const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: "spki", format: "der" });

export interface Parts {
  /** A common name, or a whole Name in DER. */
  readonly subject: string | Buffer;
  readonly issuer: string | Buffer;
  readonly spki: Buffer;
  readonly extensions?: readonly Buffer[];
  /** Signs it; a signature that fits nobody where it is absent. */
  readonly by?: KeyObject;
  readonly rsa?: number;
}

const nameIn = (name: string | Buffer): Buffer => (typeof name === "string" ? distinguishedName(name) : name);

/** A certificate with exactly these extensions. */
export function certificate({ subject, issuer, spki, extensions = [], by, rsa }: Parts): Buffer {
  const algorithm = rsa === undefined ? ECDSA : RSA;
  const tbs = sequence(
    element(context(0, true), integer(2)),
    integer(BigInt(`0x4${randomBytes(8).toString("hex")}`)),
    algorithm,
    nameIn(issuer),
    sequence(time(NOW - DAY), time(NOW + DAY)),
    nameIn(subject),
    spki,
    ...(extensions.length === 0 ? [] : [element(context(3, true), sequence(...extensions))]),
  );
  const fake =
    rsa === undefined ? sequence(integer(12345678901n), integer(98765432101n)) : randomBytes(rsa / 8).fill(1, 0, 1);
  const value = by === undefined ? fake : sign("sha256", tbs, by);
  return sequence(tbs, algorithm, element(TAG.bitString, Buffer.of(0), value));
}

/** An RSA key that nobody has the other half of: making a true one of this size takes seconds. */
function rsaModulus(bits: number): Buffer {
  const modulus = randomBytes(bits / 8);
  modulus[0] = 0xc1;
  modulus[modulus.length - 1]! |= 1;
  const key = sequence(element(TAG.integer, Buffer.of(0), modulus), integer(65537));
  return sequence(sequence(identifier("1.2.840.113549.1.1.1"), NULL), element(TAG.bitString, Buffer.of(0), key));
}

const small = KEY_KINDS["p-256"]();
const root = Authority.create({ subject: "Root" });
/** Some of the certificates have no key identifiers, which makes for more candidates. */
const plain =
  (anchors: readonly Issued[] = [root]) =>
  () =>
    trusting(
      anchors.map(({ pem }) => pem.certificate),
      { profile: "compatible" },
    );

/** A SignerInfo by key identifier. */
export function byKeyId(id: string, key: KeyObject): Buffer {
  const attributes = [
    sequence(identifierOf(CMS_OID.contentType), setOf([identifierOf(CMS_OID.data)])),
    sequence(identifierOf(CMS_OID.messageDigest), setOf([octetString(hashOf(data))])),
  ];
  const signed = setOf(attributes);
  return sequence(
    integer(3),
    element(context(0, false), Buffer.from(id)),
    sequence(identifier("2.16.840.1.101.3.4.2.1")),
    setOf(attributes, context(0, true)),
    ECDSA,
    octetString(sign("sha256", signed, key)),
  );
}

function hashOf(bytes: Buffer): Buffer {
  return Buffer.from(hash("sha256", bytes), "hex");
}

/** Certificates for one key, any of which may be the signer's. */
const leaves = (count: number, issuer: string, rsa?: number): Buffer[] =>
  Array.from({ length: count }, () =>
    certificate({
      subject: "L",
      issuer,
      spki: spkiOf(small),
      extensions: [keyId("one"), FOR_CODE],
      ...(rsa ? { rsa } : {}),
    }),
  );

const manyCandidates = (leafCount: number, spki: () => Buffer, rsa?: number): CostlyMessage => ({
  keyring: plain(),
  data,
  message: message([byKeyId("one", small)], {
    version: 3,
    certificates: [
      ...leaves(leafCount, "Faker", rsa),
      ...Array.from({ length: 64 - leafCount }, () =>
        certificate({ subject: "Faker", issuer: "Root", spki: spki(), extensions: [AUTHORITY] }),
      ),
    ],
  }),
});

const wrongSignatures = (kind: KeyKind): CostlyMessage => {
  const anchor = Authority.create({ subject: "Slow", key: kind });
  const certificates = leaves(64, "Slow", kind === "rsa-4096" ? 4096 : undefined);
  return { keyring: plain([anchor]), data, message: message([byKeyId("one", small)], { version: 3, certificates }) };
};

const manySigners = (kind: KeyKind): CostlyMessage => {
  const anchor = Authority.create({ subject: "Slow", key: kind });
  const signers = Array.from({ length: 16 }, (_, index) => anchor.issue({ subject: `Signer ${index}`, key: kind }));
  const infos = signers.map((one) => signerInfo(data, one));
  return {
    keyring: plain([anchor]),
    data,
    message: message(infos, { certificates: signers.map((one) => one.certificate.der) }),
  };
};

/** Each of some names certifies each other; none is certified by the keyring's. */
const maze = (names: number): CostlyMessage => {
  const certificates = [leaf("N0")];
  for (let from = 0; from < names; from++)
    for (let to = 0; to < names; to++)
      if (from !== to && certificates.length < 64)
        certificates.push(
          certificate({
            subject: `N${to}`,
            issuer: `N${from}`,
            spki: spkiOf(small),
            by: small,
            extensions: [AUTHORITY],
          }),
        );
  return { keyring: plain(), data, message: message([byKeyId("one", small)], { version: 3, certificates }) };
};

const leaf = (issuer: string, extensions: readonly Buffer[] = []): Buffer =>
  certificate({
    subject: "L",
    issuer,
    spki: spkiOf(small),
    by: small,
    extensions: [keyId("one"), FOR_CODE, ...extensions],
  });

/** A chain below the root, with extensions at each level. */
const chain = (
  levels: number,
  extensions: readonly Buffer[],
  atEnd: readonly Buffer[],
  more: number,
): CostlyMessage => {
  const first = certificate({
    subject: "N0",
    issuer: "Root",
    spki: spkiOf(small),
    by: root.key,
    extensions: [AUTHORITY, ...extensions],
  });
  const below = Array.from({ length: levels - 1 }, (_, index) =>
    certificate({
      subject: `N${index + 1}`,
      issuer: `N${index}`,
      spki: spkiOf(small),
      by: small,
      extensions: [AUTHORITY, ...extensions],
    }),
  );
  const ends = Array.from({ length: more }, () => leaf(`N${levels - 1}`, atEnd));
  return {
    keyring: plain(),
    data,
    message: message([byKeyId("one", small)], { version: 3, certificates: [first, ...below, ...ends] }),
  };
};

const hosts = (count: number, host: string): Buffer[] =>
  Array.from({ length: count }, (_, index) => element(context(2, false), Buffer.from(`${host}${index}.example`)));
const directories = (count: number, parts: number): Buffer[] =>
  Array.from({ length: count }, (_, index) =>
    element(
      context(4, true),
      sequence(
        ...Array.from({ length: parts }, (_, part) =>
          setOf([
            sequence(
              identifier("2.5.4.3"),
              element(TAG.bmpString, Buffer.from(`\0a\0${part % 10}\0${index % 10}`, "latin1")),
            ),
          ]),
        ),
      ),
    ),
  );
const excluding = (names: readonly Buffer[]): Buffer =>
  extension(
    EXTENSION.nameConstraints,
    sequence(element(context(1, true), ...names.map((name) => sequence(name)))),
    true,
  );
const named = (names: readonly Buffer[]): Buffer => extension(EXTENSION.subjectAltName, sequence(...names));

const policies = (count: number): Buffer =>
  extension(
    EXTENSION.certificatePolicies,
    sequence(...Array.from({ length: count }, (_, index) => sequence(identifier(`1.2.3.${index}`)))),
  );
const mappings = (count: number): Buffer =>
  extension(
    EXTENSION.policyMappings,
    sequence(
      ...Array.from({ length: count * count }, (_, index) =>
        sequence(identifier(`1.2.3.${Math.floor(index / count)}`), identifier(`1.2.3.${index % count}`)),
      ),
    ),
    true,
  );

const clocks = async (kind: KeyKind): Promise<CostlyMessage> => {
  const time = Authority.create({ subject: "Time", key: kind });
  const usage = extension(EXTENSION.extendedKeyUsage, sequence(identifierOf(KEY_PURPOSE.timeStamping as string)), true);
  const clock = time.issue({ subject: "Clock", key: kind, usage: null, extensions: [usage] });
  const signers = Array.from({ length: 16 }, (_, index) => root.issue({ subject: `Signer ${index}` }));
  const infos = await Promise.all(
    signers.map(async (one) => {
      const value = sign("sha256", setOf(usual()), one.key);
      const token = await localStamper(clock)(value);
      const unsigned = element(
        context(1, true),
        sequence(identifierOf(oid("1.2.840.113549.1.9.16.2.14")), setOf([token])),
      );
      return signerInfo(data, one, { signature: value, unsigned, attributes: usual() });
    }),
  );
  return {
    keyring: () => trusting([root.pem.certificate], { timestamps: { trust: [file("time", time.pem.certificate)] } }),
    data,
    message: message(infos, { certificates: signers.map((one) => one.certificate.der) }),
  };
};

const usual = (): Buffer[] => [
  sequence(identifierOf(CMS_OID.contentType), setOf([identifierOf(CMS_OID.data)])),
  sequence(identifierOf(CMS_OID.messageDigest), setOf([octetString(hashOf(data))])),
];

/** Each kind by its name, made when it is asked for. */
export const COSTLY_MESSAGES: Readonly<Record<string, () => CostlyMessage | Promise<CostlyMessage>>> = {
  "8 signers' certificates and 56 authorities of one name, P-521": () =>
    manyCandidates(8, () => spkiOf(KEY_KINDS["p-521"]())),
  "32 signers' certificates and 32 authorities of one name, P-384": () =>
    manyCandidates(32, () => spkiOf(KEY_KINDS["p-384"]())),
  "32 signers' certificates and 32 authorities of one name, P-256": () =>
    manyCandidates(32, () => spkiOf(KEY_KINDS["p-256"]())),
  "8 signers' certificates and 56 authorities of one name, RSA-8192": () =>
    manyCandidates(8, () => rsaModulus(8192), 8192),
  "64 certificates that are not by the authority that they name, P-521": () => wrongSignatures("p-521"),
  "64 certificates that are not by the authority that they name, P-256": () => wrongSignatures("p-256"),
  "16 signers, P-521": () => manySigners("p-521"),
  "16 signers, P-384": () => manySigners("p-384"),
  "8 names that certify each other": () => maze(8),
  "16 names that certify each other": () => maze(16),
  "40 policies that become each other at each of 8 levels": () =>
    chain(8, [policies(40), mappings(36)], [policies(40)], 1),
  "2,000 policies at each of 5 levels": () => chain(5, [policies(2000)], [policies(2000)], 1),
  "99 names under 99 constraints": () => chain(1, [excluding(hosts(99, "x"))], [named(hosts(99, "h"))], 1),
  "99 names under 99 constraints, for 30 certificates": () =>
    chain(1, [excluding(hosts(99, "x"))], [named(hosts(99, "h"))], 30),
  "99 directory names under 99": () => chain(1, [excluding(directories(99, 20))], [named(directories(99, 20))], 1),
  "directory names of 120 parts": () => chain(1, [excluding(directories(30, 120))], [named(directories(30, 120))], 3),
  "3,500 names in each of 4 certificates": () => chain(1, [], [named(hosts(3_500, "h"))], 4),
  "60 certificates of 4 KiB": () => chain(1, [], [named(hosts(220, "h"))], 60),
  "16 signers with a time stamp each, P-521": () => clocks("p-521"),
  "16 signers with a time stamp each, P-256": () => clocks("p-256"),
};
