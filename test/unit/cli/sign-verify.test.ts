import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseStatement } from "../../../src/bpf/statement.js";
import { identifier, integer, octetString, sequence } from "../../../src/trust/asn1/der-writer.js";
import { writePem } from "../../../src/trust/asn1/pem.js";
import { MAX_SIGNATURE } from "../../../src/trust/formats/pkcs7.js";
import { Authority, type CertificateRequest } from "../../../src/trust/issuing/authority.js";
import { readPrivateKey } from "../../../src/trust/issuing/private-key.js";
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

const example = (name: string): string => join(import.meta.dirname, `../../../examples/${name}.o`);

afterAll(() => rmSync(folder, { recursive: true, force: true }));
const sign = (...words: readonly string[]): ReturnType<typeof runCommand> =>
  runCommand("sign", "--key", at("signer.key"), "--cert", at("signer.pem"), ...words);

describe("countersign sign", () => {
  const DAY = 86_400_000;
  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  const k256 = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey;
  /** Certificates that `verify` refuses by themselves, and a part of the reason. */
  const REFUSED: readonly (readonly [what: string, request: CertificateRequest, reason: string])[] = [
    ["for servers", { subject: "Server", usage: ["serverAuth"] }, "does not have the extended key usage codeSigning"],
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

  const second = Authority.create({ subject: "Second root" });
  const other = second.issue({ subject: "Second" });
  writeFileSync(at("second.pem"), second.pem.certificate);
  writeFileSync(at("other.pem"), other.pem.certificate);
  writeFileSync(at("other.key"), other.pem.key);
  const verifies = async (trust: string, file: string): Promise<number | undefined> =>
    (await runCommand("verify", "--trust", at(trust), "--signature", at(`${file}.p7s`), at(file))).code;

  it("adds to the signatures by other signers, and replaces an earlier one by the same signer", async () => {
    writeFileSync(at("shared"), "shared");
    const signOther = () => runCommand("sign", "--key", at("other.key"), "--cert", at("other.pem"), at("shared"));
    expect((await sign(at("shared"))).code).toBe(0);
    const { length: alone } = readFileSync(at("shared.p7s"));
    expect([await verifies("root.pem", "shared"), await verifies("second.pem", "shared")]).toEqual([0, 1]);
    expect((await signOther()).code).toBe(0);
    expect([await verifies("root.pem", "shared"), await verifies("second.pem", "shared")]).toEqual([0, 0]);
    const both = readFileSync(at("shared.p7s"));
    expect(both.length).toBeGreaterThan(1.5 * alone);
    expect((await signOther()).code).toBe(0);
    expect(Math.abs(readFileSync(at("shared.p7s")).length - both.length)).toBeLessThan(8);
    // A new version of the file: the other signer's signature stays, and is over the old one.
    writeFileSync(at("shared"), "another version");
    expect((await sign(at("shared"))).code).toBe(0);
    expect([await verifies("root.pem", "shared"), await verifies("second.pem", "shared")]).toEqual([0, 1]);
    expect((await signOther()).code).toBe(0);
    expect([await verifies("root.pem", "shared"), await verifies("second.pem", "shared")]).toEqual([0, 0]);
  });

  it("overwrites nothing but signatures", async () => {
    writeFileSync(at("kept"), "kept");
    writeFileSync(at("kept.p7s"), "something else");
    const { code, err } = await sign(at("kept"));
    expect([code, err]).toEqual([2, expect.stringContaining("has something else than signatures")]);
    expect(readFileSync(at("kept.p7s"), "utf8")).toBe("something else");
  });

  it("adds no signature for which there is no room", { tags: ["deep"] }, async () => {
    writeFileSync(at("full"), "full");
    expect((await sign(at("full"))).code).toBe(0);
    const one = readFileSync(at("full.p7s"));
    const many = Buffer.concat(new Array<Buffer>(Math.floor(MAX_SIGNATURE / one.length)).fill(one));
    writeFileSync(at("full.p7s"), many);
    const words = ["--key", at("other.key"), "--cert", at("other.pem")];
    const { code, err } = await runCommand("sign", ...words, at("full"));
    expect([code, err]).toEqual([2, expect.stringContaining("there is no room for another signature")]);
    expect(readFileSync(at("full.p7s"))).toEqual(many);
  });

  it("signs for a keyring with other rules if the options say so", async () => {
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
    const pkcs8 = sequence(integer(0), sequence(identifier(dotted)), octetString(Buffer.alloc(32, 1)));
    if (hasKeysOf(type, pkcs8)) return context.skip("this node's OpenSSL has the type");
    for (const bytes of [pkcs8, Buffer.from(writePem("PRIVATE KEY", pkcs8))]) {
      expect(() => readPrivateKey({ path: "new.key", bytes })).toThrow(`is a key of type ${type}, which this node's`);
    }
  });
});

/**
 * Whether node's OpenSSL has the type, as 3.5 has ML-DSA. Node 22 reads such keys and cannot make them; node 24 makes
 * them, and says that these 32 bytes are malformed.
 */
function hasKeysOf(type: string, pkcs8: Buffer): boolean {
  const ways = [
    () => createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }),
    () => generateKeyPairSync(type.toLowerCase() as "ed25519"),
  ];
  return ways.some((way) => {
    try {
      return way() !== null;
    } catch {
      return false;
    }
  });
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

  it("print the errno and its rule in JSON", async () => {
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

  it("sign the statement of an object, and each program's instructions, under their digests", async () => {
    const words = ["--programs", "--type", "kernel", "--json", "--out", at("store")];
    const { code, out } = await sign(...words, example("xdp-steer"));
    expect(code).toBe(0);
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ program }) => program)).toEqual([null, "drop_blocked", "send_on", "count"]);
    const [statement, ...programs] = lines;
    expect(statement).toMatchObject({
      statement: at(`store/${statement.sha256}.statement`),
      out: at(`store/${statement.sha256}.p7s`),
    });
    for (const program of programs) expect(program.statement).toBeNull();
    const names = lines.map(({ sha256 }) => `${sha256}.p7s`);
    expect(readdirSync(at("store")).sort()).toEqual([...new Set([...names, `${statement.sha256}.statement`])].sort());
    const verify = ["--trust", at("signer.pem"), "--signature", statement.out, statement.statement];
    expect(await runCommand("verify", ...verify)).toMatchObject({
      code: 0,
      out: `${statement.statement}: good: signed by \`CN=Signer\`\n`,
    });
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

describe("a statement that countersign sign makes", () => {
  const object = example("rate-limit");
  const statementIn = (folder: string) => {
    const [name, ...others] = readdirSync(at(folder)).filter((file) => file.endsWith(".statement"));
    expect(others).toEqual([]);
    return parseStatement(readFileSync(at(`${folder}/${name}`))).content;
  };
  const state = (folder: string, ...words: readonly string[]) =>
    sign("--programs", "--out", at(folder), ...words, object);

  it("is of the named programs, with their signatures", async () => {
    const { out } = await state("named", "--program", "measure");
    expect(statementIn("named").program.programs.map(({ name }) => name)).toEqual(["measure"]);
    expect(out.trim().split("\n")).toEqual([
      expect.stringContaining(": statement of 1 program -> "),
      expect.stringContaining(": measure -> "),
    ]);
  });

  it("is signed alone if only statements are asked for", async () => {
    const { out } = await state("alone", "--only-statements");
    expect(out.trim().split("\n")).toEqual([expect.stringContaining(": statement of 2 programs -> ")]);
    expect(readdirSync(at("alone"))).toHaveLength(2);
  });

  it("has the signer's rules", async () => {
    const rules = ["--fix-all", "--fix", "nanoseconds_per_token=5", "--open", "map:buckets.pinned"];
    expect(await state("rules", ...rules)).toMatchObject({ code: 0, err: "" });
    expect(statementIn("rules").rules).toEqual({
      fixed: [
        { name: "buckets.autocreate", kind: "autocreate", value: 1 },
        { name: "burst", kind: "variable", value: "64" },
        { name: "nanoseconds_per_token", kind: "variable", value: "5" },
      ],
      open: ["map:buckets.pinned"],
    });
  });

  it.each<[words: readonly string[], reason: string]>([
    [["--program", "mesure"], "`--program mesure` names nothing in it (did you mean `measure`?) [USAGE]"],
    [["--fix", "bucket.autocreate=0"], "(did you mean `buckets.autocreate`?) [USAGE]"],
    [["--fix", "buckets.autocreate=2"], "`2` is not a value of setting `buckets.autocreate` [USAGE]"],
    [["--open", "map:buckets.flags"], "`--open map:buckets.flags` names nothing in it"],
    [["--namespace", "file"], "statements have a namespace of their own [USAGE]"],
    [["--type", "modsig"], "--programs makes detached signatures of statements [USAGE]"],
  ])("is not made with %j", async (words, reason) => {
    const { code, err } = await state("never-made", ...words);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(reason) });
    expect(existsSync(at("never-made"))).toBe(false);
  });

  it.each([["--program", "name"], ["--fix", "name"], ["--open", "name"], ["--fix-all"], ["--only-statements"]])(
    "is what %s is about",
    async (...option) => {
      const { code, err } = await sign(...option, at("one"));
      expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("is about statements") });
    },
  );

  it("can have an SSH signature, in a namespace of its own, and is then not signed program by program", async () => {
    const key = writeKey("ssh");
    const words = ["--key", key, "--type", "sshsig", "--programs", "--out", at("ssh-store"), object];
    expect(await runCommand("sign", ...words)).toMatchObject({ code: 0 });
    expect(
      readdirSync(at("ssh-store"))
        .map((name) => name.slice(64))
        .sort(),
    ).toEqual([".sig", ".statement"]);
  });

  it("is made of no object that libbpf cannot load, of which the programs are signed", async () => {
    const { code, out, err } = await sign("--programs", "--out", at("legacy"), example("legacy-count"));
    expect(code).toBe(0);
    expect(err).toContain("section maps: no statement is made");
    expect(err).toContain("[STATEMENT_NOT_MADE]");
    expect(out).not.toContain("statement of");
    expect(readdirSync(at("legacy"))).toHaveLength(1);
  });

  it("is not signed as a file", async () => {
    await state("again");
    const name = readdirSync(at("again")).find((file) => file.endsWith(".statement"))!;
    const { code, err } = await sign(at(`again/${name}`));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("is a program statement") });
  });

  it("is signed elsewhere like each program: --attach finds what a bare signature is over", {
    tags: ["deep"],
  }, async () => {
    const key = createPrivateKey(signer.pem.key);
    const words = ["--cert", at("signer.pem"), "--programs"];
    const asked = await runCommand("sign", ...words, "--digest-only", "--json", "--out", at("digests"), object);
    const lines = asked.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(3);
    const written = readdirSync(at("digests")).map((name) => name.slice(65));
    expect(written.sort()).toEqual(["digest", "digest", "digest", "statement"]);
    for (const { digest, toSign } of lines) {
      const bare = signDigest(key, digest, Buffer.from(toSign, "hex"));
      writeFileSync(at("bare"), bare);
      expect(await runCommand("sign", ...words, "--attach", at("bare"), "--out", at("attached"), object)).toMatchObject(
        { code: 0 },
      );
    }
    expect(readdirSync(at("attached"))).toHaveLength(4);
    writeFileSync(at("bare"), signDigest(key, "sha256", Buffer.alloc(32)));
    expect(await runCommand("sign", ...words, "--attach", at("bare"), object)).toMatchObject({
      code: 2,
      err: expect.stringContaining("the signature is over none of"),
    });
  });
});

describe("countersign inspect --statement", () => {
  it("shows a statement, its settings, and what it does not cover", async () => {
    const { code, out } = await runCommand("inspect", "--statement", example("rate-limit"));
    expect(code).toBe(0);
    for (const text of ["object        sha256 ", "buckets.autocreate", "any value", "not covered", ".data, .bss"])
      expect(out, text).toContain(text);
  });

  it("prints the same of a file with a statement, with the rules in it", async () => {
    await sign("--programs", "--fix-all", "--open", "map:buckets.shared", "--out", at("shown"), example("rate-limit"));
    const name = readdirSync(at("shown")).find((file) => file.endsWith(".statement"))!;
    const { out } = await runCommand("inspect", "--statement", "--json", at(`shown/${name}`));
    const shown = JSON.parse(out);
    expect(shown).toMatchObject({ sha256: name.slice(0, 64), rules: { open: ["map:buckets.shared"] } });
    expect(shown.settings).toContainEqual(
      expect.objectContaining({ name: "buckets.autocreate", declared: 1, fixed: 1 }),
    );
    expect(shown.not_covered.length).toBeGreaterThan(2);
    const text = await runCommand("inspect", "--statement", at(`shown/${name}`));
    expect(text.out).toContain("1, fixed");
    expect(text.out).toContain("map:buckets.shared");
  });

  it("says what is wrong with one", async () => {
    writeFileSync(at("new.statement"), "countersign statement 9\n{}");
    const { code, err } = await runCommand("inspect", "--statement", at("new.statement"));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("[STATEMENT_UNSUPPORTED]") });
  });
});

function writeKey(name: string): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(at(name), privateKey.export({ type: "pkcs8", format: "pem" }));
  return at(name);
}

/** A bare ECDSA or RSA signature over a digest, as a key elsewhere makes it. */
function signDigest(key: KeyObject, digest: string, value: Buffer): Buffer {
  writeFileSync(at("digest.bin"), value);
  writeFileSync(at("digest.key"), key.export({ type: "pkcs8", format: "pem" }));
  const options = ["-inkey", at("digest.key"), "-pkeyopt", `digest:${digest}`, "-in", at("digest.bin")];
  return execFileSync("openssl", ["pkeyutl", "-sign", ...options]);
}
