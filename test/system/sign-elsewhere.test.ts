/**
 * Signatures of every type that `countersign sign` makes, by keys here and elsewhere: the key signs in two steps, or
 * behind a command, and the tool that the type comes from verifies what came of it.
 */
import { spawnSync } from "node:child_process";
import { createPrivateKey, sign as nodeSign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../support/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-elsewhere-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
// `sign` adds to the signatures of a file that is there
beforeEach(() => rmSync(at("made"), { force: true }));

/** Runs a line of shell in the folder, which must succeed. */
function must(line: string, input: string | Buffer = ""): string {
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-ec", line], { cwd: folder, input, encoding: "utf8" });
  if (status !== 0) throw new Error(`${line}: ${stdout}${stderr}`);
  return stdout;
}

const KEYS: Readonly<Record<string, string>> = {
  rsa: "-algorithm rsa -pkeyopt rsa_keygen_bits:2048",
  "p-256": "-algorithm ec -pkeyopt ec_paramgen_curve:P-256",
  "p-384": "-algorithm ec -pkeyopt ec_paramgen_curve:P-384",
  "p-521": "-algorithm ec -pkeyopt ec_paramgen_curve:P-521",
  ed25519: "-algorithm ed25519",
};
const names = Object.keys(KEYS);
const extensions = `basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=codeSigning
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
`;

beforeAll(() => {
  writeFileSync(at("data"), Buffer.from(Array.from({ length: 904 }, (_, index) => (index * 7) & 0xff)));
  writeFileSync(at("ext"), extensions);
  must("openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out ca.key");
  must("openssl req -x509 -key ca.key -subj /CN=Root -days 30 -out ca.pem");
  for (const [name, words] of Object.entries(KEYS)) {
    must(`openssl genpkey ${words} -out ${name}.key; openssl pkey -in ${name}.key -pubout -out ${name}.pub`);
    must(`openssl req -new -key ${name}.key -subj /CN=${name} -out csr`);
    must(`openssl x509 -req -in csr -CA ca.pem -CAkey ca.key -days 30 -extfile ext -out ${name}.pem`);
  }
});

/**
 * How the tool of each type verifies `made` over `data`; the type's own name for `countersign verify`, and what that
 * trusts.
 */
const TYPES: Readonly<
  Record<string, { trust: (key: string) => string; suffix: string; check: (key: string) => string | null }>
> = {
  pkcs7: {
    suffix: "p7s",
    trust: () => "ca.pem",
    check: () => "openssl cms -verify -binary -purpose any -CAfile ca.pem -inform DER -content data -out out -in made",
  },
  kernel: {
    suffix: "p7s",
    trust: (key) => `${key}.pem`,
    // OpenSSL verifies no Ed25519 signature without signed attributes
    check: (key) =>
      key === "ed25519"
        ? null
        : `openssl cms -verify -binary -purpose any -CAfile ca.pem -certfile ${key}.pem -inform DER -content data -out out -in made`,
  },
  modsig: {
    suffix: "signed",
    trust: (key) => `${key}.pem`,
    check: () => "tail -c 28 made | grep -q 'Module signature'",
  },
  raw: {
    suffix: "sig",
    trust: (key) => `${key}.pub`,
    check: (key) =>
      key === "ed25519"
        ? "openssl pkeyutl -verify -rawin -pubin -inkey ed25519.pub -in data -sigfile made"
        : `openssl dgst -${digestOf(key)} -verify ${key}.pub -signature made data`,
  },
  sshsig: {
    suffix: "sig",
    trust: (key) => `${key}.line`,
    check: (key) =>
      `{ printf 'me namespaces="file" '; cat ${key}.line; } >allowed; ssh-keygen -Y verify -f allowed -I me -n file -s made <data`,
  },
};
const types = Object.keys(TYPES);

const digestOf = (key: string): string => ({ "p-384": "sha384", "p-521": "sha512" })[key] ?? "sha256";

/** The key's public part as ssh-keygen writes it. */
function sshLine(key: string): void {
  if (key !== "ed25519") return void must(`ssh-keygen -i -m PKCS8 -f ${key}.pub >${key}.line`);
  const raw = Buffer.from(must("openssl pkey -pubin -in ed25519.pub -outform DER | base64 -w0"), "base64").subarray(
    -32,
  );
  const text = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(0, 0, 0, bytes.length), bytes]);
  const blob = Buffer.concat([text(Buffer.from("ssh-ed25519")), text(raw)]).toString("base64");
  writeFileSync(at("ed25519.line"), `ssh-ed25519 ${blob}\n`);
}

async function good(type: string, key: string): Promise<void> {
  const { trust, check } = TYPES[type] as (typeof TYPES)[string];
  const line = check(key);
  if (line !== null) must(line);
  const words = type === "modsig" ? [at("made")] : ["--signature", at("made"), at("data")];
  const verified = await runCommand("verify", "--type", type, "--trust", at(trust(key)), ...words);
  expect(verified).toMatchObject({ code: 0 });
}

const identity = (type: string, key: string): string[] =>
  type === "raw" || type === "sshsig" ? ["--public-key", at(`${key}.pub`)] : ["--cert", at(`${key}.pem`)];
const cases = types.flatMap((type) => names.map((key) => [type, key] as const));

/** How OpenSSL signs a digest, or for Ed25519 the whole bytes. */
function bare(key: string, digest: string | null, pss = false): void {
  const padding = pss ? "-pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest" : "";
  const how = digest === null ? "-rawin" : `-pkeyopt digest:${digest} ${padding}`;
  must(`openssl pkeyutl -sign -inkey ${key}.key ${how} -in asked -out bare`);
}

describe("a key that is elsewhere signs in two steps", () => {
  it.each(cases)("type %s, key %s", async (type, key) => {
    sshLine(key);
    const words = ["sign", "--type", type, ...identity(type, key)];
    const asked = await runCommand(...words, "--digest-only", "--json", "--out", at("asked"), at("data"));
    expect(asked).toMatchObject({ code: 0 });
    const { digest, toSign } = JSON.parse(asked.out);
    expect(readFileSync(at("asked")).toString("hex")).toBe(toSign);
    bare(key, digest);
    const attached = await runCommand(...words, "--attach", at("bare"), "--out", at("made"), at("data"));
    expect(attached).toMatchObject({ code: 0 });
    await good(type, key);
  });

  it("with RSASSA-PSS", async () => {
    const words = ["sign", "--pss", "--cert", at("rsa.pem")];
    await runCommand(...words, "--digest-only", "--out", at("asked"), at("data"));
    bare("rsa", "sha256", true);
    expect(await runCommand(...words, "--attach", at("bare"), "--out", at("made"), at("data"))).toMatchObject({
      code: 0,
    });
    await good("pkcs7", "rsa");
  });

  it.each(["p-256", "p-384", "p-521"])("whose signatures are two numbers, as tokens give them: %s", async (key) => {
    const words = ["sign", "--type", "raw", "--public-key", at(`${key}.pub`)];
    const privateKey = createPrivateKey(readFileSync(at(`${key}.key`)));
    const numbers = nodeSign(digestOf(key), readFileSync(at("data")), { key: privateKey, dsaEncoding: "ieee-p1363" });
    writeFileSync(at("bare"), numbers);
    expect(await runCommand(...words, "--attach", at("bare"), "--out", at("made"), at("data"))).toMatchObject({
      code: 0,
    });
    await good("raw", key);
  });

  it("writes nothing where the signature is another's, or over something else", async () => {
    rmSync(at("none"), { force: true });
    writeFileSync(at("asked"), Buffer.alloc(32, 7));
    bare("p-256", "sha256");
    for (const key of ["p-256", "p-384", "rsa", "ed25519"]) {
      const words = ["--cert", at(`${key}.pem`), "--attach", at("bare"), "--out", at("none"), at("data")];
      expect(await runCommand("sign", ...words)).toMatchObject({
        code: 2,
        err: expect.stringContaining("the signature that the key returned does not verify"),
      });
    }
    expect(() => readFileSync(at("none"))).toThrow("ENOENT");
  });
});

describe("a key behind a command", () => {
  const command = (key: string): string =>
    key === "ed25519"
      ? `cat >${at("stdin")}; openssl pkeyutl -sign -rawin -inkey ${at("ed25519.key")} -in ${at("stdin")}`
      : `openssl dgst -$COUNTERSIGN_DIGEST -sign ${at(`${key}.key`)}`;

  it.each(cases)("signs: type %s, key %s", async (type, key) => {
    sshLine(key);
    const words = ["--type", type, ...identity(type, key), "--signer-command", command(key)];
    expect(await runCommand("sign", ...words, "--out", at("made"), at("data"))).toMatchObject({ code: 0 });
    await good(type, key);
  });

  it.each(["rsa", "p-256", "p-384", "p-521"])(
    "signs the digest of its environment, its input unread: %s",
    async (key) => {
      const script = `printf "$(printf %s "$COUNTERSIGN_DIGEST_HEX" | sed 's/../\\\\x&/g')" >${at("hashed")}
openssl pkeyutl -sign -inkey ${at(`${key}.key`)} -pkeyopt digest:$COUNTERSIGN_DIGEST -in ${at("hashed")}`;
      writeFileSync(at("signer.sh"), script);
      const words = ["--cert", at(`${key}.pem`), "--signer-command", `bash ${at("signer.sh")} <&-`];
      expect(await runCommand("sign", ...words, "--out", at("made"), at("data"))).toMatchObject({ code: 0, err: "" });
      await good("pkcs7", key);
    },
  );

  it.each(["", "/dev/stdin", "/proc/self/fd/0"])("may open its input by a name: `%s`", async (name) => {
    const line = `openssl dgst -sha256 -sign ${at("p-256.key")} ${name}`;
    const words = ["--cert", at("p-256.pem"), "--signer-command", line];
    expect(await runCommand("sign", ...words, "--out", at("made"), at("data"))).toMatchObject({ code: 0, err: "" });
    await good("pkcs7", "p-256");
  });

  it("signs minisign's two signatures", async () => {
    must("minisign -G -f -W -p mini.pub -s mini.key");
    const seed = Buffer.from(readFileSync(at("mini.key"), "utf8").split("\n")[1] ?? "", "base64").subarray(62, 94);
    const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
    writeFileSync(at("mini.der"), pkcs8);
    const sign = `cat >${at("stdin")}; openssl pkeyutl -sign -rawin -keyform DER -inkey ${at("mini.der")} -in ${at("stdin")}`;
    const words = ["--type", "minisign", "--public-key", at("mini.pub"), "--signer-command", sign];
    expect(await runCommand("sign", ...words, "--out", at("made"), at("data"))).toMatchObject({ code: 0 });
    must("minisign -V -p mini.pub -m data -x made");
  });

  it.each([
    ["exit 3", "exit code 3"],
    ["echo no token >&2; exit 1", "exit code 1 no token"],
    ["kill -9 $$", "SIGKILL"],
    ["true", "the signature that the key returned does not verify"],
    ["head -c 64 /dev/urandom", "the signature that the key returned does not verify"],
  ])("that fails: %s", async (line, reason) => {
    const { code, err } = await runCommand(
      ...["sign", "--cert", at("p-256.pem"), "--signer-command", line, "--out", at("none"), at("data")],
    );
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(reason) });
    expect(err).toContain("SIGNING_FAILED");
  });
});

describe("a key here", () => {
  it.each(["raw", "sshsig"].flatMap((type) => names.map((key) => [type, key] as const)))(
    "signs: type %s, key %s",
    async (type, key) => {
      sshLine(key);
      const words = ["--type", type, "--key", at(`${key}.key`), "--out", at("made"), at("data")];
      expect(await runCommand("sign", ...words)).toMatchObject({ code: 0 });
      await good(type, key);
    },
  );

  it.each(["ed25519", "rsa -b 2048", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521"])(
    "of ssh-keygen's signs for a namespace: %s",
    async (kind) => {
      must(`rm -f ssh ssh.pub; ssh-keygen -q -t ${kind} -N '' -C me -f ssh`);
      const words = ["--type", "sshsig", "--key", at("ssh"), "--namespace", "bpf"];
      expect(await runCommand("sign", ...words, "--out", at("made"), at("data"))).toMatchObject({ code: 0 });
      must("{ printf 'me '; cat ssh.pub; } >allowed; ssh-keygen -Y verify -f allowed -I me -n bpf -s made <data");
      const verify = ["verify", "--type", "sshsig", "--trust", at("ssh.pub"), "--signature", at("made")];
      expect(await runCommand(...verify, "--namespace", "bpf", at("data"))).toMatchObject({ code: 0 });
      expect(await runCommand(...verify, at("data"))).toMatchObject({ code: 1 });
    },
  );

  it("of ssh-keygen's with a passphrase is told as that", async () => {
    must("rm -f ssh ssh.pub; ssh-keygen -q -t ed25519 -N secret -f ssh");
    const { err } = await runCommand("sign", "--type", "sshsig", "--key", at("ssh"), at("data"));
    expect(err).toMatch(/ssh: is encrypted \[KEY_MALFORMED\]; sign with `ssh-keygen -Y sign`/);
  });

  it.each([
    [[], "timestamp:"],
    [["--comment", "release 7"], "release 7"],
  ] as const)("of minisign's signs: %j", async (more, comment) => {
    must("minisign -G -f -W -p mini.pub -s mini.key");
    const words = ["--type", "minisign", "--key", at("mini.key"), ...more, "--out", at("made"), at("data")];
    expect(await runCommand("sign", ...words)).toMatchObject({ code: 0 });
    expect(must("minisign -V -p mini.pub -m data -x made")).toContain(comment);
    const verify = ["--type", "minisign", "--trust", at("mini.pub"), "--signature", at("made"), at("data")];
    expect(await runCommand("verify", ...verify)).toMatchObject({ code: 0 });
  });
});

describe("a passphrase", () => {
  const SECRET = "correct horse";
  beforeAll(() => {
    writeFileSync(at("secret"), `${SECRET}\n`);
    must("openssl pkcs8 -topk8 -in p-256.key -out locked.key -v2 aes-256-cbc -passout file:secret");
  });
  const cli = join(import.meta.dirname, "../../bin/countersign.js");
  const sign = (more: string, env = "") =>
    `${env} node ${cli} sign --key locked.key --cert p-256.pem --out made ${more} data`;

  it.each([
    ["a file", "--passphrase-file secret", "", ""],
    ["a descriptor", "--passphrase-fd 3", "", "3<secret"],
    ["standard input", "--passphrase-fd 0", "", "<secret"],
    ["a pipe", "--passphrase-fd 0", "cat secret |", ""],
    ["a credential of systemd", "--passphrase-credential secret", "CREDENTIALS_DIRECTORY=.", ""],
  ])("comes from %s", async (_, words, before, after) => {
    must(`${sign(words, before)} ${after}`);
    await good("pkcs7", "p-256");
  });

  it.each([
    ["a descriptor that is not open", "--passphrase-fd 9", "", "descriptor 9: cannot be read: E"],
    ["no descriptor", "--passphrase-fd x", "", "`x` is not a descriptor"],
    ["no credentials", "--passphrase-credential secret", "CREDENTIALS_DIRECTORY=", "there are no credentials"],
    [
      "a path as a credential",
      "--passphrase-credential ../secret",
      "CREDENTIALS_DIRECTORY=.",
      "is not the name of a credential",
    ],
    ["two sources", "--passphrase-file secret --passphrase-fd 0", "", "several sources of one passphrase"],
    ["a wrong one", "--passphrase-file ext", "", "does not open with this passphrase"],
  ])("is told to be wrong: %s", (_, words, before, reason) => {
    expect(() => must(sign(words, before))).toThrow(reason);
  });
});

describe("what does not go together", () => {
  it.each([
    [["--cert", "p-256.pem", "--key", "p-256.key", "--digest-only"], "a key here, and one elsewhere"],
    [["--cert", "p-256.pem", "--digest-only", "--attach", "bare"], "several ways to sign elsewhere"],
    [["--digest-only"], "there is not one --cert"],
    [["--type", "minisign", "--public-key", "mini.pub", "--digest-only"], "minisign signs its own signature too"],
    [["--type", "raw", "--key", "p-256.key", "--digest", "sha512"], "--digest and --pss are for"],
    [["--type", "minisign", "--key", "p-256.key"], "is not a minisign secret key"],
    [["--type", "raw", "--key", "p-256.key", "--programs"], "--programs makes detached signatures of statements"],
  ])("%j", async (words, reason) => {
    const given = words.map((word) => (/\.(pem|key|pub)$|^bare$/.test(word) ? at(word) : word));
    const { code, err } = await runCommand("sign", ...given, at("data"));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(reason) });
  });
});
