import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { verdictName } from "../../../../src/errno.js";
import { hash } from "../../../../src/trust/base/digest.js";
import { trusting } from "../../../support/trust.js";

const data = Buffer.from("data");
const pair = (type: string, options: object = {}): { publicKey: KeyObject; privateKey: KeyObject } =>
  (generateKeyPairSync as (type: string, options: object) => { publicKey: KeyObject; privateKey: KeyObject })(
    type,
    options,
  );
const pem = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }).toString();

describe("signatures of type RAW", () => {
  it.each([
    ["RSA, by SHA-256", "rsa", { modulusLength: 2048 }, "sha256"],
    ["P-256, by SHA-256", "ec", { namedCurve: "P-256" }, "sha256"],
    ["P-384, by SHA-384", "ec", { namedCurve: "P-384" }, "sha384"],
    ["P-521, by SHA-512", "ec", { namedCurve: "P-521" }, "sha512"],
    ["Ed25519", "ed25519", {}, null],
    ["Ed448, which this OpenSSL has", "ed448", {}, null],
  ])("verify by a key without a certificate: %s", (_what, type, options, digest) => {
    const { publicKey, privateKey } = pair(type, options);
    const keyring = trusting([pem(publicKey), pem(pair("ed25519").publicKey)]);
    const signature = sign(digest, data, privateKey);
    const verdict = (over: Buffer, value: Buffer): string => verdictName(keyring.verify(over, value, "RAW", 0).verdict);
    expect(verdict(data, signature)).toBe("0");
    expect(keyring.verify(data, signature, "RAW", 0).signer).toBe(
      `key ${hash("sha256", publicKey.export({ type: "spki", format: "der" }))}`,
    );
    expect(verdict(Buffer.from("date"), signature)).toBe("-EKEYREJECTED");
    expect(verdict(data, signature.subarray(1))).toBe("-EKEYREJECTED");
    expect(verdict(data, Buffer.alloc(0))).toBe("-EKEYREJECTED");
  });

  it("need a key in the keyring, and not one that is on the block list", () => {
    const { publicKey, privateKey } = pair("ed25519");
    const signature = sign(null, data, privateKey);
    const fingerprint = hash("sha256", publicKey.export({ type: "spki", format: "der" }));
    const revoked = { crls: [], certificates: [], digests: [`key:${fingerprint}`] };
    expect(verdictName(trusting([pem(publicKey)], { revoked }).verify(data, signature, "RAW", 0).verdict)).toBe(
      "-EKEYREVOKED",
    );
    expect(verdictName(trusting([pem(pair("ed25519").publicKey)]).verify(data, signature, "RAW", 0).verdict)).toBe(
      "-EKEYREJECTED",
    );
  });

  it.each([
    ["an RSA key that is too short", "rsa", { modulusLength: 1024 }, "an RSA key of 1024 bits, fewer than 2048"],
    [
      "an RSA key with a small exponent",
      "rsa",
      { modulusLength: 2048, publicExponent: 3 },
      "an RSA exponent that is even or below 65537",
    ],
    ["a curve that is not listed", "ec", { namedCurve: "secp256k1" }, "EC curve 1.3.132.0.10 is not supported"],
    ["a key for agreeing on keys", "x25519", {}, "key type 1.3.101.110 is not supported"],
  ])("are by no key like %s: the keyring does not open", (_what, type, options, message) => {
    expect(() => trusting([pem(pair(type, options).publicKey)])).toThrow(
      expect.objectContaining({ code: "KEY_MALFORMED", message, place: "keyring `test`: trust-0.pem" }),
    );
  });

  it("are tried by sixty-four keys at most", () => {
    const keys = Array.from({ length: 65 }, () => pem(pair("ed25519").publicKey));
    expect(() => trusting([keys.join("")])).toThrow(expect.objectContaining({ code: "KEYRING_INVALID" }));
  });
});
