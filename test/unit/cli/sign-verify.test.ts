import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { identifier, integer, octetString, sequence } from "../../../src/trust/asn1/der-writer.js";
import { writePem } from "../../../src/trust/asn1/pem.js";
import { Authority, type CertificateRequest } from "../../../src/trust/making/authority.js";
import { readPrivateKey } from "../../../src/trust/making/private-key.js";
import { runCommand } from "../../support/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-sign-"));
const at = (name: string): string => join(folder, name);
const root = Authority.create({ subject: "Root" });
const signer = root.issue({ subject: "Signer" });
writeFileSync(at("root.pem"), root.pem.certificate);
writeFileSync(at("signer.pem"), signer.pem.certificate);
writeFileSync(at("signer.key"), signer.pem.key);
writeFileSync(at("one"), "one");
writeFileSync(at("two"), "two");

afterAll(() => rmSync(folder, { recursive: true, force: true }));
const sign = (...words: readonly string[]): ReturnType<typeof runCommand> =>
  runCommand("sign", "--key", at("signer.key"), "--cert", at("signer.pem"), ...words);

describe("countersign sign", () => {
  const DAY = 86_400_000;
  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  const k256 = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey;
  /** Certificates that `verify` refuses by themselves, and a part of the reason. */
  const REFUSED: readonly (readonly [what: string, request: CertificateRequest, reason: string])[] = [
    ["for servers", { subject: "Server", usage: ["serverAuth"] }, "does not have the usage"],
    ["expired", { subject: "Old", notBefore: Date.now() - 2 * DAY, notAfter: Date.now() - DAY }, "expired at"],
    ["early", { subject: "Early", notBefore: Date.now() + DAY }, "is valid from"],
    ["for encryption", { subject: "Encrypts", keyUsage: [2] }, "is not for signing data"],
    ["with a weak key", { subject: "Weak", key: weak }, "fewer than 2048"],
    ["on another curve", { subject: "K-256", key: k256 }, "is not supported"],
    ["with a serial number of 21 octets", { subject: "Long", serial: 1n << 160n }, "serial number"],
  ];
  const types = ["pkcs7", "kernel", "modsig"] as const;

  it.each(REFUSED.flatMap(([what, request, reason]) => types.map((type) => [what, type, request, reason] as const)))(
    "does not make what verify refuses: a certificate %s, type %s",
    async (_, type, request, reason) => {
      const one = root.issue(request);
      writeFileSync(at("bad.pem"), one.pem.certificate);
      writeFileSync(at("bad.key"), one.pem.key);
      const words = [
        "--key",
        at("bad.key"),
        "--cert",
        at("bad.pem"),
        "--type",
        type,
        "--out",
        at("bad.out"),
        at("one"),
      ];
      const { code, err } = await runCommand("sign", ...words);
      expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(reason) });
      expect(err).toContain("SIGNING_FAILED");
      expect(existsSync(at("bad.out"))).toBe(false);
    },
  );

  it("makes it for a keyring with other rules, where it is told so", async () => {
    const request = {
      subject: "Server",
      usage: ["serverAuth"],
      notBefore: Date.now() - 2 * DAY,
      notAfter: Date.now() - DAY,
    };
    const one = root.issue(request);
    writeFileSync(at("other.pem"), one.pem.certificate);
    writeFileSync(at("other.key"), one.pem.key);
    const words = ["--usage", "any", "--ignore-validity"];
    const files = ["--key", at("other.key"), "--cert", at("other.pem"), "--out", at("other.p7s")];
    expect(await runCommand("sign", ...files, ...words, at("one"))).toMatchObject({ code: 0 });
    const verify = ["--trust", at("root.pem"), "--signature", at("other.p7s"), at("one")];
    expect(await runCommand("verify", ...words, ...verify)).toMatchObject({ code: 0 });
    expect(await runCommand("verify", ...verify)).toMatchObject({ code: 1 });
  });

  it.for<readonly [type: string, dotted: string]>([
    ["ML-DSA-65", "2.16.840.1.101.3.4.3.18"],
    ["ML-DSA-87", "2.16.840.1.101.3.4.3.19"],
    ["SLH-DSA", "2.16.840.1.101.3.4.3.24"],
    ["1.2.3.4", "1.2.3.4"],
  ])("names a type of keys that node's OpenSSL lacks: %s", ([type, dotted], context) => {
    if (hasKeysOf(type)) return context.skip("this node's OpenSSL has the type");
    const pkcs8 = sequence(integer(0), sequence(identifier(dotted)), octetString(Buffer.alloc(32, 1)));
    for (const bytes of [pkcs8, Buffer.from(writePem("PRIVATE KEY", pkcs8))]) {
      expect(() => readPrivateKey({ path: "new.key", bytes })).toThrow(`is a key of type ${type}, which this node's`);
    }
  });
});

/** Whether node's OpenSSL has the type, as 3.5 has ML-DSA: it then reads keys of it, and says that these are malformed. */
function hasKeysOf(type: string): boolean {
  try {
    generateKeyPairSync(type.toLowerCase() as "ed25519");
    return true;
  } catch {
    return false;
  }
}

describe("countersign sign and verify", () => {
  it("sign several files at once and verify each", async () => {
    const signed = await sign("--json", at("one"), at("two"));
    expect(signed.code).toBe(0);
    const lines = signed.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ file, type, out }) => ({ file, type, out }))).toEqual([
      { file: at("one"), type: "pkcs7", out: at("one.p7s") },
      { file: at("two"), type: "pkcs7", out: at("two.p7s") },
    ]);
    const verified = await runCommand("verify", "--trust", at("root.pem"), "--signature", at("one.p7s"), at("one"));
    expect(verified).toMatchObject({ code: 0, out: `${at("one")}: good: signed by \`CN=Signer\`\n` });
    const swapped = await runCommand("verify", "--trust", at("root.pem"), "--signature", at("one.p7s"), at("two"));
    expect(swapped.code).toBe(1);
    expect(swapped.out).toContain("-EKEYREJECTED: the signature is over other data");
  });

  it("say in JSON what the errno is and which rule it comes from", async () => {
    await sign("--type", "kernel", "--out", at("kernel.p7s"), at("one"));
    const { code, out } = await runCommand(
      "verify",
      "--trust",
      at("root.pem"),
      "--signature",
      at("kernel.p7s"),
      "--json",
      at("one"),
    );
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      good: false,
      verdict: -126,
      errno: "ENOKEY",
      rule: "RFC 5652 5.3",
      signer: null,
    });
  });

  it("append a signature and find it again", async () => {
    expect((await sign("--type", "modsig", at("one"))).code).toBe(0);
    expect((await runCommand("verify", "--trust", at("signer.pem"), "--type", "modsig", at("one.signed"))).code).toBe(
      0,
    );
    const unsigned = await runCommand("verify", "--trust", at("signer.pem"), "--type", "modsig", at("one"));
    expect(unsigned).toMatchObject({ code: 1 });
    expect(unsigned.out).toContain("-ENODATA");
  });

  it("sign each program of an object under its digest", async () => {
    const object = join(import.meta.dirname, "../../../examples");
    const name = readdirSync(object, { recursive: true })
      .map(String)
      .find((file) => file.endsWith(".o"));
    if (name === undefined) throw new Error("the examples hold no object");
    const { code, out } = await sign(
      "--programs",
      "--type",
      "kernel",
      "--json",
      "--out",
      at("store"),
      join(object, name),
    );
    expect(code).toBe(0);
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(readdirSync(at("store")).sort()).toEqual([...new Set(lines.map(({ sha256 }) => `${sha256}.p7s`))].sort());
  });

  it("explain the path and each rule", async () => {
    await sign(at("one"));
    const { out } = await runCommand(
      "verify",
      "--trust",
      at("root.pem"),
      "--signature",
      at("one.p7s"),
      "--explain",
      at("one"),
    );
    expect(out).toContain("path: CN=Root > CN=Signer");
    expect(out).toMatch(/ok {5}validity \[RFC 5280 6\.1\.3 \(a\)\(2\)\] CN=Signer/);
  });

  it.each([
    ["a signature that is not DER", ["--signature", "root.pem"], "root.pem: byte 0", "SIGNATURE_MALFORMED"],
    ["a missing signature file", ["--signature", "none.p7s"], "none.p7s", "FILE_UNREADABLE"],
    ["no signature", [], "there is no signature to check", "USAGE"],
  ])("cannot judge %s", async (_what, words, place, code) => {
    const paths = words.map((word) => (word.startsWith("--") ? word : at(word)));
    const result = await runCommand("verify", "--trust", at("root.pem"), ...paths, at("one"));
    expect(result).toMatchObject({ code: 2, out: "" });
    expect(result.err.trim().split("\n")).toHaveLength(1);
    expect(result.err).toContain(place);
    expect(result.err).toContain(`[${code}]`);
  });

  it("take no key for another's certificate", async () => {
    const result = await runCommand("sign", "--key", at("signer.key"), "--cert", at("root.pem"), at("one"));
    expect(result.code).toBe(2);
    expect(result.err).toContain("the key does not belong to certificate `CN=Root` [SIGNING_FAILED]");
  });

  it("open an encrypted key with its passphrase only", async () => {
    const pem = signer.key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" });
    writeFileSync(at("locked.key"), pem);
    writeFileSync(at("right"), "secret\n");
    writeFileSync(at("wrong"), "guess\n");
    const locked = (...words: readonly string[]): ReturnType<typeof runCommand> =>
      runCommand("sign", "--key", at("locked.key"), "--cert", at("signer.pem"), ...words, at("one"));
    expect((await locked()).err).toContain("is encrypted [KEY_MALFORMED]");
    expect((await locked("--passphrase-file", at("wrong"))).err).toContain("does not open with this passphrase");
    expect((await locked("--passphrase-file", at("right"))).code).toBe(0);
    expect(readFileSync(at("one.p7s")).length).toBeGreaterThan(0);
  });
});
