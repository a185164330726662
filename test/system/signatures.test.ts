/**
 * Signatures across tools: what OpenSSL, GnuTLS and the kernel's sign-file make verifies here, and the other way round.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verdictName } from "../../src/errno.js";
import type { SignatureType } from "../../src/trust/formats/formats.js";
import { splitModsig } from "../../src/trust/formats/modsig.js";
import { readPrivateKey } from "../../src/trust/issuing/private-key.js";
import {
  type SigningIdentity,
  type SigningOptions,
  signKernel,
  signModule,
  signPkcs7,
} from "../../src/trust/issuing/sign-cms.js";
import { readMaterial } from "../../src/trust/source/source.js";
import { file, trusting } from "../support/trust.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-signatures-"));
const inside = (name: string): string => join(folder, name);
const read = (name: string): Buffer => readFileSync(inside(name));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a tool in the folder; what it complains about is the error's message. */
function run(tool: string, ...words: readonly string[]): void {
  const { status, stderr, error } = spawnSync(tool, words, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`${tool} ${words.join(" ")}: ${error?.message ?? stderr}`);
}

/** Keys by name, as `openssl genpkey` takes them. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  rsa: ["-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048"],
  "rsa-pss": ["-algorithm", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"],
  "p-256": ["-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  "p-384": ["-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
  "p-521": ["-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
  ed25519: ["-algorithm", "ed25519"],
};
const EXTENSIONS = `basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=codeSigning
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
`;
const signFile = signFilePath();

beforeAll(() => {
  writeFileSync(inside("data"), Buffer.from(Array.from({ length: 904 }, (_, index) => (index * 7) & 0xff)));
  writeFileSync(inside("other"), "other data");
  writeFileSync(inside("extensions"), EXTENSIONS);
  run("openssl", "genpkey", ...(KEYS.rsa as string[]), "-out", "ca.key");
  run("openssl", "req", "-x509", "-key", "ca.key", "-subj", "/O=Test/CN=Root", "-days", "30", "-out", "ca.pem");
  for (const [name, words] of Object.entries(KEYS)) {
    run("openssl", "genpkey", ...words, "-out", `${name}.key`);
    run("openssl", "req", "-new", "-key", `${name}.key`, "-subj", `/O=Test/CN=Signer ${name}`, "-out", `${name}.csr`);
    const issue = ["-CA", "ca.pem", "-CAkey", "ca.key", "-days", "30", "-extfile", "extensions", "-out", `${name}.pem`];
    run("openssl", "x509", "-req", "-in", `${name}.csr`, ...issue);
  }
});

/** The verdict by the authority and, where the message carries no certificate, by the signer's own. */
function judge(signature: Uint8Array, trust: string, data = "data", type: SignatureType = "PKCS7"): string {
  return verdictName(trusting([read(`${trust}.pem`)]).verify(read(data), signature, type, Date.now()).verdict);
}

function identity(name: string): SigningIdentity {
  const [certificate] = readMaterial([file(name, read(`${name}.pem`))]).certificates;
  if (certificate === undefined) throw new Error(`${name}.pem holds no certificate`);
  return { key: readPrivateKey(file(name, read(`${name}.key`))), certificate };
}

/** Has OpenSSL sign `data`, and gives what it made. */
function opensslSigns(key: string, ...options: readonly string[]): Buffer {
  const words = ["-in", "data", "-outform", "DER", "-out", "made.p7s"];
  run("openssl", "cms", "-sign", "-binary", ...words, "-signer", `${key}.pem`, "-inkey", `${key}.key`, ...options);
  return read("made.p7s");
}

/** Has OpenSSL verify `ours.p7s`, by a key with the authority's certificate; its complaint is the error's message. */
function opensslVerifies(key: string, data = "data"): void {
  const words = ["-inform", "DER", "-in", "ours.p7s", "-certfile", `${key}.pem`, "-CAfile", "ca.pem"];
  run("openssl", "cms", "-verify", "-binary", ...words, "-purpose", "any", "-content", data, "-out", "/dev/null");
}

describe("what openssl cms -sign makes", () => {
  /** Key, what else the command is told, and where the signer's certificate is found. */
  const CASES: readonly (readonly [key: string, options: readonly string[], trust: "ca" | "signer"])[] = [
    ["rsa", [], "ca"],
    ["rsa", ["-md", "sha384"], "ca"],
    ["rsa", ["-md", "sha512"], "ca"],
    ["rsa", ["-noattr"], "ca"],
    ["rsa", ["-nocerts"], "signer"],
    ["rsa", ["-keyid"], "ca"],
    ["rsa", ["-nocerts", "-noattr", "-keyid", "-md", "sha256"], "signer"],
    ["rsa", ["-keyopt", "rsa_padding_mode:pss"], "ca"],
    ["rsa", ["-keyopt", "rsa_padding_mode:pss", "-noattr", "-md", "sha384"], "ca"],
    ["rsa", ["-nosmimecap"], "ca"],
    ["rsa", ["-cades"], "ca"],
    ["p-384", ["-cades", "-md", "sha512"], "ca"],
    ["rsa-pss", ["-keyopt", "rsa_padding_mode:pss"], "ca"],
    ...["max", "auto", "digest", "0", "20", "64", "65", "222"].map(
      (salt) => ["rsa", ["-keyopt", "rsa_padding_mode:pss", "-keyopt", `rsa_pss_saltlen:${salt}`], "ca"] as const,
    ),
    ["rsa", ["-md", "sha512", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:max"], "ca"],
    ["p-256", [], "ca"],
    ["p-256", ["-nocerts", "-noattr", "-keyid", "-md", "sha256"], "signer"],
    ["p-384", ["-md", "sha384"], "ca"],
    ["p-384", ["-md", "sha512", "-noattr"], "ca"],
    ["p-521", ["-md", "sha512"], "ca"],
    ["ed25519", ["-md", "sha512"], "ca"],
    ["ed25519", ["-md", "sha512", "-nocerts", "-keyid"], "signer"],
    ["p-256", ["-signer", "rsa.pem", "-inkey", "rsa.key"], "ca"],
  ];

  it.each(CASES)("verifies: %s %j", (key, options, trust) => {
    const signature = opensslSigns(key, ...options);
    expect(judge(signature, trust === "ca" ? "ca" : key)).toBe("0");
    expect(judge(signature, trust === "ca" ? "ca" : key, "other")).toBe("-EKEYREJECTED");
    expect(judge(signature, "p-384" === key ? "p-521" : "p-384")).toBe("-ENOKEY");
  });

  it("is refused where it carries its content", () => {
    expect(judge(opensslSigns("rsa", "-nodetach"), "ca")).toBe("-EBADMSG");
  });

  it("is refused with SHA-1 as not supported", () => {
    expect(judge(opensslSigns("rsa", "-md", "sha1"), "ca")).toBe("-ENOPKG");
  });
});

describe("what is signed here", () => {
  const WAYS: Readonly<Record<string, (key: string) => Buffer>> = {
    "as openssl does": (key) => signPkcs7(read("data"), identity(key)),
    "with PSS": (key) => signPkcs7(read("data"), identity(key), { pss: true }),
    "with SHA-512": (key) => signPkcs7(read("data"), identity(key), { digest: "sha512" } satisfies SigningOptions),
    "as the kernel does": (key) => signKernel(read("data"), identity(key)),
    "with a second signer": (key) => signPkcs7(read("data"), [identity(key), identity("p-384")]),
  };
  const CASES = Object.keys(KEYS).flatMap((key) => Object.keys(WAYS).map((way) => [key, way] as const));

  it.each(CASES)("verifies with openssl: %s %s", (key, way) => {
    writeFileSync(inside("ours.p7s"), (WAYS[way] as (key: string) => Buffer)(key));
    const verify = (data: string): void => opensslVerifies(key, data);
    if (key === "ed25519" && way === "as the kernel does") {
      // OpenSSL cannot verify Ed25519 without signed attributes
      expect(() => verify("data")).toThrow(/invalid eddsa instance|provider signature failure|CMS/i);
      expect(judge(read("ours.p7s"), key)).toBe("0");
      return;
    }
    verify("data");
    expect(() => verify("other")).toThrow();
  });

  it.each(Object.keys(KEYS))("verifies with certtool: %s", (key) => {
    writeFileSync(inside("ours.p7s"), signPkcs7(read("data"), identity(key)));
    const words = ["--load-ca-certificate", "ca.pem", "--infile", "ours.p7s", "--inder"];
    run("certtool", "--p7-verify", ...words, "--load-data", "data");
    expect(() => run("certtool", "--p7-verify", ...words, "--load-data", "other")).toThrow();
  });

  it.each(["rsa", "p-256"])("looks to the kernel's tools as sign-file's own: %s", (key) => {
    const module = signModule(read("data"), identity(key));
    writeFileSync(inside("ours.ko"), module);
    const parts = splitModsig(module);
    if (parts === null || "verdict" in parts) throw new Error("no signature is appended");
    writeFileSync(inside("ours.p7s"), parts.cms);
    opensslVerifies(key);
  });
});

describe("what certtool makes", () => {
  it.each(Object.keys(KEYS))("verifies: %s", (key) => {
    const words = ["--load-privkey", `${key}.key`, "--load-certificate", `${key}.pem`, "--infile", "data", "--outder"];
    run("certtool", "--p7-detached-sign", ...words, "--outfile", "made.p7s");
    expect(judge(read("made.p7s"), "ca")).toBe("0");
    expect(judge(read("made.p7s"), "ca", "other")).toBe("-EKEYREJECTED");
    run("certtool", "--p7-detached-sign", "--p7-time", ...words, "--outfile", "timed.p7s");
    expect(judge(read("timed.p7s"), "ca")).toBe("0");
  });
});

describe("what the kernel's sign-file makes", () => {
  it.for(["rsa", "p-256", "p-384"])("verifies: %s", (key, context) => {
    if (signFile === null) return context.skip("needs sign-file of a linux-kbuild package");
    writeFileSync(inside("module.ko"), read("data"));
    run(signFile, "sha256", `${key}.key`, `${key}.pem`, "module.ko");
    const keyring = trusting([read(`${key}.pem`)]);
    const module = read("module.ko");
    expect(verdictName(keyring.verify(module, null, "MODSIG", Date.now()).verdict)).toBe("0");
    module[0] = (module[0] as number) ^ 1;
    expect(verdictName(keyring.verify(module, null, "MODSIG", Date.now()).verdict)).toBe("-EKEYREJECTED");
  });
});

describe("what openssl dgst and pkeyutl make", () => {
  it.each([
    ["rsa", ["dgst", "-sha256"]],
    ["p-256", ["dgst", "-sha256"]],
    ["p-384", ["dgst", "-sha384"]],
    ["p-521", ["dgst", "-sha512"]],
    ["ed25519", ["pkeyutl", "-rawin"]],
  ] as const)("verifies by the key alone: %s %j", (key, [command, option]) => {
    const way =
      command === "dgst"
        ? ["-sign", `${key}.key`, "-out", "raw", "data"]
        : ["-sign", "-inkey", `${key}.key`, "-in", "data", "-out", "raw"];
    run("openssl", command, option, ...way);
    run("openssl", "pkey", "-in", `${key}.key`, "-pubout", "-out", "public.pem");
    expect(judge(read("raw"), "public", "data", "RAW")).toBe("0");
    expect(judge(read("raw"), "public", "other", "RAW")).toBe("-EKEYREJECTED");
  });
});

/** Any release's will do: the form has not changed since PKCS#7 came. */
function signFilePath(): string | null {
  const lib = "/usr/lib";
  const found = readdirSync(lib)
    .filter((name) => name.startsWith("linux-kbuild-"))
    .map((name) => join(lib, name, "scripts/sign-file"));
  return found.find((path) => existsSync(path)) ?? null;
}
