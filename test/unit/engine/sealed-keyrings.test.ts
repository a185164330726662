import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import { readConfig } from "../../../src/config/config.js";
import type { Engine } from "../../../src/engine/decision/engine.js";
import { openEngine } from "../../../src/engine/watchdog.js";
import { verdictName } from "../../../src/errno.js";
import type { Decision } from "../../../src/hooks/decision.js";
import { hash } from "../../../src/trust/base/digest.js";
import { Authority } from "../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../src/trust/issuing/sign-cms.js";
import { task } from "../../task.js";

const root = Authority.create({ subject: "Root" });
const signer = root.issue({ subject: "Signer", serial: 7n });
const DATA = Buffer.from("instructions");
const FIRST = root.revocationList({ number: 1 });
const REVOKES = root.revocationList({ number: 2, entries: [{ serial: 7n }] });
const STUCK = `import { verify_signature, PKCS7 } from "countersign";
export function blob_verify(blob) {
  if (blob.name === "stuck") Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
  return verify_signature(blob.data, blob.signature, "k", PKCS7);
}`;

let folder: string;
const write = (name: string, contents: string | Uint8Array) => writeFileSync(join(folder, name), contents);
const question = (name = "blob") => ({
  hook: "blob_verify" as const,
  subject: { name, digest: hash("sha256", DATA), data: DATA, signature: signPkcs7(DATA, signer) },
  current: task(),
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-sealed-"));
  write("ca.pem", root.pem.certificate);
  write("root.crl", FIRST);
  write("blob.js", STUCK);
  write(
    "countersign.yaml",
    stringify({
      version: 1,
      keyrings: { k: { trust: ["ca.pem"], revoked: { crls: ["root.crl"] }, sealed: true } },
      // a first verification takes long on a busy machine
      attachments: [{ policy: "blob.js", limits: { steps: 100_000_000, timeout: "2s" } }],
    }),
  );
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** Asks until a look at the files has led to this answer: they are looked at some times a second. */
async function until(answer: string, ask: () => Decision): Promise<void> {
  for (let given = ""; given !== answer; await pause(20)) given = verdictName(ask().verdict);
}

describe("a CRL that a sealed keyring took", () => {
  it("is still used after its file was replaced by the older one, also by the next engine", {
    tags: ["deep"],
  }, async () => {
    const { Engine } = await import("../../../src/engine/decision/engine.js");
    const config = readConfig(join(folder, "countersign.yaml"));
    const engine: Engine = await Engine.open(config);
    expect(verdictName(engine.decide(question()).verdict)).toBe("0");
    write("root.crl", REVOKES);
    await until("-EKEYREVOKED", () => engine.decide(question()));
    expect(engine.sealedVersion).toBe(1);
    write("root.crl", FIRST);
    const next = await Engine.open(config, { sealed: engine.sealed });
    expect(verdictName(next.decide(question()).verdict)).toBe("-EKEYREVOKED");
    const spare = await Engine.open(config, {
      sealed: new Map([...engine.sealed].map(([name]) => [name, spareRules()])),
    });
    spare.adopt(engine.sealed);
    expect(verdictName(spare.decide(question()).verdict)).toBe("-EKEYREVOKED");
    for (const one of [engine, next, spare]) one.close();
  });

  it("stays when its file is put back and the decision thread has to be replaced", { tags: ["deep"] }, async () => {
    const engine = await openEngine(join(folder, "countersign.yaml"));
    try {
      expect(verdictName(engine.decide(question()).verdict)).toBe("0");
      await engine.prepared();
      write("root.crl", REVOKES);
      await until("-EKEYREVOKED", () => engine.decide(question()));
      write("root.crl", FIRST);
      for (let round = 0; round < 2; round++) {
        // the spare thread that was ready before the list was taken, and one that starts afterwards
        expect(engine.decide(question(`stuck`)).denied_by?.code).toMatch(/OUT_OF_TIME|SUSPENDED/);
        let next = engine.decide(question());
        for (; next.denied_by?.code === "SUSPENDED"; next = engine.decide(question())) await pause(20);
        expect(verdictName(next.verdict)).toBe("-EKEYREVOKED");
        await engine.prepared();
      }
    } finally {
      await engine.close();
    }
  });
});

const spareRules = () => ({
  trust: [{ path: "ca.pem", bytes: Buffer.from(root.pem.certificate) }],
  revoked: {
    crls: [{ path: "root.crl", bytes: FIRST }],
    certificates: [],
    digests: [],
    freshness: "if-present" as const,
  },
  usage: ["codeSigning"],
  policies: [],
  validity: "now" as const,
  signers: 1,
  ssh: { namespaces: ["file"] },
});
