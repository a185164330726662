import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writePem } from "../../../../../src/trust/asn1/pem.js";
import { Authority } from "../../../../../src/trust/issuing/authority.js";
import { runCommand } from "../../../../support/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-batch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const START = Date.UTC(2026, 0, 1);
const PERIOD = { notBefore: START, notAfter: START + 365 * 86_400_000 };
const root = Authority.create({ subject: "Root", ...PERIOD });
const middle = root.subordinate({ subject: "Middle", ...PERIOD });
const leaf = middle.issue({ subject: "Leaf", serial: 77n, ...PERIOD });
const crl = (entries: readonly { serial: bigint }[]): string =>
  writePem("X509 CRL", middle.revocationList({ entries, thisUpdate: START, nextUpdate: PERIOD.notAfter }));
const rootCrl = root.revocationList({ thisUpdate: START, nextUpdate: PERIOD.notAfter }).toString("base64");

const base = {
  trust: [root.pem.certificate],
  untrusted: [middle.certificate.der.toString("base64")],
  leaf: leaf.pem.certificate,
  at: "2026-06-01T00:00:00Z",
  usage: ["codeSigning"],
};

async function batch(...cases: readonly object[]): Promise<readonly Record<string, unknown>[]> {
  const file = join(folder, "batch.jsonl");
  writeFileSync(file, cases.map((one, id) => JSON.stringify({ id, ...one })).join("\n"));
  const { out, code } = await runCommand("keyring", "validate", "--batch", file);
  expect(code).toBe(0);
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("countersign keyring validate --batch", () => {
  it("judges each line, in PEM or base64, and names the errno and the rule", async () => {
    const verdicts = await batch(
      base,
      { ...base, at: "2028-01-01T00:00:00Z" },
      { ...base, untrusted: [] },
      { ...base, usage: ["serverAuth"] },
      { ...base, policies: ["1.3.6.1.4.1.99999.1"] },
      { ...base, leaf: "AAAA" },
    );
    expect(verdicts).toMatchObject([
      { id: 0, ok: true, errno: null, rule: null, reason: null },
      { id: 1, ok: false, errno: "EKEYEXPIRED", rule: "RFC 5280 6.1.3 (a)(2)" },
      { id: 2, ok: false, errno: "ENOKEY", rule: "RFC 5280 6.1" },
      { id: 3, ok: false, errno: "EKEYREJECTED", rule: "RFC 5280 4.2.1.12" },
      { id: 4, ok: false, errno: "EKEYREJECTED", rule: "RFC 5280 6.1.3 (f)" },
      { id: 5, ok: false, errno: "EBADMSG", rule: "DER_MALFORMED" },
    ]);
  });

  it("wants a revocation list for every certificate once there are any", async () => {
    const verdicts = await batch(
      { ...base, crls: [rootCrl, crl([])] },
      { ...base, crls: [rootCrl, crl([{ serial: 77n }])] },
      { ...base, crls: [rootCrl] },
      { ...base, crls: [rootCrl], freshness: "if-present" },
    );
    expect(verdicts).toMatchObject([
      { ok: true },
      { ok: false, errno: "EKEYREVOKED", rule: "RFC 5280 6.3.3 (j)" },
      { ok: false, errno: "EKEYREJECTED", rule: "RFC 5280 6.3.3" },
      { ok: true },
    ]);
  });

  it("continues after a line that it cannot read, and names the line", async () => {
    const file = join(folder, "broken.jsonl");
    writeFileSync(file, `{"id": 1\n${JSON.stringify({ id: 2, ...base })}\n{"id": 3}\n`);
    const { out, err, code } = await runCommand("keyring", "validate", "--batch", file);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ id: 2, ok: true });
    expect(err).toContain(`${file}:1: is not JSON [USAGE]`);
    expect(err).toContain(`${file}:3: has no \`leaf\` [USAGE]`);
  });
});
