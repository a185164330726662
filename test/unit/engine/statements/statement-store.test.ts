import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { programPartDigest, programPartOf, statementOf } from "../../../../src/bpf/statement.js";
import { StatementStore } from "../../../../src/engine/statements/statement-store.js";
import { verifyStored } from "../../../../src/engine/statements/verify-statement.js";
import { ERRNO } from "../../../../src/errno.js";
import { hash } from "../../../../src/trust/base/digest.js";
import { Authority } from "../../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { signatureFolders, statementName } from "../../../../src/trust/store.js";
import { example } from "../../../support/examples.js";
import { sshIdentity } from "../../../support/ssh.js";
import { trusting } from "../../../support/trust.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-statements-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (...folders: readonly string[]) => StatementStore.open(signatureFolders([folder, ...folders]));
const put = (bytes: Uint8Array, name = statementName(hash("sha256", bytes)), into = folder): void =>
  writeFileSync(join(into, name), bytes);

const steer = statementOf(example("xdp-steer"));
const limit = statementOf(example("rate-limit"));

describe("a store of statements", () => {
  it("has the statements of its folders, each once, in the order of their digests", () => {
    const deep = join(folder, limit.statement.sha256.slice(0, 2));
    const other = join(folder, "other");
    for (const made of [deep, other]) mkdirSync(made);
    put(steer.bytes);
    put(limit.bytes, undefined, deep);
    put(steer.bytes, undefined, other);
    writeFileSync(join(folder, "notes.statement"), "not looked at");
    const store = open(other);
    expect(store.rejected).toEqual([]);
    expect(store.all.map(({ sha256 }) => sha256)).toEqual(
      [steer, limit].map(({ statement }) => statement.sha256).sort(),
    );
  });

  it("says what each statement is about, and has its contents", () => {
    put(limit.bytes);
    const [stored] = open().all;
    expect(stored).toMatchObject({
      objectSha256: hash("sha256", example("rate-limit")),
      programSha256: limit.statement.programSha256,
      byteOrder: "little",
    });
    expect(stored!.programs).toContainEqual({ name: "limit", insnCount: 82 });
    expect(stored!.statement).toEqual(limit.statement);
  });

  it("finds the statements of an object, and says which are about exactly these programs of it", () => {
    const one = statementOf(example("xdp-steer"), ["count"]);
    const fixed = statementOf(example("xdp-steer"), null, { open: ["map:blocked.pinned"] });
    for (const { bytes } of [steer, one, fixed, limit]) put(bytes);
    const store = open();
    const ofObject = store.ofObject(hash("sha256", example("xdp-steer")));
    const found = (part: string) =>
      ofObject.filter(({ programSha256 }) => programSha256 === part).map(({ sha256 }) => sha256);
    const of = programPartDigest(programPartOf(example("xdp-steer")));
    expect(found(of)).toEqual([steer.statement.sha256, fixed.statement.sha256].sort());
    expect(found(programPartDigest(programPartOf(example("xdp-steer"), ["count"])))).toEqual([one.statement.sha256]);
    expect(ofObject).toHaveLength(3);
    expect(store.ofObject("00".repeat(32))).toEqual([]);
  });

  it("leaves out what is broken, and reports it", () => {
    put(steer.bytes);
    const cut = limit.bytes.subarray(0, -1);
    put(cut);
    put(limit.bytes, statementName("cd".repeat(32)));
    mkdirSync(join(folder, statementName("ef".repeat(32))));
    const store = open();
    expect(store.all.map(({ sha256 }) => sha256)).toEqual([steer.statement.sha256]);
    expect(new Set(store.rejected.map(({ code, message }) => `${code}: ${message}`))).toEqual(
      new Set([
        "STATEMENT_MALFORMED: is not JSON",
        `STATEMENT_MALFORMED: its SHA-256 is ${limit.statement.sha256}, not that of its name`,
        "FILE_UNREADABLE: is not a regular file",
      ]),
    );
    for (const { place } of store.rejected) expect(place).toContain(folder);
  });
});

describe("a stored statement is signed", () => {
  const NOW = Date.now();
  const root = Authority.create({ subject: "Root" });
  const ssh = sshIdentity("ssh-ed25519");
  const { bytes } = steer;
  const sign = (name: string, signature: Uint8Array) => put(signature, `${steer.statement.sha256}.${name}`);
  const signature = signPkcs7(bytes, root.issue({ subject: "Signer" }));
  const verdict = (trust: readonly string[]) => {
    const [stored] = open().all;
    return verifyStored(stored!, trusting(trust), NOW);
  };
  beforeEach(() => put(bytes));

  it("by a signature beside it", () => {
    expect(verdict([root.pem.certificate])).toMatchObject({ verdict: -ERRNO.ENODATA });
    sign("p7s", signature);
    expect(verdict([root.pem.certificate])).toMatchObject({ verdict: 0, signer: "CN=Signer" });
    expect(verdict([Authority.create({ subject: "Other" }).pem.certificate])).toMatchObject({ verdict: -ERRNO.ENOKEY });
  });

  it("by a signature that is named as ssh-keygen names it", () => {
    sign("statement.sig", ssh.sign(bytes, { namespace: "countersign-statement" }));
    expect(verdict([ssh.line])).toMatchObject({ verdict: 0 });
  });

  it("by any of several types", () => {
    sign("p7s", signature);
    sign("sig", ssh.sign(bytes, { namespace: "countersign-statement" }));
    expect(verdict([ssh.line])).toMatchObject({ verdict: 0 });
    expect(verdict([root.pem.certificate])).toMatchObject({ verdict: 0, signer: "CN=Signer" });
  });

  it("by no bare signature, which says nothing of what its key signed", () => {
    sign("sig", Buffer.alloc(64, 1));
    expect(verdict([ssh.line])).toMatchObject({ verdict: -ERRNO.ENODATA });
  });
});
