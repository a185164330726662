import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Authority, extension } from "../../../../src/trust/issuing/authority.js";
import { readMaterial } from "../../../../src/trust/source/source.js";
import { runCommand } from "../../../support/command-line.js";
import { minisignIdentity } from "../../../support/minisign.js";
import { PASSPHRASE, PKCS12 } from "../../../support/pkcs12.js";
import { sshIdentity } from "../../../support/ssh.js";

const DAY = 86_400_000;
const NOW = Date.now();
const folder = mkdtempSync(join(tmpdir(), "countersign-keyring-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const root = Authority.create({ subject: "Root", notAfter: NOW + 400 * DAY });
const signer = root.issue({ subject: "Signer", notAfter: NOW + 10 * DAY, serial: 7n });
const old = Authority.create({ subject: "Old root", notBefore: NOW - 20 * DAY, notAfter: NOW - 2 * DAY });
const key = sshIdentity("ssh-ed25519");

beforeAll(async () => {
  mkdirSync(at("signatures"));
  writeFileSync(at("root.pem"), root.pem.certificate);
  writeFileSync(at("old.pem"), old.pem.certificate);
  writeFileSync(at("signer.pem"), signer.pem.certificate);
  writeFileSync(at("signer.key"), signer.pem.key);
  writeFileSync(at("me.pub"), `me@example.org valid-before="20400101Z" ${key.line}\n`);
  writeFileSync(at("mini.pub"), minisignIdentity().publicKey);
  writeFileSync(at("blob"), "instructions");
  writeFileSync(at("a.p12"), PKCS12);
  writeFileSync(at("secret"), `${PASSPHRASE}\n`);
  writeFileSync(at("root.crl"), root.revocationList({ nextUpdate: NOW + 5 * DAY, entries: [{ serial: 9n }] }));
  writeFileSync(
    at("countersign.yaml"),
    `version: 1
keyrings:
  platform: { trust: [root.pem, me.pub, mini.pub], revoked: { crls: [root.crl], digests: [${"ab".repeat(32)}] } }
  past: { trust: [old.pem], sealed: true }
attachments: []
signatures: [signatures]
`,
  );
  await runCommand(
    "sign",
    "--key",
    at("signer.key"),
    "--cert",
    at("signer.pem"),
    "--out",
    at("signatures/"),
    at("blob"),
  );
});

const config = ["--config", at("countersign.yaml")];
const json = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("countersign keyring list", () => {
  it("shows what a keyring holds, until when, and what is revoked", async () => {
    const { code, out } = await runCommand("keyring", "list", ...config, "--json", "platform");
    expect(code).toBe(0);
    expect(json(out)).toMatchObject([
      { kind: "certificate", name: "CN=Root", detail: "P-256", good: true, afterwards: { errno: "EKEYEXPIRED" } },
      { kind: "ssh key", name: "me@example.org", detail: "ed25519", good: true, until: "2040-01-01T00:00:00.000Z" },
      { kind: "minisign key", good: true, until: null },
      { kind: "revocation list", name: "CRL of CN=Root", detail: "1 revoked", good: true },
    ]);
  });

  it("says why something does not count, in a form for people too", async () => {
    const { code, out } = await runCommand("keyring", "list", ...config);
    expect(code).toBe(0);
    expect(out).toContain("keyring platform (profile strict, 1 digests blocked)");
    expect(out).toContain("keyring past (profile strict, sealed)");
    expect(out).toMatch(/certificate +CN=Old root .* -EKEYEXPIRED certificate `CN=Old root` expired at/);
  });

  it("knows no keyring that is not configured", async () => {
    const { code, err } = await runCommand("keyring", "list", ...config, "none");
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("there is no keyring `none`") });
  });
});

describe("countersign keyring check", () => {
  it("tells what will not count in thirty days, and which stored signatures with it", async () => {
    const { code, out } = await runCommand("keyring", "check", ...config, "--json");
    expect(code).toBe(1);
    expect(json(out)).toMatchObject([
      { keyring: "platform", kind: "revocation list", good: true },
      { keyring: "past", kind: "certificate", name: "CN=Old root", good: false, errno: "EKEYEXPIRED" },
      {
        keyring: "platform",
        kind: "signature",
        name: at("signatures/blob.p7s"),
        detail: "CN=Signer",
        good: true,
        afterwards: { errno: "EKEYEXPIRED" },
      },
    ]);
  });

  it("looks only as many days ahead as the option says", async () => {
    expect(await runCommand("keyring", "check", ...config, "--days", "3", "platform")).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /^everything is accepted until at least \d{4}-\d\d-\d\d: platform \(profile strict\)\n$/,
      ),
    });
    expect((await runCommand("keyring", "check", ...config, "--days", "soon")).err).toContain(
      "`soon` is not a number of days",
    );
  });
});

describe.each([
  ["", "strict"],
  ["profile: strict", "strict"],
  ["profile: compatible", "compatible"],
])("a keyring with `%s`", (setting, profile) => {
  const run = (command: string, ...words: string[]) => {
    const rules = `{ trust: [root.pem, old.pem]${setting === "" ? "" : `, ${setting}`} }`;
    writeFileSync(at("profile.yaml"), `version: 1\nattachments: []\nkeyrings: { one: ${rules} }\n`);
    return runCommand("keyring", command, "--config", at("profile.yaml"), ...words);
  };

  it.each(["list", "check"])("is shown with its profile by `keyring %s`", async (command) => {
    const entries = json((await run(command, "--json")).out);
    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries) expect(entry).toMatchObject({ keyring: "one", profile });
    expect((await run(command)).out).toContain(`one (profile ${profile})`);
  });
});

describe("a revocation list in countersign keyring list and check", () => {
  const judge = async (crl: Buffer, freshness = "if-present") => {
    writeFileSync(at("one.crl"), crl);
    const text = `version: 1\nattachments: []\nkeyrings:\n  one:\n    trust: [root.pem]\n    revoked: { crls: [one.crl], freshness: ${freshness} }\n`;
    writeFileSync(at("one.yaml"), text);
    const words = ["--config", at("one.yaml"), "--json"];
    const list = await runCommand("keyring", "list", ...words);
    const check = await runCommand("keyring", "check", "--days", "1", ...words);
    return { code: check.code, entry: json(list.out).find(({ kind }) => kind === "revocation list") };
  };
  const critical = extension("\x2a\x03", Buffer.of(5, 0), true);

  it.each([
    ["of the keyring's authority", () => root.revocationList({}), null],
    ["of another authority", () => Authority.create({ subject: "Other" }).revocationList({}), "no certificate of the"],
    [
      "of another key of that name",
      () => Authority.create({ subject: "Root" }).revocationList({}),
      "no certificate of",
    ],
    ["with an unknown critical extension", () => root.revocationList({ extensions: [critical] }), "critical extension"],
  ])("%s", async (_, make, reason) => {
    const { code, entry } = await judge(make());
    expect(entry).toMatchObject(
      reason === null ? { good: true } : { good: false, reason: expect.stringContaining(reason) },
    );
    expect(code).toBe(reason === null ? 0 : 1);
  });

  it.each([
    ["if-present", "its entries stay revoked, but later revocations are unknown"],
    ["require", "certificates that it covers are rejected"],
  ])("says what an expired one still does under freshness: %s", async (freshness, reason) => {
    const entries = [{ serial: 7n }];
    const crl = root.revocationList({ entries, thisUpdate: NOW - 2 * DAY, nextUpdate: NOW - DAY });
    expect(await judge(crl, freshness)).toMatchObject({
      code: 1,
      entry: { good: false, reason: expect.stringContaining(reason) },
    });
    // and it is true
    const verified = await runCommand(
      ...["verify", "--keyring", "one", "--config", at("one.yaml"), "--json"],
      ...["--signature", at("signatures/blob.p7s"), at("blob")],
    );
    expect(JSON.parse(verified.out)).toMatchObject({ good: false, errno: "EKEYREVOKED" });
  });
});

describe("countersign keyring import", () => {
  it("makes one file of PEM, DER and PKCS#12, each certificate once and no private key", {
    tags: ["deep"],
  }, async () => {
    writeFileSync(at("root.der"), root.certificate.der);
    const out = at("imported.pem");
    const done = await runCommand(
      ...["keyring", "import", "--out", out, "--passphrase-file", at("secret")],
      ...[at("root.pem"), at("root.der"), at("a.p12")],
    );
    expect(done).toMatchObject({ code: 0, out: `${out}: 2 imported\n` });
    const { certificates } = readMaterial([{ path: out, bytes: readFileSync(out) }]);
    expect(certificates.map(String)).toEqual(["CN=Root", "CN=Signer"]);
    expect(readFileSync(out, "utf8")).not.toContain("PRIVATE");
  });

  it.each([
    [
      "/proc/keys",
      (id: string) =>
        `1a39e171 I------     1 perm 1f030000     0     0 asymmetri Root: ${id}: X509.rsa ${id.slice(-8)} []`,
    ],
    ["keyctl show", (id: string) => `  43812345 ---lswrv      0     0   \\_ asymmetric: Root: ${id}`],
  ])("takes only what a listing of %s has, and says what is in no file", async (_, line) => {
    const id = Buffer.from(root.certificate.subjectKeyIdentifier as string, "latin1").toString("hex");
    writeFileSync(at("listing"), `Keyring\n${line(id)}\n${line("00".repeat(20))}\n`);
    const done = await runCommand("keyring", "import", "--kernel", at("listing"), at("root.pem"), at("signer.pem"));
    expect(done.code).toBe(1);
    expect(done.out).toContain("# CN=Root\n");
    expect(done.out).not.toContain("Signer");
    expect(done.err).toContain(`(${"00".repeat(20)}) is in none of the files`);
  });

  it("of nothing is an error", async () => {
    writeFileSync(at("listing"), "Keyring\n");
    const { code, err } = await runCommand("keyring", "import", "--kernel", at("listing"), at("root.pem"));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("nothing is left to import") });
  });
});

describe("countersign sign", () => {
  let server: Server;
  let asked: string | undefined;
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked = request.headers["content-type"];
      response.writeHead(request.url === "/gone" ? 404 : 200).end("no token");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => server.close());

  it("signs with the key of a PKCS#12", async () => {
    const words = ["--pkcs12", at("a.p12"), "--passphrase-file", at("secret"), "--out", at("p12.p7s"), at("blob")];
    expect((await runCommand("sign", ...words)).code).toBe(0);
    await runCommand("keyring", "import", "--out", at("p12.pem"), "--passphrase-file", at("secret"), at("a.p12"));
    const verified = await runCommand("verify", "--trust", at("p12.pem"), "--signature", at("p12.p7s"), at("blob"));
    expect(verified).toMatchObject({ code: 0, out: expect.stringContaining("signed by `CN=Signer`") });
  });

  it("stamps with a key of one's own, so that the signature outlives its certificate", async () => {
    const clock = root.issue({ subject: "Clock", usage: ["timeStamping"], notAfter: NOW + 390 * DAY });
    writeFileSync(at("clock.pem"), clock.pem.certificate);
    writeFileSync(at("clock.key"), clock.pem.key);
    const stamp = ["--timestamp-key", at("clock.key"), "--timestamp-cert", at("clock.pem")];
    const signed = await runCommand(
      ...[
        "sign",
        "--key",
        at("signer.key"),
        "--cert",
        at("signer.pem"),
        ...stamp,
        "--out",
        at("stamped.p7s"),
        at("blob"),
      ],
    );
    expect(signed.code).toBe(0);
    const later = new Date(NOW + 100 * DAY).toISOString();
    const verify = (...more: string[]) =>
      runCommand(
        "verify",
        "--trust",
        at("root.pem"),
        ...more,
        "--at",
        later,
        "--signature",
        at("stamped.p7s"),
        at("blob"),
      );
    expect((await verify()).out).toContain("-EKEYEXPIRED");
    const judged = await verify("--timestamps", at("clock.pem"));
    // the clock's certificate does not say that it is critical: a stamp must be by a key for nothing else
    expect(judged.out).toContain("RFC 3161 2.3");
  });

  it.each([
    ["an authority that answers something else", "/", "no time stamp: the authority's answer cannot be read"],
    ["an authority that is not there", "/gone", "no time stamp: it answers with HTTP status 404"],
  ])("fails with %s", async (_, path, message) => {
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}${path}`;
    const { code, err } = await runCommand(
      ...[
        "sign",
        "--key",
        at("signer.key"),
        "--cert",
        at("signer.pem"),
        "--timestamp",
        url,
        "--out",
        at("no.p7s"),
        at("blob"),
      ],
    );
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(asked).toBe("application/timestamp-query");
  });

  it.each([
    [["--key", "pkcs11:token=t", "--cert", at("signer.pem")], "a key in a token, and no module to reach it by"],
    [["--key", at("signer.key")], "there is not one --cert for each --key"],
    [["--pkcs12", at("a.p12"), "--timestamp", "ftp://x"], "`ftp://x` is not an address"],
    [
      ["--pkcs12", at("a.p12"), "--timestamp-key", at("signer.key")],
      "--timestamp-key and --timestamp-cert belong together",
    ],
  ])("reports the missing option: %j", async (words, message) => {
    const { code, err } = await runCommand("sign", ...words, "--passphrase-file", at("secret"), at("blob"));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(`${message} [USAGE]`) });
  });
});

it("countersign verify accepts SSH signatures for the namespaces that the option names", async () => {
  writeFileSync(at("blob.sig"), key.sign(Buffer.from("instructions"), { namespace: "bpf" }));
  const verify = (...more: string[]) =>
    runCommand(
      "verify",
      "--trust",
      at("me.pub"),
      "--type",
      "sshsig",
      ...more,
      "--signature",
      at("blob.sig"),
      at("blob"),
    );
  expect((await verify()).out).toContain("-EKEYREJECTED: a signature for `bpf`");
  expect(await verify("--namespace", "bpf")).toMatchObject({ code: 0, out: expect.stringContaining("me@example.org") });
});
