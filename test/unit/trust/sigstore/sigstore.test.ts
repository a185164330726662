import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { openKeyring } from "../../../../src/trust/keyring.js";
import { type BundleClaims, type Identity, Sigstore } from "../../../support/sigstore.js";
import { file, trusting } from "../../../support/trust.js";

const SIGNED = Date.UTC(2026, 0, 1) / 1000;
/** Months after the certificate has ended. */
const NOW = Date.UTC(2026, 5, 1);
const data = Buffer.from("instructions");
const me: Identity = { subject: "release@example.org", issuer: "https://accounts.example.org" };

const sigstore = new Sigstore();
const certificate = sigstore.certificate(me, SIGNED);
const root = (json: unknown = sigstore.root) => file("trusted_root.json", JSON.stringify(json));
const keyring = (identities: readonly Identity[] = [me], trust: readonly string[] = []) =>
  trusting(trust, { sigstore: { root: root(), identities } });
const claims: BundleClaims = { data, at: SIGNED + 60, by: certificate };
const bundle = (more: Partial<BundleClaims> = {}) =>
  Buffer.from(JSON.stringify(sigstore.bundle({ ...claims, ...more })));
const verdictOf = (signature: Buffer, by = keyring(), over = data) => by.verify(over, signature, "SIGSTORE", NOW);

describe("a bundle of Sigstore by a certificate", () => {
  it("counts for exactly the identity that the keyring expects, long after its certificate has ended", () => {
    expect(verdictOf(bundle())).toMatchObject({
      verdict: 0,
      signer: "release@example.org by https://accounts.example.org",
      until: Number.POSITIVE_INFINITY,
    });
  });

  it.each([
    ["another subject", { ...me, subject: "release@example.com" }],
    ["another issuer", { ...me, issuer: "https://accounts.example.com" }],
    ["a subject that would match as a pattern", { ...me, subject: "release@example.or." }],
    ["a part of the subject", { ...me, subject: "release@example" }],
  ])("does not count for %s", (_, identity) => {
    expect(verdictOf(bundle(), keyring([identity]))).toMatchObject({
      verdict: -ERRNO.ENOKEY,
      rule: "sigstore identity",
    });
  });

  it("is not accepted without a root and an identity in the keyring", () => {
    expect(verdictOf(bundle(), keyring([])).verdict).toBe(-ERRNO.ENOKEY);
    expect(verdictOf(bundle(), trusting([sigstore.authority.pem.certificate]))).toMatchObject({
      verdict: -ERRNO.ENOKEY,
      reason: "the keyring has no Sigstore root, which type SIGSTORE requires",
    });
  });

  it("does not count over other data", () => {
    expect(verdictOf(bundle(), keyring(), Buffer.from("other"))).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      reason: "the bundle is for other data: the digests differ",
    });
  });

  it("of another authority is refused", () => {
    const impostor = new Sigstore().certificate(me, SIGNED);
    expect(verdictOf(bundle({ by: impostor }))).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "sigstore CERTIFICATE_ERROR",
    });
  });

  it("that is entered in the log after its certificate's end, or before its time, is refused", () => {
    for (const at of [SIGNED + 601, SIGNED - 60])
      expect(verdictOf(bundle({ at }))).toMatchObject({
        verdict: -ERRNO.EKEYREJECTED,
        rule: "sigstore CERTIFICATE_ERROR",
      });
  });

  it("is rejected if its certificate is not for code signing, which Sigstore's library does not check", () => {
    const forServers = sigstore.certificate(me, SIGNED, ["serverAuth"]);
    expect(verdictOf(bundle({ by: forServers }))).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "RFC 5280 4.2.1.12",
    });
  });

  it("by a log that the root does not name is refused", () => {
    const log = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    expect(verdictOf(bundle({ log }))).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "sigstore TLOG_INCLUSION_PROMISE_ERROR",
    });
  });

  it("without its log's entry is refused", () => {
    const bare = sigstore.bundle(claims) as { verificationMaterial: { tlogEntries: unknown[] } };
    bare.verificationMaterial.tlogEntries = [];
    expect(verdictOf(Buffer.from(JSON.stringify(bare)))).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "sigstore TIMESTAMP_ERROR",
    });
  });

  it("is rejected if its log entry is for other data or another key", () => {
    expect(verdictOf(bundle({ entered: { digest: "00".repeat(32) } }))).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "sigstore TLOG_BODY_ERROR",
    });
    const other = sigstore.certificate(me, SIGNED).certificate.der;
    expect(verdictOf(bundle({ entered: { key: other } }))).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "sigstore log entry",
    });
  });

  it("on the block list is revoked", () => {
    const revoked = { crls: [], certificates: [file("lost.pem", certificate.pem.certificate)], digests: [] };
    const blocking = trusting([], { sigstore: { root: root(), identities: [me] }, revoked });
    expect(verdictOf(bundle(), blocking).verdict).toBe(-ERRNO.EKEYREVOKED);
  });

  it("is rejected if it is a statement about the data", () => {
    const { messageSignature: _, ...rest } = sigstore.bundle(claims);
    const payload = Buffer.from(JSON.stringify({ subject: [{ digest: { sha256: "…" } }] })).toString("base64");
    const dsseEnvelope = { payload, payloadType: "application/vnd.in-toto+json", signatures: [{ sig: "AAAA" }] };
    expect(verdictOf(Buffer.from(JSON.stringify({ ...rest, dsseEnvelope })))).toMatchObject({
      verdict: -ERRNO.EBADMSG,
      reason: "the bundle signs a statement (DSSE), not the data",
    });
  });
});

describe("a bundle of Sigstore by a key", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();

  it("counts by the keyring's own public key, entered in the root's log", () => {
    expect(verdictOf(bundle({ by: privateKey }), keyring([], [pem]))).toMatchObject({
      verdict: 0,
      signer: expect.stringMatching(/^key [0-9a-f]{64}$/),
    });
  });

  it("does not count by another, or by an identity", () => {
    expect(verdictOf(bundle({ by: privateKey })).verdict).toBe(-ERRNO.ENOKEY);
    const log = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    expect(verdictOf(bundle({ by: privateKey, log }), keyring([], [pem])).verdict).toBe(-ERRNO.EKEYREJECTED);
  });
});

describe("a Sigstore root", () => {
  it.each([
    ["what is no JSON", Buffer.from("{"), "is not a Sigstore trusted root"],
    ["one with a log that has no start of validity", rootWithLog({}), "without a start of validity"],
    ["one with a log that has no period of validity", rootWithLog(undefined), "without a start of validity"],
    ["one with a log that only ends", rootWithLog({ end: "2030-01-01T00:00:00Z" }), "without a start of validity"],
    ["one with a second log that has no start", rootWithLog({}, "tlogs", 1), "without a start of validity"],
    ["one with a certificate log that has no start", rootWithLog({}, "ctlogs"), "without a start of validity"],
    ["one without a log", Buffer.from(JSON.stringify({ ...sigstore.root, tlogs: [] })), "names no log"],
    ["one with a broken certificate", rootWith("AAAA"), "is not a Sigstore trusted root"],
  ])("is not %s", (_, bytes, message) => {
    const rules = { revoked: { crls: [], certificates: [], digests: [] }, usage: ["any"], validity: "now" } as const;
    const open = () =>
      openKeyring("k", { trust: [], ...rules, sigstore: { root: file("root.json", bytes), identities: [] } });
    expect(open).toThrowError(
      expect.objectContaining({ code: "KEYRING_INVALID", message: expect.stringContaining(message) }),
    );
  });
});

/** The root with the period of a log's validity replaced: of its only one, or of one more. */
function rootWithLog(validFor: object | undefined, kind: "tlogs" | "ctlogs" = "tlogs", place = 0): Buffer {
  const known = sigstore.root as { tlogs: readonly { publicKey: object }[]; ctlogs: readonly object[] };
  const log = { ...known.tlogs[0], publicKey: { ...known.tlogs[0]?.publicKey, validFor } };
  return Buffer.from(JSON.stringify({ ...known, [kind]: [...known[kind].slice(0, place), log] }));
}

function rootWith(rawBytes: string): Buffer {
  const certificateAuthorities = [{ certChain: { certificates: [{ rawBytes }] } }];
  return Buffer.from(JSON.stringify({ ...sigstore.root, certificateAuthorities }));
}
