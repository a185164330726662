// @module-tag deep
/**
 * Messages that are made to take long end at the effort limit; honest ones that need many tries do not come near it.
 */

import { describe, expect, it } from "vitest";
import { identifierOf, sequence } from "../../src/trust/asn1/der-writer.js";
import { EXTENSION, KEY_PURPOSE } from "../../src/trust/asn1/oid.js";
import { MAX_EFFORT } from "../../src/trust/base/effort.js";
import { Authority, extension, KEY_KINDS, type KeyKind } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { localStamper, stamped } from "../../src/trust/issuing/time-stamp-maker.js";
import { message } from "../support/cms.js";
import { byKeyId, COSTLY_MESSAGES, certificate, FOR_CODE, keyId, spkiOf } from "../support/costly-messages.js";
import { file, trusting } from "../support/trust.js";
import { worked } from "../support/work.js";

const NOW = Date.now();
const data = Buffer.from("instructions");

/** Those that are within the limit: they take no longer than others. */
const GOOD = new Set([
  "99 names under 99 constraints",
  "99 names under 99 constraints, for 30 certificates",
  "3,500 names in each of 4 certificates",
  "60 certificates of 4 KiB",
  "16 signers with a time stamp each, P-256",
]);

describe("a message made to take long", () => {
  it.each(Object.entries(COSTLY_MESSAGES))("%s", async (name, make) => {
    const { keyring, data: signed, message: costly } = await make();
    expect(costly.length).toBeLessThanOrEqual(256 * 1024);
    const judge = keyring();
    const at = Date.now() + 2_000;
    const { result, blocks } = worked(() => judge.verify(signed, costly, "PKCS7", at));
    const expected = GOOD.has(name) ? { verdict: 0 } : { rule: "effort limit" };
    expect(result).toMatchObject(expected);
    expect(blocks).toBeLessThan(100 * MAX_EFFORT + 20 * costly.length);
    // The outcome is the same where certificates and signatures are remembered
    const again = Buffer.from(costly);
    judge.verify(Buffer.from("other"), costly, "PKCS7", at);
    expect(judge.verify(signed, again, "PKCS7", at + 1)).toMatchObject(expected);
  });
});

const KINDS: readonly KeyKind[] = ["rsa-2048", "p-256", "p-384", "p-521", "ed25519"];

describe("an honest message", () => {
  it.each(KINDS)("of two intermediates, with a time stamp of two more, by keys of kind %s", async (key) => {
    const root = Authority.create({ subject: "Root", key });
    const upper = root.subordinate({ subject: "Upper", key });
    const lower = upper.subordinate({ subject: "Lower", key });
    const signer = lower.issue({ subject: "Signer", key });
    const usage = extension(
      EXTENSION.extendedKeyUsage,
      sequence(identifierOf(KEY_PURPOSE.timeStamping as string)),
      true,
    );
    const time = Authority.create({ subject: "Time", key });
    const between = time.subordinate({ subject: "Between", key });
    const clock = between.issue({ subject: "Clock", key, usage: null, extensions: [usage] });
    const signature = signPkcs7(data, { ...signer, chain: [lower.certificate, upper.certificate] });
    const kept = await stamped(
      signature,
      localStamper({ ...clock, chain: [between.certificate] }, () => NOW - 1000),
    );
    const keyring = trusting([root.pem.certificate], { timestamps: { trust: [file("t", time.pem.certificate)] } });
    expect(keyring.verify(data, kept, "PKCS7", Date.now())).toMatchObject({ verdict: 0 });
  });

  // The certificates say of no key which it is
  it.each(["p-256", "p-384"] as const)("by the last of a hundred authorities of one name, %s", (kind) => {
    const keys = Array.from({ length: 100 }, () => KEY_KINDS[kind]());
    const by = Authority.create({ subject: "Name", key: kind });
    const anchors = keys.map((key) => Authority.create({ subject: "Name", key }));
    const keyring = trusting([[...anchors, by].map(({ pem }) => pem.certificate).join("")], { profile: "compatible" });
    const key = KEY_KINDS["p-256"]();
    const parts = { subject: "Signer", issuer: "Name", spki: spkiOf(key), extensions: [keyId("one"), FOR_CODE] };
    for (const { key: authority } of [anchors[0]!, anchors.at(-1)!, by]) {
      const signer = certificate({ ...parts, by: authority });
      const signed = message([byKeyId("one", key)], { version: 3, certificates: [signer] });
      expect(keyring.verify(data, signed, "PKCS7", Date.now())).toMatchObject({ verdict: 0 });
    }
  });

  it("by the last of a hundred certificates with one key identifier", () => {
    const root = KEY_KINDS["p-256"]();
    const keys = Array.from({ length: 100 }, () => KEY_KINDS["p-256"]());
    const parts = { subject: "Signer", issuer: "Root", by: root, extensions: [keyId("one"), FOR_CODE] };
    const keyring = trusting(
      keys.map((key) => certificate({ ...parts, spki: spkiOf(key) })),
      { profile: "compatible" },
    );
    for (const index of [0, 8, 99]) {
      const signed = message([byKeyId("one", keys[index]!)], { version: 3 });
      expect(keyring.verify(data, signed, "PKCS7", Date.now())).toMatchObject({ verdict: 0 });
    }
  });
});
