import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { explainText } from "../../../../src/cli/output/explain-text.js";
import { explain } from "../../../../src/workbench/explain/explain.js";
import type { Explanation, TracedCall } from "../../../../src/workbench/explain/explanation.js";
import { explanationPage } from "../../../../src/workbench/explanation-page.js";
import { askBlob, askProgram, DATA, lastDecision, recordDenial } from "../../../support/denials.js";
import { own } from "../../../support/workplace.js";

/** Chains of certificates that OpenSSL makes: a root, an intermediate authority, and signers below it. */
const folder = mkdtempSync(join(tmpdir(), "countersign-"));
const at = (name: string): string => join(folder, name);
const openssl = (...args: readonly string[]): Buffer => execFileSync("openssl", args, { stdio: "pipe" });

const AUTHORITY = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
const SIGNER = [
  ...["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature"],
  ...["-addext", "extendedKeyUsage=codeSigning"],
];

function issue(name: string, serial: number, issuer: string | null, extensions: readonly string[]): void {
  const by = issuer === null ? [] : ["-CA", at(`${issuer}.pem`), "-CAkey", at(`${issuer}.key`)];
  openssl(
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"],
    ...["-config", at("empty.cnf"), "-subj", `/CN=${name}`, "-set_serial", String(serial)],
    ...["-keyout", at(`${name}.key`), "-out", at(`${name}.pem`), ...by, ...extensions],
  );
}

/** A detached signature that carries the intermediate certificate too. */
function signedBy(name: string, data: Uint8Array = DATA): Buffer {
  writeFileSync(at("data"), data);
  const files = ["-signer", at(`${name}.pem`), "-inkey", at(`${name}.key`), "-certfile", at("Issuing.pem")];
  return openssl("cms", "-sign", "-binary", "-md", "sha256", "-outform", "DER", "-in", at("data"), ...files);
}

const POLICY = `import { deny, signer_of, PKCS7 } from "countersign";
export function blob_verify(blob) {
  return signer_of(blob.data, blob.signature, "chain", PKCS7) === null ? deny("is not signed") : 0;
}
`;
const PROGRAM = `import { verify_program } from "countersign";
export const bpf_prog_load = (prog) => verify_program(prog, "chain");
`;

async function explained(policy: string, ask: NonNullable<Parameters<typeof recordDenial>[0]["ask"]>, keyring = "") {
  const recorded = await recordDenial({
    policy,
    ask,
    prepare: (place) => {
      place.signPrograms(readFileSync(own("examples/peek-tc.o")));
      place.write("certs/root.pem", readFileSync(at("Root.pem")));
      place.write("certs/lost.pem", readFileSync(at("Issuing.pem")));
      place.write(
        "countersign.yaml",
        `version: 1\nlog: { file: decisions.jsonl, level: inputs }\nsignatures: [signatures]
keyrings: { chain: { trust: [certs/root.pem]${keyring} } }
attachments: [{ name: a, policy: policy.js, limits: { timeout: 5s } }]\n`,
      );
    },
  });
  const { line, reader } = lastDecision(recorded.lines);
  return { explanation: explain(line, reader), lines: recorded.lines };
}

function callOf({ attachments }: Explanation): TracedCall {
  return attachments[0]!.trace.find((one): one is TracedCall => one.event === "call")!;
}

const ROOT = { subject: "CN=Root", serial: "11", issuer: "CN=Root" };
const ISSUING = { subject: "CN=Issuing", serial: "22", issuer: "CN=Root" };

describe("the certificate path of a signature by OpenSSL", () => {
  beforeAll(() => {
    writeFileSync(at("empty.cnf"), "[req]\ndistinguished_name = dn\n[dn]\n");
    issue("Root", 0x11, null, AUTHORITY);
    issue("Issuing", 0x22, "Root", AUTHORITY);
    issue("Signer", 0x33, "Issuing", SIGNER);
    issue("Server", 0x44, "Issuing", [...SIGNER.slice(0, 4), "-addext", "extendedKeyUsage=serverAuth"]);
    issue("Elsewhere", 0x55, null, AUTHORITY);
    issue("Stranger", 0x66, "Elsewhere", SIGNER);
  }, 60_000);

  it("is in the record and in the explanation, from the anchor to the signer", { tags: ["deep"] }, async () => {
    const { explanation, lines } = await explained(
      POLICY,
      askBlob(() => signedBy("Signer")),
    );
    const path = [ROOT, ISSUING, { subject: "CN=Signer", serial: "33", issuer: "CN=Issuing" }];
    const [content] = lines
      .map((line) => JSON.parse(line))
      .flatMap(({ type, content }) => (type === "verification" ? [content] : []));
    expect(content).toMatchObject({ verdict: 0, rule: null, paths: [path] });
    expect(callOf(explanation)).toMatchObject({ rule: null, paths: [path] });
    const words = "certificate path CN=Root (serial 11) → CN=Issuing (serial 22) → CN=Signer (serial 33)";
    expect(explainText(explanation)).toContain(words);
    expect(explanationPage([explanation])).toContain(words);
  });

  it("is not part of the signer that a policy gets", { tags: ["deep"] }, async () => {
    const fields = `import { deny, signer_of, PKCS7 } from "countersign";
export const blob_verify = (blob) =>
  deny(Object.keys(signer_of(blob.data, blob.signature, "chain", PKCS7)).sort().join());
`;
    const { explanation } = await explained(
      fields,
      askBlob(() => signedBy("Signer")),
    );
    expect(explanation.denied_by?.reason).toContain("issuer,key_id,serial,subject");
    expect(explanation.executed).toMatchObject({ result: "same" });
  });

  it("is that which got furthest, with the rule, if it breaks one", { tags: ["deep"] }, async () => {
    const { explanation } = await explained(
      POLICY,
      askBlob(() => signedBy("Server")),
    );
    const { because, rule, paths } = callOf(explanation);
    expect([because, rule]).toEqual([expect.stringContaining("CN=Server"), expect.stringContaining("RFC 5280")]);
    expect(paths).toEqual([[ROOT, ISSUING, { subject: "CN=Server", serial: "44", issuer: "CN=Issuing" }]]);
  });

  it("has a revoked authority in it", async () => {
    const revoked = ", revoked: { certificates: [certs/lost.pem] }";
    const { explanation } = await explained(
      POLICY,
      askBlob(() => signedBy("Signer")),
      revoked,
    );
    const { because, paths } = callOf(explanation);
    expect(because).toContain("certificate `CN=Issuing` is on the block list");
    expect(paths[0]!.map(({ subject }) => subject)).toEqual(["CN=Root", "CN=Issuing", "CN=Signer"]);
  });

  it("ends where the issuer is unknown", { tags: ["deep"] }, async () => {
    const { explanation } = await explained(
      POLICY,
      askBlob(() => signedBy("Stranger")),
    );
    const { because, paths } = callOf(explanation);
    expect(because).toContain("`CN=Elsewhere`, which is not in the keyring");
    expect(paths).toEqual([[{ subject: "CN=Stranger", serial: "66", issuer: "CN=Elsewhere" }]]);
  });

  it("is not there without a signature", async () => {
    const { explanation } = await explained(POLICY, askBlob(null));
    expect(callOf(explanation).paths).toEqual([]);
  });

  it("is there for the statement of a program, with the rule", { tags: ["deep"] }, async () => {
    const { explanation } = await explained(PROGRAM, askProgram("peek-tc"));
    const { result, rule, paths } = callOf(explanation);
    expect([result, rule]).toEqual([-126, expect.stringContaining("RFC")]);
    expect(paths).toHaveLength(1);
    expect(paths[0]!.at(-1)).toMatchObject({ subject: "CN=Signer", issuer: "CN=CA" });
  });

  it("is cut where names are long, so that the record can be written", { tags: ["deep"] }, async () => {
    const name = `/CN=${"é".repeat(30)}`;
    const parts = Array.from({ length: 40 }, (_, index) => `/OU=${index}${"x".repeat(40)}`).join("");
    openssl(
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"],
      ...["-config", at("empty.cnf"), "-utf8", "-subj", `${parts}${name}`, "-set_serial", "119"],
      ...["-keyout", at("Long.key"), "-out", at("Long.pem"), "-CA", at("Elsewhere.pem"), "-CAkey", at("Elsewhere.key")],
      ...SIGNER,
    );
    const { explanation } = await explained(
      POLICY,
      askBlob(() => signedBy("Long")),
    );
    const [certificate] = callOf(explanation).paths[0]!;
    expect(certificate!.subject).toMatch(/^.{512}… \(\d+ characters\)$/);
  });
});
