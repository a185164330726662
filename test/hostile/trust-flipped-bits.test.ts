// @module-tag deep
/**
 * Single bits of what is signed, of the signature and of the certificate in it, turned over: each refusal has its
 * errno. Of signatures and certificates a tenth of the bits; all of them with COUNTERSIGN_COMPLETE=1.
 */
import { describe, expect, it } from "vitest";
import { verdictName } from "../../src/errno.js";
import { readSignedData } from "../../src/trust/cms/cms.js";
import { Authority, type KeyKind } from "../../src/trust/issuing/authority.js";
import { signKernel, signModule, signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { bitsOf, COMPLETE, SHARE } from "../support/share.js";
import { trusting } from "../support/trust.js";

const data = Buffer.from("r0 = 2; exit");

/** The verdicts over single bits of `bytes`, sorted. A good one is an accident that must not happen. */
function flip(
  bytes: Buffer,
  judge: (flipped: Buffer) => number,
  from = 0,
  to = bytes.length,
  bits = bitsOf(to - from),
): readonly string[] {
  const verdicts = new Set<string>();
  for (const bit of bits) {
    const flipped = Buffer.from(bytes);
    const at = from + (bit >> 3);
    flipped[at] = (flipped[at] as number) ^ (0x80 >> (bit & 7));
    const name = verdictName(judge(flipped));
    if (name === "0") expect.fail(`bit ${8 * from + bit} can be turned over unnoticed`);
    verdicts.add(name);
  }
  return [...verdicts].sort();
}

const DATA_BITS = Array.from({ length: 8 * data.length }, (_, bit) => bit);
const flipData = (judge: (flipped: Buffer) => number): readonly string[] =>
  flip(data, judge, 0, data.length, DATA_BITS);

const REFUSALS = ["-EBADMSG", "-EKEYREJECTED", "-ENOKEY", "-ENOPKG"];

describe.each<KeyKind>(["rsa-2048", "p-256", "ed25519"])(
  `one flipped bit, with a signer of kind %s (${SHARE})`,
  (kind) => {
    const root = Authority.create({ subject: "Root", key: "p-256" });
    const signer = root.issue({ subject: "Signer", key: kind });
    const now = Date.now();
    const byRoot = trusting([root.pem.certificate]);
    const direct = trusting([signer.pem.certificate]);

    it("in the data: the key rejects it", () => {
      const signature = signPkcs7(data, signer);
      const verdicts = flipData((flipped) => byRoot.verify(flipped, signature, "PKCS7", now).verdict);
      expect(verdicts).toEqual(["-EKEYREJECTED"]);
      const kernel = signKernel(data, signer);
      const more = flipData((flipped) => direct.verify(flipped, kernel, "PKCS7", now).verdict);
      expect(more).toEqual(["-EKEYREJECTED"]);
    });

    it("in the value of the signature: the key rejects it", () => {
      const signature = signKernel(data, signer);
      const length = readSignedData(signature).signers[0]?.signature.length as number;
      const judge = (flipped: Buffer): number => direct.verify(data, flipped, "PKCS7", now).verdict;
      expect(flip(signature, judge, signature.length - length)).toEqual(["-EKEYREJECTED"]);
    });

    it("anywhere in a signature with attributes and a certificate: refused", () => {
      const signature = signPkcs7(data, signer);
      const verdicts = flip(signature, (flipped) => byRoot.verify(data, flipped, "PKCS7", now).verdict);
      if (COMPLETE) expect(verdicts).toEqual(REFUSALS);
      expect(REFUSALS).toEqual(expect.arrayContaining([...verdicts]));
    });

    it("anywhere in the certificate that the signature carries: refused", () => {
      const signature = signPkcs7(data, signer);
      const at = signature.indexOf(signer.certificate.der);
      const judge = (flipped: Buffer): number => byRoot.verify(data, flipped, "PKCS7", now).verdict;
      const verdicts = flip(signature, judge, at, at + signer.certificate.der.length);
      expect(REFUSALS).toEqual(expect.arrayContaining([...verdicts]));
    });

    it("anywhere in a kernel's signature, and in a module that carries one: refused", () => {
      flip(signKernel(data, signer), (flipped) => direct.verify(data, flipped, "PKCS7", now).verdict);
      const verdicts = flip(signModule(data, signer), (flipped) => direct.verify(flipped, null, "MODSIG", now).verdict);
      expect(verdicts).toContain("-ENODATA");
    });
  },
);
