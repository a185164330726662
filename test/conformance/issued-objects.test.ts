/** What Countersign issues, read by pkijs: each field equals what was asked for, and pkijs encodes the same bytes. */
import {
  type AttributeTypeAndValue,
  type AuthorityKeyIdentifier,
  type BasicConstraints,
  Certificate,
  CertificateRevocationList,
  ContentInfo,
  type Extension,
  type ExtKeyUsage,
  type IssuerAndSerialNumber,
  SignedData,
  type SignerInfo,
  TimeStampReq,
  TSTInfo,
} from "pkijs";
import { describe, expect, it } from "vitest";
import { hash } from "../../src/trust/base/digest.js";
import { Authority, type Issued, KEY_KINDS, type KeyKind } from "../../src/trust/issuing/authority.js";
import { publicPart } from "../../src/trust/issuing/private-key.js";
import { signKernel, signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { localStamper, stamped, timeStampRequest } from "../../src/trust/issuing/time-stamp-maker.js";

const SECOND = 1000;
const NOW = Math.floor(Date.now() / SECOND) * SECOND;
const LATER = Date.UTC(2051, 5, 1);
const KINDS = (Object.keys(KEY_KINDS) as KeyKind[]).filter((kind) => kind !== "rsa-4096");
/** pkijs 4 cannot verify Ed25519. */
const VERIFIABLE = KINDS.filter((kind) => kind !== "ed25519");

const root = Authority.create({
  subject: [
    ["2.5.4.10", "Example"],
    ["2.5.4.3", "Rööt"],
  ],
  key: "p-256",
  serial: 0x80n,
});
const signers: ReadonlyMap<KeyKind, Issued> = new Map(
  KINDS.map((kind, index) => {
    const validity = { notBefore: NOW, notAfter: LATER };
    const subject = `Signer ${kind}`;
    return [kind, root.issue({ subject, key: kind, serial: BigInt(index) * 0x80n + 1n, ...validity })] as const;
  }),
);
const signerOf = (kind: KeyKind): Issued => signers.get(kind) as Issued;
const data = Buffer.from("instructions");

/** A buffer of its own, as WebCrypto and pkijs take it. */
const whole = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
const hex = (bytes: ArrayBuffer | Uint8Array): string => Buffer.from(bytes as Uint8Array).toString("hex");
const encoded = (one: { toSchema(own?: boolean): { toBER(): ArrayBuffer } }, own?: boolean): string =>
  hex(one.toSchema(own).toBER());
const names = ({ typesAndValues }: { typesAndValues: AttributeTypeAndValue[] }): string[] =>
  typesAndValues.map(({ type, value }) => `${type}=${value.valueBlock.value}`);
const extensionOf = (extensions: readonly Extension[] = [], id: string): Extension =>
  extensions.find(({ extnID }) => extnID === id) as Extension;

describe("a certificate", () => {
  it.each(KINDS)("for a key of kind %s has the fields that were asked for", (kind) => {
    const { certificate, key } = signerOf(kind);
    const read = Certificate.fromBER(whole(certificate.der));
    expect(encoded(read, true)).toBe(hex(certificate.der));
    expect(read.version).toBe(2);
    expect(read.serialNumber.toBigInt()).toBe(BigInt(KINDS.indexOf(kind)) * 0x80n + 1n);
    expect(names(read.subject)).toEqual([`2.5.4.3=Signer ${kind}`]);
    expect(names(read.issuer)).toEqual(["2.5.4.10=Example", "2.5.4.3=Rööt"]);
    expect([read.notBefore.value.getTime(), read.notAfter.value.getTime()]).toEqual([NOW, LATER]);
    expect(encoded(read.subjectPublicKeyInfo)).toBe(hex(publicPart(key)));
    expect(read.signature.isEqual(read.signatureAlgorithm)).toBe(true);
    expect(read.extensions?.map(({ extnID, critical }) => [extnID, critical])).toEqual([
      ["2.5.29.19", true],
      ["2.5.29.15", true],
      ["2.5.29.37", false],
      ["2.5.29.14", false],
      ["2.5.29.35", false],
    ]);
    const parsed = (id: string): unknown => extensionOf(read.extensions, id).parsedValue;
    expect((parsed("2.5.29.19") as BasicConstraints).cA).toBe(false);
    expect((parsed("2.5.29.37") as ExtKeyUsage).keyPurposes).toEqual(["1.3.6.1.5.5.7.3.3"]);
    const usage = parsed("2.5.29.15") as { valueBlock: { valueHexView: Uint8Array; unusedBits: number } };
    expect([hex(usage.valueBlock.valueHexView), usage.valueBlock.unusedBits]).toEqual(["80", 7]);
    const { keyIdentifier } = parsed("2.5.29.35") as AuthorityKeyIdentifier;
    const issuerKey = Buffer.from(root.certificate.subjectKeyIdentifier as string, "latin1");
    expect(hex(keyIdentifier?.valueBlock.valueHexView as Uint8Array)).toBe(hex(issuerKey));
  });

  it("of an authority has its path length and its key usage", () => {
    const { certificate } = Authority.create({ subject: "Root", authority: 3 });
    const { extensions } = Certificate.fromBER(whole(certificate.der));
    const constraints = extensionOf(extensions, "2.5.29.19").parsedValue as BasicConstraints;
    expect(constraints).toMatchObject({ cA: true, pathLenConstraint: 3 });
    const usage = extensionOf(extensions, "2.5.29.15").parsedValue;
    expect([hex(usage.valueBlock.valueHexView), usage.valueBlock.unusedBits]).toEqual(["06", 1]);
  });

  it.each(VERIFIABLE)("issued by a key of kind %s has a signature that pkijs verifies", async (kind) => {
    const issuer = Authority.create({ subject: "Issuer", key: kind });
    const issued = Certificate.fromBER(whole(issuer.issue({ subject: "Issued" }).certificate.der));
    expect(await issued.verify(Certificate.fromBER(whole(issuer.certificate.der)))).toBe(true);
  });
});

describe("a revocation list", () => {
  const entries = [
    { serial: 1n, at: NOW - 5 * SECOND },
    { serial: 0x80n, at: NOW },
  ];
  const der = root.revocationList({ entries, number: 300, thisUpdate: NOW, nextUpdate: LATER });

  it("has the fields that were asked for", () => {
    const read = CertificateRevocationList.fromBER(whole(der));
    expect(encoded(read, true)).toBe(hex(der));
    expect(read.version).toBe(1);
    expect(names(read.issuer)).toEqual(["2.5.4.10=Example", "2.5.4.3=Rööt"]);
    expect([read.thisUpdate.value.getTime(), read.nextUpdate?.value.getTime()]).toEqual([NOW, LATER]);
    const revoked = read.revokedCertificates?.map(({ userCertificate, revocationDate }) => ({
      serial: userCertificate.toBigInt(),
      at: revocationDate.value.getTime(),
    }));
    expect(revoked).toEqual(entries);
    expect(read.crlExtensions?.extensions.map(({ extnID }) => extnID)).toEqual(["2.5.29.35", "2.5.29.20"]);
    expect(extensionOf(read.crlExtensions?.extensions, "2.5.29.20").parsedValue.toBigInt()).toBe(300n);
  });

  it("has a signature that pkijs verifies", async () => {
    const issuerCertificate = Certificate.fromBER(whole(root.certificate.der));
    expect(await CertificateRevocationList.fromBER(whole(der)).verify({ issuerCertificate })).toBe(true);
  });

  it("may be empty", () => {
    const read = CertificateRevocationList.fromBER(whole(root.revocationList({ nextUpdate: null })));
    expect([read.revokedCertificates ?? [], read.nextUpdate]).toEqual([[], undefined]);
  });
});

/** The message, read by pkijs, after a check that pkijs encodes the same bytes. */
function messageIn(cms: Uint8Array): SignedData {
  const info = ContentInfo.fromBER(whole(cms));
  const message = new SignedData({ schema: info.content });
  info.content = message.toSchema();
  expect(encoded(info)).toBe(hex(cms));
  return message;
}

describe("a CMS signature", () => {
  it.each(KINDS)("by a key of kind %s has the fields that were asked for", (kind) => {
    const signer = signerOf(kind);
    const message = messageIn(signPkcs7(data, { ...signer, chain: [root.certificate] }, { at: NOW }));
    expect(message.version).toBe(1);
    const { eContentType, eContent } = message.encapContentInfo;
    expect([eContentType, eContent]).toEqual(["1.2.840.113549.1.7.1", undefined]);
    const carried = message.certificates?.map((one) => encoded(one as Certificate, true)).sort();
    expect(carried).toEqual([signer, root].map(({ certificate }) => hex(certificate.der)).sort());
    const [info, another] = message.signerInfos;
    expect(another).toBeUndefined();
    const { issuer, serialNumber } = (info as SignerInfo).sid as IssuerAndSerialNumber;
    expect(encoded(issuer)).toBe(hex(signer.certificate.issuer.element.whole));
    expect(encoded({ toSchema: () => serialNumber })).toBe(hex(signer.certificate.serial.whole));
    expect(message.digestAlgorithms.map(({ algorithmId }) => algorithmId)).toEqual([info?.digestAlgorithm.algorithmId]);
    const digest = { "p-384": "sha384", "p-521": "sha512", ed25519: "sha512" }[kind as string] ?? "sha256";
    const attributes = new Map(info?.signedAttrs?.attributes.map(({ type, values }) => [type, values[0]]));
    expect([...attributes.keys()].sort()).toEqual(["3", "4", "5"].map((last) => `1.2.840.113549.1.9.${last}`));
    expect(hex(attributes.get("1.2.840.113549.1.9.4").valueBlock.valueHexView)).toBe(hash(digest, data));
    expect(attributes.get("1.2.840.113549.1.9.5").toDate().getTime()).toBe(NOW);
  });

  it.each(VERIFIABLE)("by a key of kind %s is valid to pkijs", async (kind) => {
    const message = messageIn(signPkcs7(data, signerOf(kind)));
    expect(await message.verify({ signer: 0, data: whole(data), checkChain: false })).toBe(true);
    await expect(message.verify({ signer: 0, data: whole(Buffer.from("other")) })).rejects.toThrow("digest");
  });

  it("of several signers has all of them", () => {
    const all = KINDS.map(signerOf);
    const { signerInfos } = messageIn(signPkcs7(data, all));
    const serials = signerInfos.map(({ sid }) => (sid as IssuerAndSerialNumber).serialNumber.toBigInt());
    expect(serials.sort()).toEqual(KINDS.map((_, index) => BigInt(index) * 0x80n + 1n).sort());
  });

  it("for the kernel names its signer by key, without attributes and certificates", () => {
    const signer = signerOf("p-256");
    const message = messageIn(signKernel(data, signer));
    expect([message.version, message.certificates ?? []]).toEqual([3, []]);
    const [info] = message.signerInfos;
    expect([info?.version, info?.signedAttrs]).toEqual([3, undefined]);
    expect(hex(info?.sid.valueBlock.valueHexView)).toBe(
      hex(Buffer.from(signer.certificate.subjectKeyIdentifier as string, "latin1")),
    );
  });
});

describe("a time stamp", () => {
  const clock = root.issue({ subject: "Clock", usage: ["timeStamping"] });

  it("has the imprint of the signature and its time", async () => {
    const plain = signPkcs7(data, signerOf("p-256"));
    const [signature] = messageIn(plain).signerInfos.map((info) => info.signature.valueBlock.valueHexView);
    const kept = await stamped(
      plain,
      localStamper(clock, () => NOW),
    );
    const [info] = messageIn(kept).signerInfos;
    const [attribute] = info?.unsignedAttrs?.attributes ?? [];
    expect(attribute?.type).toBe("1.2.840.113549.1.9.16.2.14");
    const { content } = new ContentInfo({ schema: attribute?.values[0] });
    const token = new SignedData({ schema: content });
    expect(token.encapContentInfo.eContentType).toBe("1.2.840.113549.1.9.16.1.4");
    const bytes = token.encapContentInfo.eContent?.getValue() as ArrayBuffer;
    const stamp = TSTInfo.fromBER(bytes);
    expect(encoded(stamp)).toBe(hex(bytes));
    expect([stamp.version, stamp.policy, stamp.genTime.getTime()]).toEqual([1, "2.5.29.32.0", NOW]);
    expect(stamp.messageImprint.hashAlgorithm.algorithmId).toBe("2.16.840.1.101.3.4.2.1");
    expect(hex(stamp.messageImprint.hashedMessage.valueBlock.valueHexView)).toBe(
      hash("sha256", signature as Uint8Array),
    );
    expect(await token.verify({ signer: 0, data: whole(signature as Uint8Array) })).toBe(true);
  });

  it("is asked for with a nonce and the authority's certificate", () => {
    const { der, nonce } = timeStampRequest(data);
    const request = TimeStampReq.fromBER(whole(der));
    expect(encoded(request)).toBe(hex(der));
    expect([request.version, request.certReq]).toEqual([1, true]);
    expect(hex(request.messageImprint.hashedMessage.valueBlock.valueHexView)).toBe(hash("sha256", data));
    expect(hex(request.nonce?.toBER() as ArrayBuffer)).toBe(hex(nonce));
  });
});
