import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { hash } from "../../../../src/trust/base/digest.js";
import { Authority } from "../../../../src/trust/issuing/authority.js";
import { signKernel, signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { file, trusting } from "../../../support/trust.js";

const data = Buffer.from("instructions");
const root = Authority.create({ subject: "Root" });
const between = root.subordinate({ subject: "Between", serial: 0x80n });
const signer = between.issue({ subject: "Signer", serial: 0x03ebn });
const chain = [between.certificate];

const CERTIFICATES = { root, between, signer } as const;
type Name = keyof typeof CERTIFICATES;
const fingerprint = (name: Name): string => new X509Certificate(CERTIFICATES[name].pem.certificate).fingerprint256;
const plain = (name: Name): string => fingerprint(name).replaceAll(":", "").toLowerCase();
const { certificate: der } = signer;

/** Forms of each kind of entry, by the certificate that they are about. */
const DIGESTS: Readonly<Record<string, (name: Name) => string>> = {
  "a fingerprint as openssl prints it": fingerprint,
  "a fingerprint in lower case": plain,
  "a fingerprint with its kind": (name) => `cert:${fingerprint(name)}`,
  "the digest of the signed part": (name) => `tbs:${hash("sha256", CERTIFICATES[name].certificate.tbs.whole)}`,
  "the digest of the key": (name) => `key:${CERTIFICATES[name].certificate.publicKey.fingerprint}`,
};
const none = { crls: [], certificates: [], digests: [] };
const names = Object.keys(CERTIFICATES) as Name[];

describe("revoked.digests", () => {
  it.each(Object.keys(DIGESTS).flatMap((form) => names.map((name) => [form, name] as const)))(
    "takes %s, of the path's %s",
    (form, name) => {
      const digests = [(DIGESTS[form] as (name: Name) => string)(name)];
      const cms = signPkcs7(data, { ...signer, chain });
      expect(trusting([root.pem.certificate]).verify(data, cms, "PKCS7", Date.now()).verdict).toBe(0);
      const keyring = trusting([root.pem.certificate], { revoked: { ...none, digests } });
      expect(keyring.verify(data, cms, "PKCS7", Date.now())).toMatchObject({
        verdict: -ERRNO.EKEYREVOKED,
        rule: "block list",
      });
    },
  );

  it("of a kind is of nothing else", () => {
    const cms = signPkcs7(data, { ...signer, chain });
    for (const digests of [[`bin:${plain("signer")}`], [`cert:${hash("sha256", data)}`], [`tbs:${plain("signer")}`]])
      expect(
        trusting([root.pem.certificate], { revoked: { ...none, digests } }).verify(data, cms, "PKCS7", Date.now()),
      ).toMatchObject({ verdict: 0 });
  });
});

describe("revoked.serials", () => {
  const listed = (issuer: Name, ...serials: string[]) => ({
    ...none,
    serials: [{ issuer: file("issuer.pem", CERTIFICATES[issuer].pem.certificate), serials }],
  });

  it.each(["03EB", "3eb", "0x03eb", "03:EB"])("takes a serial number as %s", (serial) => {
    const cms = signPkcs7(data, { ...signer, chain });
    const judge = (revoked: ReturnType<typeof listed>) =>
      trusting([root.pem.certificate], { revoked }).verify(data, cms, "PKCS7", Date.now());
    expect(judge(listed("between", serial))).toMatchObject({ verdict: -ERRNO.EKEYREVOKED, rule: "block list" });
    expect(judge(listed("root", serial))).toMatchObject({ verdict: 0 });
    expect(judge(listed("between", "02"))).toMatchObject({ verdict: 0 });
  });

  it("reaches an authority on the path, and a certificate that is itself in `trust`", () => {
    const cms = signPkcs7(data, { ...signer, chain });
    expect(
      trusting([root.pem.certificate], { revoked: listed("root", "80") }).verify(data, cms, "PKCS7", Date.now()),
    ).toMatchObject({ verdict: -ERRNO.EKEYREVOKED });
    const own = trusting([signer.pem.certificate], { revoked: listed("between", "03eb") });
    expect(own.verify(data, signKernel(data, signer), "PKCS7", Date.now())).toMatchObject({
      verdict: -ERRNO.EKEYREVOKED,
    });
  });

  it.each(["", "-1", "xyz", "00".repeat(21)])("rejects `%s`", (serial) => {
    expect(() => trusting([root.pem.certificate], { revoked: listed("root", serial) })).toThrowError(
      expect.objectContaining({ code: "KEYRING_INVALID", place: expect.stringContaining("revoked.serials") }),
    );
  });
});

describe("the certificates here", () => {
  it("have the fingerprint that node prints", () => expect(hash("sha256", der.der)).toBe(plain("signer")));
});
