/**
 * Keys and signatures of other tools, both ways: ssh-keygen, minisign, PKCS#12 by OpenSSL and GnuTLS, time stamps by
 * `openssl ts`, and a key in a SoftHSM token.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verdictName } from "../../src/errno.js";
import type { SignatureType } from "../../src/trust/formats/formats.js";
import { runCommand } from "../support/command-line.js";
import { minisignIdentity } from "../support/minisign.js";
import { SSH_KINDS, sshIdentity } from "../support/ssh.js";
import { file, trusting } from "../support/trust.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-foreign-"));
const at = (name: string): string => join(folder, name);
const read = (name: string): Buffer => readFileSync(at(name));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a line of shell in the folder. */
function run(line: string, input: string | Buffer = "") {
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-ec", line], { cwd: folder, input, timeout: 60_000 });
  return { status, output: `${stdout}${stderr}` };
}

/** The same of one that must succeed. */
function must(line: string): void {
  const { status, output } = run(line);
  if (status !== 0) throw new Error(`${line}: ${output}`);
}

/** OpenSSL verifies a detached signature over `data`, by the authority of `ca.pem`. */
function opensslTakes(signature: string): void {
  must(
    `openssl cms -verify -binary -purpose any -CAfile ca.pem -inform DER -content data -out verified -in ${signature}`,
  );
}

/** Skips each test of a group where a tool is missing. */
function needs(tool: string): void {
  beforeEach((context) => {
    if (spawnSync("which", [tool]).status !== 0) context.skip(`needs ${tool}`);
  });
}

function judge(trust: string | Buffer, signature: Uint8Array, type: SignatureType, data = read("data")): string {
  return verdictName(trusting([trust]).verify(data, signature, type, Date.now()).verdict);
}

beforeAll(() => {
  writeFileSync(at("data"), Buffer.from(Array.from({ length: 904 }, (_, index) => (index * 7) & 0xff)));
  writeFileSync(at("secret"), "1234\n");
});

describe("ssh-keygen", () => {
  needs("ssh-keygen");
  const kinds = [
    ["ed25519", ""],
    ["rsa", "-b 3072"],
    ["ecdsa", "-b 256"],
    ["ecdsa", "-b 384"],
    ["ecdsa", "-b 521"],
  ] as const;

  it.each(kinds)("signs with a key of type %s %s, and it verifies here", (type, bits) => {
    rmSync(at("key"), { force: true });
    must(`ssh-keygen -q -t ${type} ${bits} -N '' -f key -C me@example.org`);
    for (const digest of ["sha256", "sha512"]) {
      rmSync(at("data.sig"), { force: true });
      must(`ssh-keygen -Y sign -q -f key -n file -O hashalg=${digest} data`);
      expect(judge(read("key.pub"), read("data.sig"), "SSHSIG")).toBe("0");
      expect(judge(read("key.pub"), read("data.sig"), "SSHSIG", Buffer.from("other"))).toBe("-EKEYREJECTED");
    }
    rmSync(at("data.sig"), { force: true });
    must("ssh-keygen -Y sign -q -f key -n git data");
    expect(judge(read("key.pub"), read("data.sig"), "SSHSIG")).toBe("-EKEYREJECTED");
  });

  it.each(SSH_KINDS)("verifies what the tests' own signer makes with a key of type %s", (kind) => {
    const { line, sign } = sshIdentity(kind);
    writeFileSync(at("allowed"), `me@example.org namespaces="file" ${line}\n`);
    writeFileSync(at("own.sig"), sign(read("data")));
    must("ssh-keygen -Y verify -f allowed -I me@example.org -n file -s own.sig <data");
    expect(judge(read("allowed"), read("own.sig"), "SSHSIG")).toBe("0");
  });
});

describe("minisign", () => {
  needs("minisign");
  it.each([
    ["as it does now", ""],
    ["in its old form", "-l"],
  ])("signs %s, and it verifies here", (_, form) => {
    must("minisign -G -f -W -p mini.pub -s mini.key");
    must(`minisign -S ${form} -s mini.key -m data -x data.minisig -t 'a comment'`);
    expect(judge(read("mini.pub"), read("data.minisig"), "MINISIGN")).toBe("0");
    expect(judge(read("mini.pub"), read("data.minisig"), "MINISIGN", Buffer.from("other"))).toBe("-EKEYREJECTED");
    expect(judge(minisignIdentity().publicKey, read("data.minisig"), "MINISIGN")).toBe("-ENOKEY");
  });

  it("verifies what the tests' own signer makes", () => {
    const { publicKey, sign } = minisignIdentity();
    writeFileSync(at("own.pub"), publicKey);
    writeFileSync(at("own.minisig"), sign(read("data")));
    must("minisign -V -p own.pub -m data -x own.minisig");
  });
});

/** A root, and signers of each kind below it, by OpenSSL. */
function issue(name: string, algorithm: string, extensions: string): void {
  if (!existsSync(at("ca.pem")))
    must("openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=Root -days 90 -out ca.pem");
  writeFileSync(at(`${name}.ext`), extensions);
  must(`openssl req -new ${algorithm} -nodes -keyout ${name}.key -subj /CN=${name} -out ${name}.csr`);
  const words = `-CA ca.pem -CAkey ca.key -days 60 -extfile ${name}.ext -out ${name}.pem`;
  must(`openssl x509 -req -in ${name}.csr ${words}`);
}

const CODE = "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectKeyIdentifier=hash\n";
const TIME = "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\n";
const RSA = "-newkey rsa:2048";
const EC = "-newkey ec -pkeyopt ec_paramgen_curve:P-256";

describe("a PKCS#12 file", () => {
  needs("certtool");
  const pass = ["--passphrase-file", at("secret")];

  const openssl = "openssl pkcs12 -export -inkey p12.key -in p12.pem -passout pass:1234";
  const gnutls =
    "certtool --to-p12 --load-privkey p12.key --load-certificate p12.pem --p12-name me --password 1234 --outder --outfile";

  it.each([
    ["OpenSSL", RSA, `${openssl} -certfile ca.pem -out`],
    ["OpenSSL", EC, `${openssl} -out`],
    ["GnuTLS", RSA, gnutls],
    ["GnuTLS", EC, gnutls],
  ])("of %s signs, and OpenSSL takes the signature", async (_, algorithm, pack) => {
    issue("p12", algorithm, CODE);
    must(`${pack} a.p12`);
    expect(
      await runCommand("sign", "--pkcs12", at("a.p12"), ...pass, "--out", at("p12.p7s"), at("data")),
    ).toMatchObject({ code: 0 });
    opensslTakes("p12.p7s");
    expect(judge(read("ca.pem"), read("p12.p7s"), "PKCS7")).toBe("0");
    expect(await runCommand("keyring", "import", ...pass, at("a.p12"))).toMatchObject({
      code: 0,
      out: expect.stringContaining("# CN=p12"),
    });
  });

  it("in the old way of OpenSSL is refused, with what to do", async () => {
    issue("p12", RSA, CODE);
    must(`${openssl} -legacy -out old.p12`);
    const { code, err } = await runCommand("sign", "--pkcs12", at("old.p12"), ...pass, at("data"));
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringContaining("is encrypted with an algorithm other than PBES2"),
    });
  });
});

describe("openssl ts", () => {
  let server: Server;
  let url: string;

  beforeAll(async () => {
    issue("signer", EC, CODE);
    issue("clock", RSA, TIME);
    writeFileSync(at("serial"), "01\n");
    writeFileSync(
      at("ts.cnf"),
      `[tsa]
default_tsa = one
[one]
serial = ${at("serial")}
crypto_device = builtin
signer_cert = ${at("clock.pem")}
certs = ${at("ca.pem")}
signer_key = ${at("clock.key")}
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1, millisecs:500
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`,
    );
    server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      writeFileSync(at("query"), Buffer.concat(parts));
      must("openssl ts -reply -config ts.cnf -queryfile query -out reply");
      response.end(read("reply"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => server.close());

  const keyring = () => trusting([read("ca.pem")], { timestamps: { trust: [file("ca.pem", read("ca.pem"))] } });
  const sign = (...more: string[]) =>
    runCommand(
      "sign",
      "--key",
      at("signer.key"),
      "--cert",
      at("signer.pem"),
      "--out",
      at("stamped.p7s"),
      ...more,
      at("data"),
    );

  it("as an authority over HTTP: its stamp lets a signature outlive its certificate here", async () => {
    expect(await sign("--timestamp", url)).toMatchObject({ code: 0, err: "" });
    const later = Date.now() + 70 * 86_400_000;
    expect(judge(read("ca.pem"), read("stamped.p7s"), "PKCS7")).toBe("0");
    expect(
      verdictName(trusting([read("ca.pem")]).verify(read("data"), read("stamped.p7s"), "PKCS7", later).verdict),
    ).toBe("-EKEYEXPIRED");
    // the authority's certificate ends with the signer's: the stamp itself is what is refused
    expect(keyring().verify(read("data"), read("stamped.p7s"), "PKCS7", later)).toMatchObject({
      reason: expect.stringContaining("the time stamp is rejected"),
    });
    expect(keyring().verify(read("data"), read("stamped.p7s"), "PKCS7", Date.now() + 5_000).verdict).toBe(0);
  });

  it("verifies a stamp by a key of one's own, and OpenSSL still takes the signature", async () => {
    expect(await sign("--timestamp-key", at("clock.key"), "--timestamp-cert", at("clock.pem"))).toMatchObject({
      code: 0,
    });
    opensslTakes("stamped.p7s");
    const { readSignedData } = await import("../../src/trust/cms/cms.js");
    const [signer] = readSignedData(read("stamped.p7s")).signers;
    writeFileSync(at("token"), signer?.timeStamp as Buffer);
    writeFileSync(at("value"), signer?.signature as Buffer);
    must("openssl ts -verify -token_in -in token -data value -CAfile ca.pem");
    expect(keyring().verify(read("data"), read("stamped.p7s"), "PKCS7", Date.now() + 5_000).verdict).toBe(0);
  });
});

describe("a key in a SoftHSM token", () => {
  const module = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"].find((path) =>
    existsSync(path),
  );
  const provider = run("openssl version -m").output.match(/"(.+)"/)?.[1];
  beforeEach((context) => {
    const there = module !== undefined && provider !== undefined && existsSync(join(provider, "pkcs11.so"));
    if (!there) context.skip("needs softhsm2 and pkcs11-provider");
  });

  it.each([
    ["rsa", RSA, []],
    ["rsa", RSA, ["--pss"]],
    ["p-256", EC, []],
  ])("of kind %s signs through openssl's provider, and OpenSSL takes it", async (kind, algorithm, more) => {
    mkdirSync(at("tokens"), { recursive: true });
    writeFileSync(
      at("softhsm.conf"),
      `directories.tokendir = ${at("tokens")}\nobjectstore.backend = file\nlog.level = ERROR\n`,
    );
    process.env.SOFTHSM2_CONF = at("softhsm.conf");
    const label = `t-${kind}-${more.length}`;
    issue(label, algorithm, CODE);
    must(`openssl pkcs8 -topk8 -nocrypt -in ${label}.key -out ${label}.p8`);
    must(`softhsm2-util --init-token --free --label ${label} --so-pin 1234 --pin 1234`);
    must(`softhsm2-util --import ${label}.p8 --token ${label} --label signer --id a1 --pin 1234`);
    const key = ["--key", `pkcs11:token=${label};object=signer;type=private`, "--cert", at(`${label}.pem`)];
    const token = ["--pkcs11-module", module as string, "--passphrase-file", at("secret")];
    expect(await runCommand("sign", ...key, ...token, ...more, "--out", at("token.p7s"), at("data"))).toMatchObject({
      code: 0,
    });
    opensslTakes("token.p7s");
    expect(judge(read("ca.pem"), read("token.p7s"), "PKCS7")).toBe("0");
    writeFileSync(at("wrong"), "9999\n");
    const refused = await runCommand(
      "sign",
      ...key,
      ...token.slice(0, 2),
      "--passphrase-file",
      at("wrong"),
      ...more,
      "--out",
      at("no.p7s"),
      at("data"),
    );
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("[SIGNING_FAILED]") });
  });
});
