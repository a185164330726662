/**
 * Well-made certificates, CRLs and messages for fuzzers to damage: the same bytes in every run, so that a seed brings a
 * finding back.
 */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { element, identifier, integer, NULL, sequence } from "../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../src/trust/asn1/oid.js";
import { context } from "../../src/trust/asn1/tag.js";
import { hash } from "../../src/trust/base/digest.js";
import { Authority, distinguishedName, extension } from "../../src/trust/issuing/authority.js";
import { signKernel, signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import type { Certificate } from "../../src/trust/x509/certificate.js";

export interface FuzzMaterial {
  readonly root: Certificate;
  /** The moment at which everything is in its time. */
  readonly at: number;
  readonly data: Buffer;
  readonly certificates: readonly Buffer[];
  readonly crls: readonly Buffer[];
  readonly messages: readonly Buffer[];
  readonly all: readonly Buffer[];
}

const START = Date.UTC(2026, 0, 1);
const END = Date.UTC(2056, 0, 1);
const AT = Date.UTC(2030, 0, 1);

/** Ed25519 signs the same bytes the same way each time. */
function fixedKey(name: string): KeyObject {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const key = Buffer.concat([prefix, Buffer.from(hash("sha256", Buffer.from(name)), "hex")]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

const request = (name: string, serial: bigint) => ({
  subject: [
    ["2.5.4.6", "DE"],
    ["2.5.4.10", "Example"],
    ["2.5.4.3", name],
  ] as const,
  key: fixedKey(name),
  serial,
  notBefore: START,
  notAfter: END,
});

/** An extension of each kind that has a reader. */
function everyExtension(): readonly Buffer[] {
  const policy = identifier("1.3.6.1.4.1.99999.1");
  const dns = element(context(2, false), Buffer.from("example.org"));
  const point = element(
    context(0, true),
    element(context(0, true), element(context(4, true), distinguishedName("Point"))),
  );
  return [
    extension(EXTENSION.certificatePolicies, sequence(sequence(policy))),
    extension(EXTENSION.policyMappings, sequence(sequence(policy, identifier("1.3.6.1.4.1.99999.2")))),
    extension(EXTENSION.policyConstraints, sequence(element(context(0, false), Buffer.of(3)))),
    extension(EXTENSION.inhibitAnyPolicy, integer(2)),
    extension(EXTENSION.nameConstraints, sequence(element(context(1, true), sequence(dns))), true),
    extension(EXTENSION.subjectAltName, sequence(dns)),
    extension(EXTENSION.crlDistributionPoints, sequence(sequence(point))),
  ];
}

/** A key of which nobody has the private part. */
function rsaKey(): Buffer {
  const modulus = [0, 1, 2, 3].map((part) => hash("sha512", Buffer.of(part))).join("");
  const numbers = sequence(integer(BigInt(`0xf${modulus.slice(1, -1)}f`)), integer(65537));
  return sequence(sequence(identifier("1.2.840.113549.1.1.1"), NULL), element(0x03, Buffer.of(0), numbers));
}

export function material(): FuzzMaterial {
  const root = Authority.create(request("Root", 1n));
  const middle = root.subordinate({ ...request("Middle", 2n), authority: 2, extensions: everyExtension() });
  const first = middle.issue(request("First", 3n));
  const second = middle.issue({ ...request("Second", 4n), usage: ["codeSigning", "timeStamping"] });
  const rsa = middle.certify(request("RSA", 5n), rsaKey());
  const data = Buffer.from("what is signed");
  const period = { thisUpdate: START, nextUpdate: END };
  const scope = extension(
    EXTENSION.issuingDistributionPoint,
    sequence(element(context(1, false), Buffer.of(0xff))),
    true,
  );
  const crls = [
    root.revocationList(period),
    middle.revocationList({
      ...period,
      entries: [
        { serial: 50n, at: START },
        { serial: 60n, at: AT },
      ],
      extensions: [scope],
    }),
  ];
  const chain = [middle.certificate];
  const messages = [
    signPkcs7(data, { ...first, chain }, { at: START }),
    signPkcs7(data, [first, { ...second, chain }], { at: START }),
    signKernel(data, first),
  ];
  const certificates = [root, middle, first, second].map(({ certificate }) => certificate.der).concat(rsa);
  return {
    root: root.certificate,
    at: AT,
    data,
    certificates,
    crls,
    messages,
    all: [...certificates, ...crls, ...messages],
  };
}
