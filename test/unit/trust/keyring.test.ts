import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../src/errno.js";
import { hash } from "../../../src/trust/base/digest.js";
import { Authority } from "../../../src/trust/issuing/authority.js";
import { signKernel, signModule, signPkcs7 } from "../../../src/trust/issuing/sign-cms.js";
import { type SshClaims, sshIdentity } from "../../support/ssh.js";
import { file, trusting } from "../../support/trust.js";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);
const PERIOD = { notBefore: NOW - DAY, notAfter: NOW + 30 * DAY };

const root = Authority.create({ subject: "Root", ...PERIOD, notAfter: NOW + 60 * DAY });
const signer = root.issue({ subject: "Signer", ...PERIOD });
const data = Buffer.from("instructions");

const verdictOf = (name: keyof typeof ERRNO): number => -ERRNO[name];

describe("a keyring", () => {
  const keyring = trusting([root.pem.certificate]);

  it("takes a signature by whom its authority issued a certificate to, and says who that is", () => {
    const path = [root.certificate.signerIdentity, signer.certificate.signerIdentity];
    expect(keyring.verify(data, signPkcs7(data, signer), "PKCS7", NOW)).toEqual({
      verdict: 0,
      reason: "signed by `CN=Signer`",
      rule: null,
      signer: "CN=Signer",
      signers: [
        {
          name: "CN=Signer",
          subject: "CN=Signer",
          issuer: "CN=Root",
          serial: expect.any(String),
          key: expect.anything(),
          path,
        },
      ],
      paths: [path],
      until: signer.certificate.notAfter + 1000,
    });
  });

  it("says that there is no signature", () => {
    expect(keyring.verify(data, null, "PKCS7", NOW)).toMatchObject({ verdict: verdictOf("ENODATA"), signer: null });
  });

  it("does not know a signer of another authority", () => {
    const stranger = Authority.create({ subject: "Root of others", ...PERIOD }).issue({ subject: "Signer", ...PERIOD });
    expect(keyring.verify(data, signPkcs7(data, stranger), "PKCS7", NOW)).toMatchObject({
      verdict: verdictOf("ENOKEY"),
      rule: "RFC 5280 6.1",
    });
  });

  it("does not fall for an authority of the same name", () => {
    const impostor = Authority.create({ subject: "Root", ...PERIOD });
    const signature = signPkcs7(data, impostor.issue({ subject: "Signer", ...PERIOD }));
    expect(keyring.verify(data, signature, "PKCS7", NOW).verdict).toBe(verdictOf("ENOKEY"));
    const sameIdentifier = new Authority({ ...impostor, certificate: root.certificate });
    const forged = signPkcs7(data, sameIdentifier.issue({ subject: "Signer", ...PERIOD }));
    expect(keyring.verify(data, forged, "PKCS7", NOW)).toMatchObject({
      verdict: verdictOf("EKEYREJECTED"),
      rule: "RFC 5280 6.1.3 (a)(1)",
    });
  });

  it("refuses a signature over other data", () => {
    expect(keyring.verify(Buffer.from("other"), signPkcs7(data, signer), "PKCS7", NOW)).toMatchObject({
      verdict: verdictOf("EKEYREJECTED"),
      rule: "RFC 5652 5.6",
      reason: "the signature is over other data: the digests differ",
    });
  });

  it("knows when a certificate is not good any more, and when not yet", () => {
    const signature = signPkcs7(data, signer);
    const { notAfter, notBefore } = signer.certificate;
    expect(keyring.verify(data, signature, "PKCS7", notAfter + 999).verdict).toBe(0);
    expect(keyring.verify(data, signature, "PKCS7", notAfter + 1000)).toMatchObject({
      verdict: verdictOf("EKEYEXPIRED"),
      rule: "RFC 5280 6.1.3 (a)(2)",
    });
    expect(keyring.verify(data, signature, "PKCS7", notBefore - 1)).toMatchObject({
      verdict: verdictOf("EKEYREJECTED"),
      rule: "RFC 5280 6.1.3 (a)(2)",
      until: notBefore,
    });
    expect(trusting([root.pem.certificate], { validity: "ignore" }).verify(data, signature, "PKCS7", 0).verdict).toBe(
      0,
    );
  });

  it("trusts a certificate that it holds itself, without the authority", () => {
    const direct = trusting([signer.pem.certificate]);
    expect(direct.verify(data, signPkcs7(data, signer), "PKCS7", NOW).verdict).toBe(0);
    expect(direct.verify(data, signKernel(data, signer), "PKCS7", NOW).verdict).toBe(0);
  });

  it("finds the signer of a kernel's signature only among its own certificates", () => {
    expect(keyring.verify(data, signKernel(data, signer), "PKCS7", NOW)).toMatchObject({
      verdict: verdictOf("ENOKEY"),
      rule: "RFC 5652 5.3",
    });
  });

  it("takes an appended signature, from the file or apart from it", () => {
    const direct = trusting([signer.pem.certificate]);
    const module = signModule(data, signer);
    expect(direct.verify(module, null, "MODSIG", NOW).verdict).toBe(0);
    expect(direct.verify(data, module.subarray(data.length), "MODSIG", NOW).verdict).toBe(0);
    expect(direct.verify(data, null, "MODSIG", NOW).verdict).toBe(verdictOf("ENODATA"));
    expect(direct.verify(data, module, "MODSIG", NOW).verdict).toBe(verdictOf("EBADMSG"));
  });

  it("asks for the usage that it says, below an authority in words", () => {
    const server = root.issue({ subject: "Server", usage: ["serverAuth"], ...PERIOD });
    const plain = root.issue({ subject: "Plain", usage: null, ...PERIOD });
    const anything = root.issue({ subject: "Anything", usage: ["2.5.29.37.0"], ...PERIOD });
    for (const other of [server, plain, anything]) {
      const signature = signPkcs7(data, other);
      expect(keyring.verify(data, signature, "PKCS7", NOW)).toMatchObject({
        verdict: verdictOf("EKEYREJECTED"),
        rule: "RFC 5280 4.2.1.12",
      });
      expect(trusting([root.pem.certificate], { usage: ["any"] }).verify(data, signature, "PKCS7", NOW).verdict).toBe(
        0,
      );
    }
    expect(trusting([plain.pem.certificate]).verify(data, signPkcs7(data, plain), "PKCS7", NOW).verdict).toBe(0);
    expect(trusting([server.pem.certificate]).verify(data, signPkcs7(data, server), "PKCS7", NOW).verdict).toBe(
      verdictOf("EKEYREJECTED"),
    );
  });

  it("refuses a key that is not for signing data", () => {
    const agreement = root.issue({ subject: "Agreement", keyUsage: [4], ...PERIOD });
    expect(keyring.verify(data, signPkcs7(data, agreement), "PKCS7", NOW)).toMatchObject({
      verdict: verdictOf("EKEYREJECTED"),
      rule: "RFC 5280 4.2.1.3",
    });
  });

  it("does not let a signer issue certificates", () => {
    const sub = new Authority(signer).issue({ subject: "Below", ...PERIOD });
    const signature = signPkcs7(data, { ...sub, chain: [signer.certificate] });
    expect(keyring.verify(data, signature, "PKCS7", NOW)).toMatchObject({
      verdict: verdictOf("EKEYREJECTED"),
      rule: "RFC 5280 6.1.4 (k)",
    });
  });

  it("asks for as many distinct signers as its rules say, all of them good", () => {
    const second = root.issue({ subject: "Second", ...PERIOD });
    const stranger = Authority.create({ subject: "Elsewhere", ...PERIOD }).issue({ subject: "Stranger", ...PERIOD });
    const two = trusting([root.pem.certificate], { signers: 2 });
    expect(two.verify(data, signPkcs7(data, [signer, second]), "PKCS7", NOW)).toMatchObject({ verdict: 0 });
    expect(two.verify(data, signPkcs7(data, signer), "PKCS7", NOW)).toMatchObject({
      verdict: verdictOf("EKEYREJECTED"),
      rule: "number of signers",
    });
    const renewed = root.issue({ subject: "Signer", key: signer.key, ...PERIOD });
    expect(two.verify(data, signPkcs7(data, [signer, renewed]), "PKCS7", NOW).rule).toBe("number of signers");
    expect(keyring.verify(data, signPkcs7(data, [signer, stranger]), "PKCS7", NOW).verdict).toBe(verdictOf("ENOKEY"));
  });

  it("rejects contents, certificates and keys on its block list", () => {
    const signature = signPkcs7(data, signer);
    const none = { crls: [], certificates: [], digests: [] };
    const lists = [
      { ...none, digests: [hash("sha256", data)] },
      { ...none, digests: [`tbs:${hash("sha256", signer.certificate.tbs.whole)}`] },
      { ...none, digests: [`key:${signer.certificate.publicKey.fingerprint}`] },
      { ...none, certificates: [file("revoked.pem", signer.pem.certificate)] },
      { ...none, certificates: [file("revoked.pem", root.pem.certificate)] },
    ];
    for (const revoked of lists)
      expect(trusting([root.pem.certificate], { revoked }).verify(data, signature, "PKCS7", NOW)).toMatchObject({
        verdict: verdictOf("EKEYREVOKED"),
        rule: "block list",
      });
  });

  it("drops its cached results when it is replaced", () => {
    const rules = {
      revoked: { crls: [], certificates: [], digests: [] },
      usage: ["codeSigning"],
      validity: "now",
    } as const;
    const live = trusting([root.pem.certificate]);
    const signature = signPkcs7(data, signer);
    expect(live.verify(data, signature, "PKCS7", NOW).verdict).toBe(0);
    live.replace({ ...rules, trust: [file("other.pem", Authority.create({ subject: "Other" }).pem.certificate)] });
    expect(live.generation).toBe(2);
    expect(live.verify(data, signature, "PKCS7", NOW).verdict).toBe(verdictOf("ENOKEY"));
    expect(() => live.replace({ ...rules, trust: [file("broken.pem", "-----BEGIN CERTIFICATE-----")] })).toThrowError(
      expect.objectContaining({ code: "KEYRING_INVALID" }),
    );
    expect(live.generation).toBe(2);
  });

  it("names the file that it cannot read", () => {
    expect(() => trusting([Buffer.from([0x30, 0x80, 0, 0])])).toThrowError(
      expect.objectContaining({ code: "CERTIFICATE_MALFORMED", place: "keyring `test`: trust-0.pem: byte 0" }),
    );
    expect(() => trusting([root.pem.key])).toThrowError(expect.objectContaining({ code: "KEYRING_INVALID" }));
    expect(() => trusting([root.pem.certificate], { usage: ["codesigning"] })).toThrowError(
      expect.objectContaining({ code: "KEYRING_INVALID", message: "`codesigning` is not a valid value of `usage`" }),
    );
  });
});

describe("a signature over a program statement", () => {
  const ssh = sshIdentity("ssh-ed25519");
  const keyring = trusting([root.pem.certificate, ssh.line]);
  const bytes = Buffer.from("countersign statement 1\n{}");
  const objectSha256 = "ab".repeat(32);
  const statement = { bytes, objectSha256 };

  it("is taken for a statement, and never for other bytes", () => {
    const signature = signPkcs7(bytes, signer);
    expect(keyring.verifyStatement(statement, signature, "PKCS7", NOW)).toMatchObject({ verdict: 0 });
    for (const type of ["PKCS7", "RAW", "SSHSIG"] as const)
      expect(keyring.verify(bytes, signature, type, NOW), type).toMatchObject({
        verdict: verdictOf("EKEYREJECTED"),
        rule: "program statement",
      });
    expect(keyring.verify(signModule(bytes, signer), null, "MODSIG", NOW).verdict).toBe(verdictOf("EKEYREJECTED"));
    const later = Buffer.from("countersign statement 77\n");
    expect(keyring.verify(later, signPkcs7(later, signer), "PKCS7", NOW).verdict).toBe(verdictOf("EKEYREJECTED"));
  });

  it("is over bytes that begin as one", () => {
    const other = Buffer.from("countersign statements\n{}");
    const signature = signPkcs7(other, signer);
    expect(keyring.verify(other, signature, "PKCS7", NOW).verdict).toBe(0);
    expect(keyring.verifyStatement({ bytes: other, objectSha256 }, signature, "PKCS7", NOW)).toMatchObject({
      verdict: verdictOf("EKEYREJECTED"),
      reason: "the bytes are not a program statement",
    });
  });

  it("is detached", () => {
    const signed = signModule(bytes, signer);
    expect(keyring.verifyStatement({ bytes: signed, objectSha256 }, signed, "MODSIG", NOW).verdict).toBe(
      verdictOf("EKEYREJECTED"),
    );
  });

  it("has an SSH namespace of its own, which is for nothing else", () => {
    const own = { namespace: "countersign-statement" };
    const check = (claims: SshClaims) => keyring.verifyStatement(statement, ssh.sign(bytes, claims), "SSHSIG", NOW);
    expect(check(own)).toMatchObject({ verdict: 0 });
    expect(check({ namespace: "file" })).toMatchObject({
      verdict: verdictOf("EKEYREJECTED"),
      rule: "SSHSIG namespace",
    });
    const open = trusting([ssh.line], { ssh: { namespaces: ["file", own.namespace] } });
    expect(open.verify(data, ssh.sign(data, { namespace: "file" }), "SSHSIG", NOW).verdict).toBe(0);
    expect(open.verify(data, ssh.sign(data, own), "SSHSIG", NOW).verdict).toBe(verdictOf("EKEYREJECTED"));
  });

  it("asks the line of an allowed signer for the namespace", () => {
    const only = (namespaces: string) => trusting([`a@b namespaces="${namespaces}" ${ssh.line}`]);
    const signature = ssh.sign(bytes, { namespace: "countersign-statement" });
    expect(only("countersign-*").verifyStatement(statement, signature, "SSHSIG", NOW).verdict).toBe(0);
    expect(only("file").verifyStatement(statement, signature, "SSHSIG", NOW).verdict).toBe(verdictOf("EKEYREJECTED"));
  });

  it("is revoked with the digest of the statement, or of the object", () => {
    const signature = signPkcs7(bytes, signer);
    for (const digest of [hash("sha256", bytes), objectSha256, `bin:${objectSha256}`]) {
      const revoking = trusting([root.pem.certificate], { revoked: { crls: [], certificates: [], digests: [digest] } });
      expect(revoking.verifyStatement(statement, signature, "PKCS7", NOW), digest).toMatchObject({
        verdict: verdictOf("EKEYREVOKED"),
        rule: "block list",
      });
    }
    const certificate = trusting([root.pem.certificate], {
      revoked: { crls: [], certificates: [], digests: [`cert:${objectSha256}`] },
    });
    expect(certificate.verifyStatement(statement, signature, "PKCS7", NOW).verdict).toBe(0);
  });
});
