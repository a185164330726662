import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { explainText } from "../../../../src/cli/output/explain-text.js";
import { explain } from "../../../../src/workbench/explain/explain.js";
import { askBlob, type Denied, lastDecision, recordDenial, signBy } from "../../../support/denials.js";

const POLICY = `import { deny, map_lookup, verify_signature, PKCS7 } from "countersign";
export function blob_verify(blob, current) {
  const verdict = verify_signature(blob.data, blob.signature, "network", PKCS7);
  if (map_lookup("known", blob.name) === current.uid) return verdict;
  return deny("is not known");
}
`;
const DENIED: Denied = {
  policy: POLICY,
  config: "maps: { known: { file: known.yaml } }\n",
  prepare: (place) => void place.write("known.yaml", "blob: 7\n"),
  ask: askBlob(signBy(({ signer }) => signer)),
};

/** The explanation of the denial after its log was changed. */
async function explained(change: (line: string) => string, denied = DENIED) {
  const { lines } = await recordDenial(denied);
  const { line, reader } = lastDecision(lines.map(change));
  return explain(line, reader);
}

const decisionChanged = (line: string, before: string, after: string) =>
  line.includes('"type":"decision"') ? line.replace(before, after) : line;
const withMask = (pointer: string): Denied => ({
  ...DENIED,
  prepare: (place) => {
    DENIED.prepare!(place);
    const text = readFileSync(place.config, "utf8");
    place.write("countersign.yaml", text.replace("level: inputs", `level: inputs, mask: [${pointer}]`));
  },
});

describe("an explanation of a decision that cannot be executed again", () => {
  it.each([
    ["/current/uid", "the masked /current/uid"],
    ["/subject/name", "the masked /subject/name"],
  ])("names the masked value %s, and has the recorded calls", async (pointer, because) => {
    const explanation = await explained((line) => line, withMask(pointer));
    expect(explanation.executed).toEqual({ result: "unknown", because, limits: [] });
    const [attachment] = explanation.attachments;
    expect(attachment).toMatchObject({ name: "a", in_scope: true, returned: null, answer: { verdict: -1 } });
    expect(attachment!.trace.map((one) => (one.event === "call" ? [one.call, one.result] : one.event))).toEqual([
      ["verify_signature", 0],
      ["map_lookup", 7],
    ]);
    const text = explainText(explanation);
    expect(text).toContain('called verify_signature(data, signature, "network", PKCS7) = 0');
    expect(text).toContain("signer CN=Signer, key ");
    expect(text).toContain(`since the log lacks ${because}; this is what the record holds`);
    expect(text).toContain("Why: a: is not known [DENIED_BY_POLICY]");
  });

  it("does not name a masked value that no policy reads", { tags: ["deep"] }, async () => {
    const { executed, attachments } = await explained((line) => line, withMask("/current/comm"));
    expect(executed.result).toBe("same");
    expect(attachments[0]!.returned?.line).toBe(5);
  });

  it("names a verification that the log lacks", { tags: ["deep"] }, async () => {
    const withoutVerification = (line: string) => (line.includes('"type":"verification"') ? "{}" : line);
    const { executed, attachments } = await explained(withoutVerification);
    expect(executed.result).toBe("unknown");
    expect(executed.because).toMatch(/^verification [0-9a-f]{32}, which is not in the log$/);
    expect(attachments[0]!.trace[0]).toMatchObject({ call: "verify_signature", because: null });
  });

  it("names the answer that depends on the machine", async () => {
    const late = (line: string) =>
      decisionChanged(line, '"steps":', '"fault":{"code":"OUT_OF_TIME","message":"took longer","place":null},"steps":');
    expect((await explained(late)).executed.because).toBe("the time that `a` took: its answer is OUT_OF_TIME");
  });

  it("is executed by another version than the one that made it, which is said", { tags: ["deep"] }, async () => {
    const { executed } = await explained((line) => line.replace('"engine":"', '"engine":"0.1.'));
    expect(executed.result).toBe("same");
    expect(executed.limits).toEqual([
      expect.stringMatching(/^the decision was made by Countersign 0\.1\..*, and executed/),
    ]);
  });

  it("has no lines if the log does not have the policies' files", { tags: ["deep"] }, async () => {
    const denied = { ...DENIED, policy: POLICY };
    const { lines } = await recordDenial(denied);
    const changed = lines.map((line) => line.replace(/"files":\{"policy\.js":"(?:[^"\\]|\\.)*"\}/, '"files":null'));
    const digests = new Map<string, string>();
    const { digestOfContent } = await import("../../../../src/log/definition.js");
    for (const [index, line] of changed.entries()) {
      const record = JSON.parse(line);
      if (record.type === "configuration")
        digests.set(JSON.parse(lines[index]!).digest, digestOfContent(JSON.stringify(record.content)));
    }
    const again = changed.map((line) => {
      let text = line;
      for (const [before, after] of digests) text = text.replaceAll(before, after);
      return text;
    });
    const { line, reader } = lastDecision(again);
    const { executed, attachments } = explain(line, reader);
    expect(executed).toMatchObject({
      result: "same",
      limits: ["no lines of `policy.js`: the log does not have its file"],
    });
    expect(attachments[0]!.returned).toBeNull();
    expect(attachments[0]!.trace.map(({ event }) => event)).toEqual(["read", "read", "call", "read", "call", "read"]);
  });

  it("says that the policies answer otherwise than recorded", { tags: ["deep"] }, async () => {
    const { executed } = await explained((line) => decisionChanged(line, '"verdict":-1', '"verdict":-13'));
    expect(executed.result).toBe("different");
    expect(executed.because).toBe("-EACCES becomes -EPERM");
  });
});
