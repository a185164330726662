import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { InputsDecisionRecord, VerificationRecord } from "../src/log/input-records.js";
import { RecordReader } from "../src/log/record-reader.js";
import { Site } from "../test/support/site.js";

describe("observe", () => {
  let site: Site;
  beforeAll(async () => {
    const config = { log: { file: "log.jsonl", level: "inputs" } };
    site = await Site.open({ attachments: ["observe.js"], keyrings: ["platform"], config });
  });
  afterAll(() => site.close());

  it.each([
    ["that is signed", { signedBy: "platform" }, 0],
    ["that a stranger signed", { signedBy: "stranger" }, -1],
    ["whose statement has the signature of another", { signedBy: "forged" }, -1],
  ] as const)("allows and records a program %s", (_, asking, statement) => {
    expect(site.load("drop-telnet", asking)).toMatchObject({ verdict: 0, denied_by: null });
    const [asked, signer] = lastCalls(site);
    expect(asked).toMatchObject({ call: "statement_of", keyring: "platform" });
    expect(signer).toMatchObject({ call: "signer_of_program", keyring: "platform" });
    for (const { content } of [asked!, signer!]) {
      expect(content.statement).toBe(statement);
      expect(content.signers.map(({ subject }) => subject)).toEqual(statement === 0 ? ["CN=platform signer"] : []);
    }
  });

  it("allows a program without a statement", () => {
    expect(site.load("drop-telnet")).toMatchObject({ verdict: 0, denied_by: null });
    expect(lastCalls(site).map(({ call, content }) => [call, content.statement])).toEqual([["signer_of_program", -1]]);
  });
});

/** The calls of the policy in the last decision of the log, each with the content of its verification. */
function lastCalls(site: Site) {
  const reader = new RecordReader();
  const lines = readFileSync(join(site.folder, "log.jsonl"), "utf8").trimEnd().split("\n");
  const decisions = lines.map((line) => reader.read(line).inputs).filter((one) => one !== null);
  const { answers = [] } = decisions.at(-1) as InputsDecisionRecord;
  return (answers[0]?.calls ?? []).flatMap((call) => {
    if (!("verification" in call)) return [];
    const { content } = reader.definition("verification", call.verification) as VerificationRecord;
    return [{ ...call, content }];
  });
}
