import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { element, identifierOf, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { EXTENSION, KEY_PURPOSE } from "../../../../src/trust/asn1/oid.js";
import { writePem } from "../../../../src/trust/asn1/pem.js";
import { Authority, extension } from "../../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { localStamper, stamped, timeStampRequest, tokenOf } from "../../../../src/trust/issuing/time-stamp-maker.js";
import type { KeyringRules } from "../../../../src/trust/keyring.js";
import { STAMP_USAGES } from "../../../support/stamp-usages.js";
import { file, trusting } from "../../../support/trust.js";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);
const data = Buffer.from("instructions");

const root = Authority.create({ subject: "Root", notBefore: NOW - 900 * DAY, notAfter: NOW + 900 * DAY });
/** Its certificate ended a hundred days ago. */
const signer = root.issue({ subject: "Signer", notBefore: NOW - 200 * DAY, notAfter: NOW - 100 * DAY, serial: 7n });

const stampUsage = (critical: boolean): Buffer =>
  extension(EXTENSION.extendedKeyUsage, sequence(identifierOf(KEY_PURPOSE.timeStamping as string)), critical);
const stampRoot = Authority.create({ subject: "Time", notBefore: NOW - 900 * DAY, notAfter: NOW + 900 * DAY });
const clock = stampRoot.issue({
  subject: "Clock",
  notBefore: NOW - 900 * DAY,
  notAfter: NOW + 300 * DAY,
  usage: null,
  extensions: [stampUsage(true)],
});

const at = (days: number) => localStamper(clock, () => NOW + days * DAY);
const timestamps = { trust: [file("time.pem", stampRoot.pem.certificate)] };
const keyring = (rules: Partial<KeyringRules> = {}) => trusting([root.pem.certificate], { timestamps, ...rules });
const signature = signPkcs7(data, signer, { at: NOW - 150 * DAY });

const crl = (revokedAt: number, extensions: readonly Buffer[] = []): KeyringRules["revoked"] => ({
  crls: [
    file(
      "root.crl",
      root.revocationList({
        entries: [{ serial: 7n, at: revokedAt, extensions }],
        thisUpdate: NOW - DAY,
        nextUpdate: NOW + DAY,
      }),
    ),
  ],
  certificates: [],
  digests: [],
});

describe("a time stamp", () => {
  it("lets a signature outlive its certificate, for as long as the stamp's own authority is good", async () => {
    const kept = await stamped(signature, at(-150));
    expect(keyring().verify(data, kept, "PKCS7", NOW)).toMatchObject({
      verdict: 0,
      signer: "CN=Signer",
      until: clock.certificate.notAfter + 1000,
    });
    expect(keyring().verify(data, signature, "PKCS7", NOW).verdict).toBe(-ERRNO.EKEYEXPIRED);
    expect(keyring().verify(data, kept, "PKCS7", NOW + 301 * DAY)).toMatchObject({
      verdict: -ERRNO.EKEYEXPIRED,
      reason: expect.stringContaining("the time stamp is rejected"),
    });
  });

  it("from before the certificate of its authority is rejected", async () => {
    const young = stampRoot.issue({
      subject: "Young clock",
      notBefore: NOW - 140 * DAY,
      notAfter: NOW + 300 * DAY,
      usage: null,
      extensions: [stampUsage(true)],
    });
    const by = (time: number) =>
      stamped(
        signature,
        localStamper(young, () => time),
      );
    const early = await by(young.certificate.notBefore - 1000);
    expect(keyring().verify(data, early, "PKCS7", NOW)).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      reason: "the time stamp is from before its authority's certificate",
    });
    const first = await by(young.certificate.notBefore);
    expect(keyring().verify(data, first, "PKCS7", NOW)).toMatchObject({ verdict: 0 });
  });

  it("says nothing to a keyring that trusts no stamps", async () => {
    const kept = await stamped(signature, at(-150));
    expect(keyring({ timestamps: undefined }).verify(data, kept, "PKCS7", NOW).verdict).toBe(-ERRNO.EKEYEXPIRED);
  });

  it("from after the certificate's end, or from the time to come, does not help", async () => {
    const late = await stamped(signature, at(-50));
    expect(keyring().verify(data, late, "PKCS7", NOW).verdict).toBe(-ERRNO.EKEYEXPIRED);
    const ahead = await stamped(signature, at(1));
    expect(keyring().verify(data, ahead, "PKCS7", NOW)).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      reason: "the time stamp is in the future",
    });
  });

  it("of another signature refuses", async () => {
    const other = await at(-150)(Buffer.from("another signature"));
    const moved = await stamped(signature, async () => other);
    expect(keyring().verify(data, moved, "PKCS7", NOW)).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      reason: "the time stamp is for another signature",
    });
  });

  it("by whom the keyring does not know refuses", async () => {
    const stranger = Authority.create({ subject: "Others' time" }).issue({
      subject: "Clock",
      usage: null,
      extensions: [stampUsage(true)],
    });
    const kept = await stamped(
      signature,
      localStamper(stranger, () => NOW - 150 * DAY),
    );
    expect(keyring().verify(data, kept, "PKCS7", NOW)).toMatchObject({ verdict: -ERRNO.ENOKEY });
  });

  it("by a key that is not for time stamping only, in a critical extension, is rejected", async () => {
    for (const extensions of [[stampUsage(false)], []]) {
      const usage = extensions.length === 0 ? ["timeStamping", "codeSigning"] : null;
      const lax = stampRoot.issue({ subject: "Lax clock", notBefore: NOW - 900 * DAY, usage, extensions });
      const kept = await stamped(
        signature,
        localStamper(lax, () => NOW - 150 * DAY),
      );
      expect(keyring().verify(data, kept, "PKCS7", NOW)).toMatchObject({
        verdict: -ERRNO.EKEYREJECTED,
        rule: "RFC 3161 2.3",
      });
    }
  });

  it.each(STAMP_USAGES)("by a key of key usage %j counts: %s", async (keyUsage, counts) => {
    const clock = stampRoot.issue({
      subject: "Clock",
      notBefore: NOW - 900 * DAY,
      keyUsage,
      usage: null,
      extensions: [stampUsage(true)],
    });
    const kept = await stamped(
      signature,
      localStamper(clock, () => NOW - 150 * DAY),
    );
    expect(keyring().verify(data, kept, "PKCS7", NOW)).toMatchObject(
      counts ? { verdict: 0 } : { verdict: -ERRNO.EKEYREJECTED, rule: "RFC 5280 4.2.1.12" },
    );
  });
});

describe("a signer that was revoked", () => {
  const good = { timestamps: { ...timestamps, revoked: "good-before" as const } };

  it("stays rejected in spite of a time stamp, unless the keyring has another rule", async () => {
    const kept = await stamped(signature, at(-150));
    expect(keyring({ revoked: crl(NOW - 120 * DAY) }).verify(data, kept, "PKCS7", NOW).verdict).toBe(
      -ERRNO.EKEYREVOKED,
    );
  });

  it("is valid for signatures that were stamped before, if the keyring has this rule", async () => {
    const revoked = crl(NOW - 120 * DAY);
    const before = await stamped(signature, at(-150));
    expect(keyring({ ...good, revoked }).verify(data, before, "PKCS7", NOW).verdict).toBe(0);
    const after = await stamped(signature, at(-110));
    expect(keyring({ ...good, revoked }).verify(data, after, "PKCS7", NOW)).toMatchObject({
      verdict: -ERRNO.EKEYREVOKED,
      rule: "RFC 5280 6.3.3 (j)",
    });
  });

  it("is not good from the day on that its key is known to have been bad", async () => {
    const bad = new Date(NOW - 160 * DAY).toISOString().replace(/[-:T]|\.\d+/g, "");
    const invalidity = extension(EXTENSION.invalidityDate, element(0x18, Buffer.from(bad)));
    const kept = await stamped(signature, at(-150));
    const revoked = crl(NOW - 120 * DAY, [invalidity]);
    expect(keyring({ ...good, revoked }).verify(data, kept, "PKCS7", NOW).verdict).toBe(-ERRNO.EKEYREVOKED);
  });

  it("is told of by a list whose own signer's certificate came after the stamp", async () => {
    const delegate = root.issue({
      subject: [["2.5.4.3", "Root"]],
      notBefore: NOW - 2 * DAY,
      keyUsage: [6],
      usage: null,
    });
    const list = new Authority(delegate).revocationList({
      entries: [{ serial: 7n, at: NOW - 160 * DAY }],
      thisUpdate: NOW - DAY,
      nextUpdate: NOW + DAY,
    });
    // an older list by the root itself, which says that the delegate is good
    const older = root.revocationList({ thisUpdate: NOW - 2 * DAY, nextUpdate: NOW + DAY });
    const blocks = [list, older].map((der) => writePem("X509 CRL", der)).join("");
    const crls = [file("root.crl", blocks + delegate.pem.certificate)];
    const kept = await stamped(signature, at(-150));
    const judged = keyring({ ...good, revoked: { crls, certificates: [], digests: [] } }).verify(
      data,
      kept,
      "PKCS7",
      NOW,
    );
    expect(judged).toMatchObject({ verdict: -ERRNO.EKEYREVOKED, rule: "RFC 5280 6.3.3 (j)" });
  });

  it("on the block list is refused at any time", async () => {
    const kept = await stamped(signature, at(-150));
    const revoked = { crls: [], certificates: [file("lost.pem", signer.pem.certificate)], digests: [] };
    expect(keyring({ ...good, revoked }).verify(data, kept, "PKCS7", NOW).verdict).toBe(-ERRNO.EKEYREVOKED);
  });
});

describe("an answer of a time-stamping authority", () => {
  it("is taken only where it answers the question", async () => {
    const request = timeStampRequest(Buffer.from("signature"));
    const token = await at(0)(Buffer.from("signature"));
    const granted = sequence(sequence(Buffer.from([2, 1, 0])), Buffer.from(token));
    expect(() => tokenOf(granted, request)).toThrowError(
      expect.objectContaining({
        code: "SIGNING_FAILED",
        message: "no time stamp: the response does not match the request",
      }),
    );
    const refused = sequence(sequence(Buffer.from([2, 1, 2])));
    expect(() => tokenOf(refused, request)).toThrow("no time stamp: the authority rejected the request, with status 2");
    expect(() => tokenOf(Buffer.from("<html>"), request)).toThrow("the authority's answer cannot be read");
  });
});
