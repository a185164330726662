/**
 * Signatures by keys that were made in a PKCS#11 token and cannot leave it: a command signs with the token, by OpenSC's
 * pkcs11-tool or by OpenSSL's engine, and the signature is verified here and by OpenSSL.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../support/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-token-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MODULE = "/usr/lib/softhsm/libsofthsm2.so";
const env = { ...process.env, SOFTHSM2_CONF: at("softhsm.conf"), PKCS11_MODULE_PATH: MODULE };
const run = (line: string) => spawnSync("/bin/bash", ["-ec", line], { cwd: folder, env, encoding: "utf8" });

/** Runs a line of shell in the folder, which must succeed. */
function must(line: string): string {
  const { status, stdout, stderr } = run(line);
  if (status !== 0) throw new Error(`${line}: ${stdout}${stderr}`);
  return stdout;
}

const hasTool = existsSync(MODULE) && run("command -v pkcs11-tool").status === 0;
const hasEngine = hasTool && run("openssl engine pkcs11").status === 0;
const tool = (id: string, words: string, pin = "1234") =>
  `SOFTHSM2_CONF=${at("softhsm.conf")} pkcs11-tool --module ${MODULE} ` +
  `--token-label t --login --pin ${pin} --id ${id} ${words}`;

const KEYS = {
  rsa: { id: "01", type: "rsa:2048", digest: "sha256" },
  "p-256": { id: "02", type: "EC:prime256v1", digest: "sha256" },
  "p-384": { id: "03", type: "EC:secp384r1", digest: "sha384" },
  ed25519: { id: "04", type: "EC:edwards25519", digest: "" },
} as const;
type Key = keyof typeof KEYS;

beforeAll(() => {
  if (!hasTool) return;
  mkdirSync(at("tokens"));
  writeFileSync(
    at("softhsm.conf"),
    `directories.tokendir = ${at("tokens")}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  writeFileSync(at("data"), Buffer.from(Array.from({ length: 904 }, (_, index) => (index * 7) & 0xff)));
  writeFileSync(
    at("ext"),
    `basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=codeSigning
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
`,
  );
  // a token that signs a digest gets it from the command's environment
  writeFileSync(
    at("hashed.sh"),
    `printf "$(printf %s "$COUNTERSIGN_DIGEST_HEX" | sed 's/../\\\\x&/g')" >${at("hashed")}`,
  );
  must("softhsm2-util --init-token --free --label t --so-pin 1234 --pin 1234");
  must("openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out ca.key");
  must("openssl req -x509 -key ca.key -subj /CN=Root -days 30 -out ca.pem");
  for (const [key, { id, type }] of Object.entries(KEYS)) {
    must(tool(id, `--keypairgen --key-type ${type} --label ${key} --sensitive`));
    must(tool(id, `--read-object --type pubkey --output-file ${key}.key`));
    must(`openssl pkey -pubin -in ${key}.key -out ${key}.pub`);
    const issuer = "-CA ca.pem -CAkey ca.key -days 30 -extfile ext";
    must(`openssl x509 -new -force_pubkey ${key}.pub -subj /CN=${key} ${issuer} -out ${key}.pem`);
  }
});

const hashed = (id: string, mechanism: string) =>
  `bash ${at("hashed.sh")}; ${tool(id, `--sign --mechanism ${mechanism} --input-file ${at("hashed")}`)}`;
const whole = (id: string, mechanism: string) => tool(id, `--sign --mechanism ${mechanism} --input-file /dev/stdin`);
const PSS = "--mgf MGF1-SHA256 --salt-len $COUNTERSIGN_SALT";

/** How a token is asked: by which key, what else `sign` is told, and the command. */
const WAYS: Readonly<Record<string, { key: Key; pss?: true; command: string; engine?: true }>> = {
  "RSA, hashed by the token": { key: "rsa", command: whole("01", "SHA256-RSA-PKCS") },
  "RSASSA-PSS, hashed by the token": { key: "rsa", pss: true, command: whole("01", `SHA256-RSA-PKCS-PSS ${PSS}`) },
  "RSASSA-PSS of a digest": {
    key: "rsa",
    pss: true,
    command: hashed("01", `RSA-PKCS-PSS --hash-algorithm SHA256 ${PSS}`),
  },
  "P-256 of a digest, as two numbers": { key: "p-256", command: hashed("02", "ECDSA") },
  "P-256 of a digest, in DER": { key: "p-256", command: hashed("02", "ECDSA --signature-format openssl") },
  "P-384 of a digest": { key: "p-384", command: hashed("03", "ECDSA") },
  Ed25519: { key: "ed25519", command: whole("04", "EDDSA") },
  "RSA by OpenSSL's engine": { key: "rsa", engine: true, command: engine("rsa") },
  "P-256 by OpenSSL's engine": { key: "p-256", engine: true, command: engine("p-256") },
  "P-384 by OpenSSL's engine": { key: "p-384", engine: true, command: engine("p-384") },
};

function engine(key: Key): string {
  const uri = `pkcs11:token=t;object=${key};type=private;pin-value=1234`;
  const variables = `SOFTHSM2_CONF=${at("softhsm.conf")} PKCS11_MODULE_PATH=${MODULE}`;
  return `${variables} openssl dgst -$COUNTERSIGN_DIGEST -engine pkcs11 -keyform engine -sign '${uri}'`;
}

/** What signatures of each type are verified by, here and by another program. */
const TYPES = {
  pkcs7: {
    trust: () => "ca.pem",
    check: () => "openssl cms -verify -binary -purpose any -CAfile ca.pem -inform DER -content data -out out -in made",
  },
  kernel: { trust: (key: Key) => `${key}.pem`, check: () => null },
  modsig: { trust: (key: Key) => `${key}.pem`, check: () => "tail -c 28 made | grep -q 'Module signature'" },
  raw: {
    trust: (key: Key) => `${key}.pub`,
    check: (key: Key) =>
      key === "ed25519"
        ? "openssl pkeyutl -verify -rawin -pubin -inkey ed25519.pub -in data -sigfile made"
        : `openssl dgst -${KEYS[key].digest} -verify ${key}.pub -signature made data`,
  },
} as const;
type Type = keyof typeof TYPES;

const words = (type: Type, { key, pss, command }: (typeof WAYS)[string]): string[] => [
  ...["sign", "--type", type, ...(type === "raw" ? ["--public-key", at(`${key}.pub`)] : ["--cert", at(`${key}.pem`)])],
  ...[...(pss === true ? ["--pss"] : []), "--signer-command", command],
];

beforeEach((context) => {
  if (!hasTool) context.skip("needs softhsm2 and opensc");
  rmSync(at("made"), { force: true }); // `sign` adds to the signatures of a file that is there
});

describe("a token behind a command signs", () => {
  // a raw signature has the padding of its key's own type, and the kernel's formats know no RSASSA-PSS of an RSA key
  const cases = Object.entries(WAYS).flatMap(([name, way]) =>
    (Object.keys(TYPES) as Type[])
      .filter((type) => way.pss === undefined || type === "pkcs7")
      .map((type) => [name, type] as const),
  );

  it.for(cases)("%s, type %s", async ([name, type], context) => {
    const way = WAYS[name] as (typeof WAYS)[string];
    if (way.engine === true && !hasEngine) return context.skip("needs libengine-pkcs11-openssl");
    const { trust, check } = TYPES[type];
    expect(await runCommand(...words(type, way), "--out", at("made"), at("data"))).toMatchObject({ code: 0 });
    const line = check(way.key);
    if (line !== null) must(line);
    const given = type === "modsig" ? [at("made")] : ["--signature", at("made"), at("data")];
    expect(await runCommand("verify", "--type", type, "--trust", at(trust(way.key)), ...given)).toMatchObject({
      code: 0,
    });
  });
});

describe("a token behind a command that does not sign", () => {
  const way = WAYS["P-256 of a digest, as two numbers"] as (typeof WAYS)[string];

  it.each([
    ["a wrong PIN", hashed("02", "ECDSA").replace("--pin 1234", "--pin 9999"), "CKR_PIN_INCORRECT"],
    ["no such key", hashed("09", "ECDSA"), "exit code 1"],
    ["no such module", hashed("02", "ECDSA").replace(MODULE, "/none.so"), "exit code 1"],
    ["another key of its kind", whole("01", "SHA256-RSA-PKCS"), "the signature that the key returned does not verify"],
    ["other data", `echo other | ${whole("04", "EDDSA")}`, "the signature that the key returned does not verify"],
  ])("writes nothing: %s", async (_, command, reason) => {
    const { code, err } = await runCommand(...words("pkcs7", { ...way, command }), "--out", at("none"), at("data"));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(reason) });
    expect(existsSync(at("none"))).toBe(false);
  });
});
