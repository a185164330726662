import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { element, identifier, integer, NULL, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { writePem } from "../../../../src/trust/asn1/pem.js";
import { TAG } from "../../../../src/trust/asn1/tag.js";
import { hash } from "../../../../src/trust/base/digest.js";
import { Authority, type Issued } from "../../../../src/trust/issuing/authority.js";
import { publicPart } from "../../../../src/trust/issuing/private-key.js";
import { signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { readPublicKey } from "../../../../src/trust/key/key.js";
import { file, trusting } from "../../../support/trust.js";

const NOW = Date.now();
const data = Buffer.from("instructions");
const root = Authority.create({ subject: "Root" });

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const SHA256 = sequence(identifier("2.16.840.1.101.3.4.2.1"));
const MGF = sequence(identifier("1.2.840.113549.1.1.8"), SHA256);
const PSS = identifier("1.2.840.113549.1.1.10");
const salted = (salt: number): Buffer =>
  sequence(element(0xa0, SHA256), element(0xa1, MGF), element(0xa2, integer(salt)));
const RSA = sequence(identifier("1.2.840.113549.1.1.1"), NULL);

/** The algorithms that one RSA key may be announced with in a certificate. */
const ALGORITHMS: Readonly<Record<string, Buffer>> = {
  rsaEncryption: RSA,
  "id-RSASSA-PSS": sequence(PSS),
  "id-RSASSA-PSS bound to SHA-256": sequence(PSS, salted(32)),
};

const KEYS: ReadonlyMap<string, KeyObject> = new Map(
  Object.entries(ALGORITHMS).map(([name, algorithm]) => {
    const pkcs1 = element(TAG.octetString, rsa.export({ type: "pkcs1", format: "der" }));
    const pkcs8 = sequence(integer(0), algorithm, pkcs1);
    return [name, createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })];
  }),
);
const keyOf = (name: string): KeyObject => KEYS.get(name) as KeyObject;
const certified = (name: string): Issued => root.issue({ subject: name, key: keyOf(name) });

describe("one RSA key in several encodings", () => {
  const names = [...KEYS.keys()];
  const pairs = names.flatMap((one) => names.filter((other) => other !== one).map((other) => [one, other] as const));

  it("has one identity", () => {
    const keys = [...KEYS.values()].map((key) => readPublicKey(publicPart(key)));
    expect(new Set(keys.map(({ identity }) => identity)).size).toBe(1);
  });

  it.each(pairs)("counts once among signers: %s and %s", (one, other) => {
    const cms = signPkcs7(data, [certified(one), certified(other)]);
    const trust = [root.pem.certificate];
    expect(trusting(trust).verify(data, cms, "PKCS7", NOW).verdict).toBe(0);
    expect(trusting(trust, { signers: 2 }).verify(data, cms, "PKCS7", NOW)).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "number of signers",
    });
  });

  it.each(pairs)("is on the block list in each: listed as %s, used as %s", (listed, used) => {
    const spki = publicPart(keyOf(listed));
    const cms = signPkcs7(data, certified(used));
    const none = { crls: [], certificates: [], digests: [] };
    const lists = [
      { ...none, certificates: [file("key.pem", writePem("PUBLIC KEY", spki))] },
      // Parameters that bind the key cannot be guessed from another encoding
      ...(listed.includes("bound") ? [] : [{ ...none, digests: [`key:${hash("sha256", spki)}`] }]),
    ];
    for (const list of lists)
      expect(trusting([root.pem.certificate], { revoked: list }).verify(data, cms, "PKCS7", NOW)).toMatchObject({
        verdict: -ERRNO.EKEYREVOKED,
        rule: "block list",
      });
  });
});
