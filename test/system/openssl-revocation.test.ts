/**
 * Certificates that OpenSSL issued and revoked, in `trust` themselves: signatures of `openssl cms` in the kernel's
 * style and with certificates are refused once `openssl ca -gencrl` lists the signer or its authority, as
 * `openssl verify -crl_check_all` refuses them.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verdictName } from "../../src/errno.js";
import { file, trusting } from "../support/trust.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-revocation-"));
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function openssl(words: string): boolean {
  const { status, error } = spawnSync("openssl", words.split(" "), { cwd: folder, timeout: 60_000 });
  if (error !== undefined) throw error;
  return status === 0;
}

function must(words: string): void {
  if (!openssl(words)) throw new Error(`openssl ${words}`);
}

const CONFIG = `
[ca]
default_ca = one
[one]
database = NAME.index
serial = NAME.serial
crlnumber = NAME.crlnumber
new_certs_dir = .
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
certificate = NAME.pem
private_key = NAME.key
unique_subject = no
[any]
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[signer]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = codeSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[crl]
authorityKeyIdentifier = keyid
[req]
distinguished_name = name
[name]
`;

const KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config root.cnf";

/** An authority's database for `openssl ca`. */
function keep(name: string): void {
  writeFileSync(join(folder, `${name}.cnf`), CONFIG.replaceAll("NAME", name));
  writeFileSync(join(folder, `${name}.index`), "");
  writeFileSync(join(folder, `${name}.serial`), "1000\n");
  writeFileSync(join(folder, `${name}.crlnumber`), "01\n");
}

function issue(name: string, by: string, extensions: string): void {
  must(`req -new ${KEY} -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
  must(`ca -batch -notext -config ${by}.cnf -extensions ${extensions} -in ${name}.csr -out ${name}.pem`);
}

const list = (by: string, out: string): void => must(`ca -gencrl -config ${by}.cnf -crlexts crl -out ${out}`);

beforeAll(() => {
  for (const name of ["root", "middle"]) keep(name);
  must(`req -x509 ${KEY} -extensions root -keyout root.key -out root.pem -subj /CN=root -days 30`);
  issue("middle", "root", "authority");
  issue("signer", "middle", "signer");
  writeFileSync(join(folder, "data"), "instructions");
  const sign = "cms -sign -binary -in data -signer signer.pem -inkey signer.key -md sha256 -outform DER";
  must(`${sign} -nocerts -noattr -keyid -out kernel.p7s`);
  must(`${sign} -certfile middle.pem -out carried.p7s`);
  list("root", "root-before.crl");
  list("middle", "middle-before.crl");
  must("ca -config middle.cnf -revoke signer.pem -crl_reason keyCompromise");
  list("middle", "middle-after.crl");
  must("ca -config root.cnf -revoke middle.pem -crl_reason CACompromise");
  list("root", "root-after.crl");
});

const LISTS: readonly [when: string, lists: readonly string[], revoked: boolean][] = [
  ["nobody is revoked", ["root-before.crl", "middle-before.crl"], false],
  ["the signer is revoked", ["root-before.crl", "middle-after.crl"], true],
  ["its authority is revoked", ["root-after.crl", "middle-before.crl"], true],
];

describe.each(LISTS)("where %s", (_when, lists, revoked) => {
  it("OpenSSL says so of the signer", () => {
    writeFileSync(join(folder, "lists.pem"), lists.map(read).join(""));
    const words = "verify -crl_check_all -CRLfile lists.pem -CAfile root.pem -untrusted middle.pem signer.pem";
    expect(openssl(words)).toBe(!revoked);
  });

  it.each([
    ["all in `trust`", ["signer.pem", "middle.pem", "root.pem"], []],
    ["the signer and its authority in `trust`, the root with the lists", ["signer.pem", "middle.pem"], ["root.pem"]],
    ["the signer in `trust`, its authorities with the lists", ["signer.pem"], ["middle.pem", "root.pem"]],
  ])("its signatures are judged so: %s", (_where, trust, beside) => {
    const crls = [...lists, ...beside].map((name) => file(name, read(name)));
    for (const freshness of ["if-present", "require"] as const) {
      const keyring = trusting(trust.map(read), { revoked: { crls, certificates: [], digests: [], freshness } });
      for (const signature of ["kernel.p7s", "carried.p7s"]) {
        const bytes = readFileSync(join(folder, signature));
        const { verdict } = keyring.verify(Buffer.from("instructions"), bytes, "PKCS7", Date.now() + 5_000);
        expect(verdictName(verdict)).toBe(revoked ? "-EKEYREVOKED" : "0");
      }
    }
  });
});
