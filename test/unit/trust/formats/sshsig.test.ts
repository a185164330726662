import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { SSH_KEYS } from "../../../../src/trust/formats/sshsig.js";
import { openKeyring } from "../../../../src/trust/keyring.js";
import { keysOf, readMaterial } from "../../../../src/trust/source/source.js";
import { HELLO, SSH_LINE, SSH_SIGNATURE } from "../../../support/foreign-vectors.js";
import { SSH_KINDS, type SshClaims, sshIdentity } from "../../../support/ssh.js";
import { file, trusting } from "../../../support/trust.js";

const NOW = Date.UTC(2026, 5, 1);
const data = Buffer.from("instructions");
const me = sshIdentity("ssh-ed25519");

describe.each(SSH_KINDS)("an SSH signature by a key of type %s", (kind) => {
  const signer = sshIdentity(kind);
  const keyring = trusting([`${signer.line} somebody@example.org\n`]);

  it("is valid over the signed data, and names the key's comment as its signer", () => {
    expect(keyring.verify(data, signer.sign(data), "SSHSIG", NOW)).toMatchObject({
      verdict: 0,
      signer: "somebody@example.org",
    });
  });

  it("does not count over anything else", () => {
    expect(keyring.verify(Buffer.from("other"), signer.sign(data), "SSHSIG", NOW)).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "PROTOCOL.sshsig",
    });
  });
});

describe("an SSH signature", () => {
  const keyring = trusting([me.line]);
  const verdictOf = (claims: SshClaims) => keyring.verify(data, me.sign(data, claims), "SSHSIG", NOW);

  it("takes SHA-256 as well as SHA-512, and nothing else", () => {
    expect(verdictOf({ digest: "sha256" })).toMatchObject({ verdict: 0 });
    expect(verdictOf({ digest: "sha384" })).toMatchObject({ verdict: -ERRNO.ENOPKG, rule: "algorithm allow-list" });
  });

  it("counts only for the namespaces of the keyring", () => {
    expect(verdictOf({ namespace: "git" })).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "SSHSIG namespace",
      reason: "a signature for `git`, which the keyring does not accept",
    });
    const wider = trusting([me.line], { ssh: { namespaces: ["git", "bpf@example.org"] } });
    expect(wider.verify(data, me.sign(data, { namespace: "git" }), "SSHSIG", NOW).verdict).toBe(0);
    expect(wider.verify(data, me.sign(data), "SSHSIG", NOW).verdict).toBe(-ERRNO.EKEYREJECTED);
  });

  it("is refused where its frame is not the protocol's", () => {
    expect(verdictOf({ magic: "SSHGIS" })).toMatchObject({ verdict: -ERRNO.EBADMSG });
    expect(verdictOf({ version: 2 })).toMatchObject({ verdict: -ERRNO.ENOPKG });
    expect(verdictOf({ reserved: "x" })).toMatchObject({ verdict: -ERRNO.EBADMSG });
    expect(verdictOf({ namespace: "" })).toMatchObject({ verdict: -ERRNO.EBADMSG });
    expect(verdictOf({ trailing: Buffer.of(0) })).toMatchObject({
      verdict: -ERRNO.EBADMSG,
      rule: "SIGNATURE_MALFORMED",
    });
    expect(verdictOf({ algorithm: "rsa-sha2-512" })).toMatchObject({ verdict: -ERRNO.ENOPKG });
  });

  it("is not taken by RSA with SHA-1", { tags: ["deep"] }, () => {
    const rsa = sshIdentity("ssh-rsa");
    const byRsa = trusting([rsa.line]);
    expect(byRsa.verify(data, rsa.sign(data, { algorithm: "rsa-sha2-256" }), "SSHSIG", NOW).verdict).toBe(0);
    expect(byRsa.verify(data, rsa.sign(data, { algorithm: "ssh-rsa" }), "SSHSIG", NOW)).toMatchObject({
      verdict: -ERRNO.ENOPKG,
      reason: "signature algorithm `ssh-rsa` of a key of type ssh-rsa is not supported",
    });
  });

  it("by a security key that was not touched is rejected", () => {
    const token = sshIdentity("sk-ssh-ed25519@openssh.com");
    expect(trusting([token.line]).verify(data, token.sign(data, { flags: 0 }), "SSHSIG", NOW)).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "PROTOCOL.u2f",
    });
  });

  it("by a key that is not in the keyring has no key", () => {
    const stranger = sshIdentity("ssh-ed25519");
    expect(keyring.verify(data, stranger.sign(data), "SSHSIG", NOW)).toMatchObject({ verdict: -ERRNO.ENOKEY });
  });

  it("by a key on the block list is revoked", () => {
    const [key] = keysOf(readMaterial([file("me.pub", me.line)]), SSH_KEYS);
    const digests = [`key:${key?.key.fingerprint}`];
    const blocked = trusting([me.line], { revoked: { crls: [], certificates: [], digests } });
    expect(blocked.verify(data, me.sign(data), "SSHSIG", NOW).verdict).toBe(-ERRNO.EKEYREVOKED);
    const byFile = trusting([me.line], {
      revoked: { crls: [], certificates: [file("lost.pub", me.line)], digests: [] },
    });
    expect(byFile.verify(data, me.sign(data), "SSHSIG", NOW).verdict).toBe(-ERRNO.EKEYREVOKED);
  });

  it("makes no key good for another type of signature", () => {
    const signature = generateKeyPairSync("ed25519");
    expect(keyring.verify(data, Buffer.alloc(64), "RAW", NOW)).toMatchObject({ verdict: -ERRNO.ENOKEY });
    const raw = trusting([signature.publicKey.export({ type: "spki", format: "pem" }).toString()]);
    expect(raw.verify(data, me.sign(data), "SSHSIG", NOW)).toMatchObject({ verdict: -ERRNO.ENOKEY });
  });
});

describe("an allowed signers file", () => {
  const allowed = (options: string) => trusting([`# who\n\nme@example.org ${options} ${me.line} laptop\n`]);

  it("names signers by their principals", () => {
    expect(allowed("").verify(data, me.sign(data), "SSHSIG", NOW)).toMatchObject({ signer: "me@example.org" });
  });

  it("limits a key to namespaces by patterns", () => {
    for (const name of ["namespaces", "Namespaces", "NAMESPACES"])
      expect(allowed(`${name}="git,fi?e"`).verify(data, me.sign(data), "SSHSIG", NOW).verdict).toBe(0);
    expect(allowed('namespaces="git,*.org"').verify(data, me.sign(data), "SSHSIG", NOW)).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      reason: "`me@example.org` may not sign for `file`",
    });
  });

  it("limits a key in time, and its cached results with it", () => {
    const keyring = allowed('valid-after="20260101Z",valid-before="20260701120000Z"');
    const end = Date.UTC(2026, 6, 1, 12);
    expect(keyring.verify(data, me.sign(data), "SSHSIG", NOW)).toMatchObject({ verdict: 0, until: end });
    expect(keyring.verify(data, me.sign(data), "SSHSIG", end).verdict).toBe(-ERRNO.EKEYEXPIRED);
    expect(keyring.verify(data, me.sign(data), "SSHSIG", Date.UTC(2025, 11, 31))).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "valid-after",
    });
  });

  it.each([
    ["me cert-authority", "has the option `cert-authority`, which is not supported or not in quotes"],
    ['me valid-before="20260101"', "has the time `20260101`"],
    ['me valid-before="20260231Z"', "has the time `20260231Z`, which does not exist"],
  ])("with `%s` is not a keyring", (before, message) => {
    const rules = { revoked: { crls: [], certificates: [], digests: [] }, usage: ["any"], validity: "now" } as const;
    expect(() => openKeyring("k", { trust: [file("allowed", `${before} ${me.line}`)], ...rules })).toThrowError(
      expect.objectContaining({ code: "KEYRING_INVALID", message, place: "keyring `k`: allowed: line 1" }),
    );
  });
});

it("a signature that ssh-keygen made verifies here", () => {
  expect(trusting([SSH_LINE]).verify(HELLO, SSH_SIGNATURE, "SSHSIG", NOW)).toMatchObject({ verdict: 0, signer: "me" });
});
