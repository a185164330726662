import { describe, expect, it } from "vitest";
import { encodeList, parseList } from "../../../src/seal/list.js";
import { TrustedKey } from "../../../src/seal/trusted-key.js";
import { hash } from "../../../src/trust/base/digest.js";
import { Authority, type Issued } from "../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../src/trust/issuing/sign-cms.js";
import { rejection } from "../../support/rejection.js";
import { entry, ORIGIN } from "../../support/seal-list.js";

const root = Authority.create({ subject: "Root", keyUsage: [0, 5] });
const signer = root.issue({ subject: "Signer" });
const expired = root.issue({ subject: "Expired", notBefore: 0, notAfter: 1_000_000_000 });
const other = root.issue({ subject: "Other" });
const list = parseList(encodeList([entry(1)], ORIGIN));
const keyOf = ({ pem }: Pick<Issued, "pem">) =>
  new TrustedKey({ path: "key.pem", bytes: Buffer.from(pem.certificate) });
const signed = (by: Issued, of = list) => signPkcs7(of.signed, by);

describe("the trusted key of a seal", () => {
  it("is known by the SHA-256 of its certificate, from PEM or DER", () => {
    const der = signer.certificate.element.whole;
    expect(keyOf(signer).fingerprint).toBe(hash("sha256", der));
    expect(new TrustedKey({ path: "key.der", bytes: der }).certificate).toEqual(keyOf(signer).certificate);
  });

  it("takes a list that it signed", () => {
    expect(() => keyOf(signer).requireSigned(list, signed(signer), Date.now())).not.toThrow();
    expect(() => keyOf(root).requireSigned(list, signed(root), Date.now())).not.toThrow();
  });

  const changed = parseList(encodeList([entry(2)], ORIGIN));
  it.each([
    ["has no signature", signer, null, "there is no signature [signature present]"],
    ["was signed by another key", signer, signed(other), "which is not in the keyring"],
    ["was signed by a key that it issued", root, signed(signer), "signed by `CN=Signer`, whom it only vouches for"],
    ["has a signature over another list", signer, signed(signer, changed), "the digests differ"],
    ["was signed with a certificate that has expired", expired, signed(expired), "expired"],
    ["has a signature that is cut short", signer, signed(signer).subarray(0, -1), "cannot be read"],
  ])("does not take a list that %s", (_, key, signature, why) => {
    const error = rejection(() => keyOf(key).requireSigned(list, signature, Date.now()));
    expect(error).toMatchObject({ code: "SEAL_LIST_UNSIGNED", message: expect.stringContaining(why) });
  });

  it.each([
    ["two certificates", signer.pem.certificate + other.pem.certificate, "has 2 certificates"],
    ["a public key only", "", "has 0 certificates"],
    ["Ed25519", root.issue({ subject: "E", key: "ed25519" }).pem.certificate, "has a key of type ed25519"],
  ])("is not %s", (_, pem, why) => {
    const spki = signer.certificate.publicKey.spki.whole.toString("base64");
    const text = pem === "" ? `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n` : pem;
    const error = rejection(() => new TrustedKey({ path: "key.pem", bytes: Buffer.from(text) }));
    expect(error).toMatchObject({
      code: "SEAL_KEY_UNSUPPORTED",
      message: expect.stringContaining(why),
      place: "key.pem",
    });
  });
});
