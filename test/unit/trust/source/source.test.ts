import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { element, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../../../src/trust/asn1/oid.js";
import { writePem } from "../../../../src/trust/asn1/pem.js";
import { Authority, extension, KEY_KINDS } from "../../../../src/trust/issuing/authority.js";
import { publicPart } from "../../../../src/trust/issuing/private-key.js";
import { signKernel, signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { KeyringReport } from "../../../../src/trust/keyring-report.js";
import { readMaterial } from "../../../../src/trust/source/source.js";
import { file, trusting } from "../../../support/trust.js";

const NOW = Date.now();
const data = Buffer.from("instructions");
const root = Authority.create({ subject: "Root" });
const other = Authority.create({ subject: "Other" });
const signer = other.issue({ subject: "Signer" });

/** keyUsage with zero bits behind the last one that is set, as some authorities have it: BER, and no DER. */
const spki = publicPart(KEY_KINDS["p-256"]());
const odd = root.certify(
  {
    subject: "Odd",
    keyUsage: null,
    extensions: [extension(EXTENSION.keyUsage, element(0x03, Buffer.of(0, 0x06)), true)],
  },
  spki,
);
const damaged = Buffer.concat([odd.subarray(0, odd.length - 1), Buffer.of(0, 0)]);
const pem = (der: Buffer): string => writePem("CERTIFICATE", der);
const noCertificate = sequence(sequence());

describe("a certificate that is not DER", () => {
  const bundle = [other.pem.certificate, pem(odd), root.pem.certificate].join("");
  const rules = {
    trust: [file("bundle.pem", bundle)],
    revoked: { crls: [], certificates: [], digests: [] },
    usage: ["codeSigning"],
    validity: "now",
  } as const;

  it("is left out of a bundle of anchors, with its number, its subject and the cause", () => {
    const { certificates, rejected } = readMaterial(rules.trust, "anchors");
    expect(certificates.map(String)).toEqual(["CN=Other", "CN=Root"]);
    expect(rejected).toMatchObject([
      {
        name: "bundle.pem block 2 `CN=Odd`",
        error: { code: "CERTIFICATE_MALFORMED", message: "trailing zero bits in a list of bits" },
      },
    ]);
  });

  it("is in the report of the keyring, and the others of its file are good", () => {
    const shown = new KeyringReport(rules)
      .entries(NOW)
      .map(({ kind, name, refusal }) => [kind, name, refusal?.verdict]);
    expect(shown).toEqual([
      ["certificate", "CN=Other", undefined],
      ["certificate", "CN=Root", undefined],
      ["rejected certificate", "bundle.pem block 2 `CN=Odd`", -ERRNO.EBADMSG],
    ]);
    const stamps = { ...rules, timestamps: { trust: [file("tsa.pem", bundle)] } };
    expect(new KeyringReport(stamps).entries(NOW).filter(({ kind }) => kind === "rejected certificate")).toHaveLength(
      2,
    );
  });

  it("is named where a signer is not known, and does not matter to the others", () => {
    const keyring = trusting([bundle]);
    expect(keyring.verify(data, signPkcs7(data, signer), "PKCS7", NOW).verdict).toBe(0);
    expect(keyring.verify(data, signKernel(data, signer), "PKCS7", NOW)).toMatchObject({
      verdict: -ERRNO.ENOKEY,
      reason: expect.stringMatching(/; not used because it cannot be read: \S+ block 2 `CN=Odd`$/),
    });
  });

  it("makes a file of its own unusable, and one in which all are so", () => {
    expect(() => trusting([pem(odd)])).toThrowError(
      expect.objectContaining({ code: "CERTIFICATE_MALFORMED", place: expect.stringContaining("`CN=Odd`: byte") }),
    );
    expect(() => trusting([pem(odd) + pem(odd)])).toThrowError(
      expect.objectContaining({ place: expect.stringContaining("block 1 `CN=Odd`: byte") }),
    );
  });

  it.each([
    ["the block list", { crls: [], certificates: [file("list.pem", bundle)], digests: [] }],
    ["the files of revocation lists", { crls: [file("list.pem", bundle)], certificates: [], digests: [] }],
  ])("is never left out of %s", (_, revoked) => {
    expect(() => trusting([root.pem.certificate], { revoked })).toThrowError(
      expect.objectContaining({
        code: "CERTIFICATE_MALFORMED",
        place: expect.stringContaining("list.pem: block 2 `CN=Odd`: byte"),
      }),
    );
  });

  it.each([
    ["damaged", damaged, "block 2"],
    ["no certificate", noCertificate, "block 2"],
  ])("is named only by its number if its subject cannot be read: %s", (_, der, name) => {
    const trust = [file("bundle.pem", root.pem.certificate + pem(der))];
    expect(readMaterial(trust, "anchors").rejected[0]?.name).toBe(`bundle.pem ${name}`);
  });
});
