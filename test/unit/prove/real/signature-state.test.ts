import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "../../../../src/bpf/assembly/assembly-lines.js";
import { writeObject } from "../../../../src/bpf/assembly/object-writer.js";
import { readConfig } from "../../../../src/config/config.js";
import { questionsAboutFile } from "../../../../src/engine/files/file-questions.js";
import { ROOT_ON_HOST } from "../../../../src/policy/model/current.js";
import { FolderAnswers } from "../../../../src/prove/real/folder-input.js";
import { signatureStates, verdictIn } from "../../../../src/prove/real/signature-state.js";
import type { SignatureQuestion, SignedItem } from "../../../../src/prove/real/signed-item.js";
import { WitnessFolder } from "../../../../src/prove/real/witness-folder.js";
import { CertifiedFolder } from "../../../support/certificates.js";

const KEYRINGS = ["platform", "network"];
const OBJECT = writeObject({
  name: "f",
  section: "xdp",
  license: "GPL",
  lines: parse("r0 = 2\nexit"),
  maps: [],
});

const over =
  (data: string, signature: string) =>
  (keyring: string): SignatureQuestion => {
    return { kind: "verify_signature", keyring, type: "PKCS7", data, signature };
  };
const QUESTIONS: Readonly<Record<SignedItem, (keyring: string) => SignatureQuestion>> = {
  statement: (keyring) => ({ kind: "verify_program", keyring }),
  instructions: over("prog.insns", "prog.signature"),
  file: over("prog.object.data", "prog.object.signature"),
};

describe.each(Object.keys(QUESTIONS) as SignedItem[])("each state of the signature of the %s", (item) => {
  it("gives the verdicts that it says", { tags: ["deep"] }, () => {
    const config = CertifiedFolder.shipped("verify-all.js");
    for (const state of signatureStates(item, KEYRINGS)) {
      const path = mkdtempSync(join(tmpdir(), "countersign-"));
      const file = { name: "f.o", bytes: OBJECT };
      const signatures = new Map([[item, state]]);
      const folder = new WitnessFolder(path, {
        ...{ file, isObject: true, current: ROOT_ON_HOST, signatures },
        signers: new Map([[item, { subject: "CN=release", issuer: "CN=ours" }]]),
      });
      folder.write();
      const written = readConfig(folder.configure("c.yaml", config.config), "check");
      const [question] = questionsAboutFile(folder.file, written.signatures, { hook: "bpf_prog_load" });
      const input = new FolderAnswers(written, {}).input(question!.subject, ROOT_ON_HOST, "prog");
      for (const keyring of KEYRINGS) {
        const verdict = input.answer(QUESTIONS[item](keyring), null);
        expect([item, state, keyring, verdict]).toEqual([item, state, keyring, verdictIn(state, keyring)]);
        const kind = item === "statement" ? "signer_of_program" : "signer_of";
        const signer = input.answer({ ...QUESTIONS[item](keyring), kind } as SignatureQuestion, null);
        if (verdict === 0) expect(signer).toMatchObject({ subject: "CN=release", issuer: "CN=ours" });
        else expect(signer).toBeNull();
      }
      rmSync(path, { recursive: true });
    }
    config.remove();
  });
});
