/**
 * Every single bit of what is signed, of the signature and of the certificate in it, turned over: each refusal has its
 * errno.
 */
import { describe, expect, it } from "vitest";
import { verdictName } from "../../src/errno.js";
import { readSignedData } from "../../src/trust/cms/cms.js";
import { Authority, type KeyKind } from "../../src/trust/making/authority.js";
import { signKernel, signModule, signPkcs7 } from "../../src/trust/making/sign.js";
import { trusting } from "../support/trust.js";

const data = Buffer.from("r0 = 2; exit");

/** Verdicts over all bits of `bytes`, by how often they came. A good one is an accident that must not happen. */
function flipAll(
  bytes: Buffer,
  judge: (flipped: Buffer) => number,
  from = 0,
  to = bytes.length,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let bit = from * 8; bit < to * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (0x80 >> (bit & 7));
    const name = verdictName(judge(flipped));
    if (name === "0") expect.fail(`bit ${bit} can be turned over unnoticed`);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe.each<KeyKind>(["rsa-2048", "p-256", "ed25519"])("one flipped bit, with a signer of kind %s", (kind) => {
  const root = Authority.create({ subject: "Root", key: "p-256" });
  const signer = root.issue({ subject: "Signer", key: kind });
  const now = Date.now();
  const byRoot = trusting([root.pem.certificate]);
  const direct = trusting([signer.pem.certificate]);

  it("in the data: the key rejects it", () => {
    const signature = signPkcs7(data, signer);
    const verdicts = flipAll(data, (flipped) => byRoot.verify(flipped, signature, "PKCS7", now).verdict);
    expect(verdicts).toEqual({ "-EKEYREJECTED": data.length * 8 });
    const kernel = signKernel(data, signer);
    const more = flipAll(data, (flipped) => direct.verify(flipped, kernel, "PKCS7", now).verdict);
    expect(more).toEqual({ "-EKEYREJECTED": data.length * 8 });
  });

  it("in the value of the signature: the key rejects it", () => {
    const signature = signKernel(data, signer);
    const length = readSignedData(signature).signers[0]?.signature.length as number;
    const judge = (flipped: Buffer): number => direct.verify(data, flipped, "PKCS7", now).verdict;
    expect(flipAll(signature, judge, signature.length - length)).toEqual({ "-EKEYREJECTED": length * 8 });
  });

  it("anywhere in a signature with attributes and a certificate: refused", () => {
    const signature = signPkcs7(data, signer);
    const verdicts = flipAll(signature, (flipped) => byRoot.verify(data, flipped, "PKCS7", now).verdict);
    expect(Object.keys(verdicts).sort()).toEqual(["-EBADMSG", "-EKEYREJECTED", "-ENOKEY", "-ENOPKG"]);
  });

  it("anywhere in the certificate that the signature carries: refused", () => {
    const signature = signPkcs7(data, signer);
    const at = signature.indexOf(signer.certificate.der);
    const judge = (flipped: Buffer): number => byRoot.verify(data, flipped, "PKCS7", now).verdict;
    const verdicts = flipAll(signature, judge, at, at + signer.certificate.der.length);
    expect(
      Object.keys(verdicts).filter((name) => !["-EBADMSG", "-EKEYREJECTED", "-ENOKEY", "-ENOPKG"].includes(name)),
    ).toEqual([]);
  });

  it("anywhere in a kernel's signature, and in a module that carries one: refused", () => {
    flipAll(signKernel(data, signer), (flipped) => direct.verify(data, flipped, "PKCS7", now).verdict);
    const verdicts = flipAll(
      signModule(data, signer),
      (flipped) => direct.verify(flipped, null, "MODSIG", now).verdict,
    );
    expect(Object.keys(verdicts).sort()).toContain("-ENODATA");
  });
});
