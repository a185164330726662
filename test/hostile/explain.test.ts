// @module-tag deep
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { explainText } from "../../src/cli/output/explain-text.js";
import { digestOfContent } from "../../src/log/definition.js";
import { RecordReader } from "../../src/log/record-reader.js";
import { explain } from "../../src/workbench/explain/explain.js";
import { runCommand } from "../support/command-line.js";
import { numbers, seedOf } from "../support/damage.js";
import { lastDecision, recordDenial, signBy } from "../support/denials.js";
import { shareOf } from "../support/share.js";
import type { Workplace } from "../support/workplace.js";

const ESCAPES = "\u001b[2J\u001b]0;x\u0007\u202e<script>alert(1)</script>\r\n\u0000";
const POLICY = `import { deny, map_lookup, verify_signature, PKCS7 } from "countersign";
export function blob_verify(blob, current) {
  const verdict = verify_signature(blob.data, blob.signature, "network", PKCS7);
  return map_lookup("names", blob.name) === 1 && verdict === 0 ? 0 : deny(current.comm + blob.name);
}
`;
let place: Workplace;
let lines: readonly string[];
beforeAll(async () => {
  ({ place, lines } = await recordDenial({
    policy: POLICY,
    config: "maps: { names: { file: names.yaml } }\n",
    prepare: (folder) => void folder.write("names.yaml", "x: 1\n"),
    current: {
      comm: ESCAPES,
      exe: ESCAPES,
      cgroup: ESCAPES,
      container: { id: ESCAPES, name: ESCAPES, labels: { tier: ESCAPES }, annotations: {} },
    },
    ask: (folder, engine, current) => {
      const signature = signBy(({ ca }) => ca.issue({ subject: ESCAPES.replaceAll("\u0000", "") }))(folder);
      const subject = { name: ESCAPES, digest: "00".repeat(32), data: Buffer.from("firmware"), signature };
      engine.decide({ hook: "blob_verify", subject, current });
    },
  }));
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/;

describe("explain", () => {
  it("shows terminal escapes in names as text", () => {
    const { line, reader } = lastDecision(lines);
    const explanation = explain(line, reader);
    expect(explanation.executed.result).toBe("same");
    expect(explanation.subject.name).toBe(ESCAPES);
    const text = explainText(explanation);
    expect(text).not.toMatch(HIDDEN);
    expect(text).toContain("\\u{1b}[2J");
    expect(text.split("\n").length).toBeLessThan(60);
  });

  it("shows them as escapes of JSON in JSON", async () => {
    const { out } = await runCommand("explain", "--log", place.at("decisions.jsonl"), "--json");
    expect(out.trimEnd()).not.toMatch(HIDDEN);
    expect(JSON.parse(out).subject.name).toBe(ESCAPES);
  });

  it("explains or rejects each cut of a log", async () => {
    const text = readFileSync(place.at("decisions.jsonl"), "utf8");
    const begin = text.lastIndexOf("\n", text.length - 2) + 1;
    for (let length = begin; length < text.length; length += 97) {
      const path = place.write("cut.jsonl", text.slice(0, length));
      const { code, err } = await runCommand("explain", "--log", path);
      expect([length, code]).toEqual([length, 2]);
      expect(err).toContain("[RECORD_NOT_FOUND]");
    }
  });

  it("explains what is left of records with changed or deleted fields", () => {
    const seed = seedOf();
    const below = numbers(seed);
    for (let round = 0; round < shareOf(1000); round++) {
      const changed = damaged(lines, below);
      const reader = new RecordReader();
      const read = changed.map((line) => reader.read(line));
      const last = read.findLast(({ record }) => record?.type === "decision");
      if (last === undefined) continue;
      let text = "";
      expect(
        () => {
          text = explainText(explain(last, reader));
        },
        `seed ${seed}, round ${round}:\n${changed.join("\n")}`,
      ).not.toThrow();
      expect(text).not.toMatch(HIDDEN);
    }
  });

  it("explains a denial without one of its fields, or with null in its place", () => {
    const last = JSON.parse(lines.at(-1)!);
    for (const field of Object.keys(last))
      for (const value of [undefined, null]) {
        const reader = new RecordReader();
        const given = lines.with(-1, JSON.stringify({ ...last, [field]: value }));
        const read = given.map((line) => reader.read(line)).at(-1)!;
        if (read.record?.type === "decision")
          expect(() => explainText(explain(read, reader)), `${field} is ${value}`).not.toThrow();
      }
  });

  it("shows no lines of a policy whose files are other ones than those that were linked", () => {
    const changed = redefined(lines, "configuration", (content) => {
      for (const policy of Object.values(content.policies as Record<string, { files: unknown }>))
        policy.files = { "policy.js": "export const blob_verify = () => 0;" };
    });
    const { line, reader } = lastDecision(changed);
    const { executed, attachments } = explain(line, reader);
    expect(executed.result).toBe("same");
    expect(executed.limits).toEqual([expect.stringContaining("no lines of `policy.js`: Countersign ")]);
    expect(attachments).toEqual([expect.objectContaining({ name: "a", returned: null })]);
    expect(attachments[0]!.trace.map(({ event }) => event)).toContain("call");
  });

  it("does not use a policy whose text has another digest", () => {
    const changed = redefined(lines, "configuration", (content) => {
      for (const policy of Object.values(content.policies as Record<string, { source: string }>)) policy.source += " ";
    });
    const { line, reader } = lastDecision(changed);
    const { executed, because } = explain(line, reader);
    expect(executed.result).toBe("unknown");
    expect(executed.because).toContain("has another text of policy");
    expect(because).toHaveLength(1);
  });

  it.each([
    { memory: 2e9, steps: 1e15, stack: 0, timeout: 1e15 },
    { memory: 1e300, steps: 150_000.5, stack: 2 ** 32, timeout: -1 },
  ])("executes policies within the bounds of a configuration: %o", (limits) => {
    const { line, reader } = lastDecision(withLimits(limits));
    const { executed, attachments } = explain(line, reader);
    expect(executed.because).toBe("");
    expect(executed.result).toBe("same");
    expect(attachments).toEqual([expect.objectContaining({ name: "a" })]);
  });

  it.each(["steps", "memory", "stack", "timeout"])("names a recorded limit that is no number: %s", (limit) => {
    // JSON.parse reads 1e999 as Infinity, whose JSON is null in the digest
    for (const value of ["1e999", "-1e999"]) {
      const infinite = withLimits({ [limit]: null }).map((text) =>
        text.replace(`"${limit}":null`, `"${limit}":${value}`),
      );
      const { line, reader } = lastDecision(infinite);
      const { executed } = explain(line, reader);
      expect([executed.result, executed.because]).toEqual(["unknown", NOT_FINITE.replace("LIMIT", limit)]);
    }
    for (const value of [null, "NaN", "1", [1], {}]) {
      const { line, reader } = lastDecision(withLimits({ [limit]: value }));
      const { executed } = explain(line, reader);
      expect(executed.result).toBe("unknown");
      expect(executed.because).toContain("which is not in the log");
    }
  });
});

const NOT_FINITE = "`limits.LIMIT` of `a`, which is not a finite number";

/** The lines with other limits in the recorded configuration. */
function withLimits(limits: object): readonly string[] {
  return redefined(lines, "configuration", (content) => {
    for (const attachment of content.attachments as { limits: object }[])
      attachment.limits = { ...attachment.limits, ...limits };
  });
}

const WRONG: readonly unknown[] = [null, 0, -1, "x", ESCAPES, [], [null], {}, { a: 1 }, true, 1e300, undefined];

/** The lines with another value at a random place of a random record. */
function damaged(all: readonly string[], below: (limit: number) => number): readonly string[] {
  const index = below(all.length);
  const record = JSON.parse(all[index]!);
  if (record.content === undefined) {
    replaceIn(record, below);
    return all.with(index, JSON.stringify(record));
  }
  return redefined(all, record.type, (content) => replaceIn(content, below));
}

function replaceIn(value: Record<string, unknown>, below: (limit: number) => number): void {
  const key = Object.keys(value)[below(Object.keys(value).length)];
  if (key === undefined) return;
  const inner = value[key];
  const goesOn = typeof inner === "object" && inner !== null && below(3) > 0;
  if (goesOn) replaceIn(inner as Record<string, unknown>, below);
  else value[key] = WRONG[below(WRONG.length)];
}

/** The lines with other content of a definition, and its digest wherever it is referred to. */
function redefined(
  all: readonly string[],
  type: string,
  change: (content: Record<string, unknown>) => void,
): readonly string[] {
  const digests = new Map<string, string>();
  const changed = all.map((line) => {
    const record = JSON.parse(line);
    if (record.type !== type) return line;
    change(record.content);
    const digest = digestOfContent(JSON.stringify(record.content));
    digests.set(record.digest, digest);
    return JSON.stringify({ ...record, digest });
  });
  return changed.map((line) => {
    let text = line;
    for (const [before, after] of digests) text = text.replaceAll(`"${before}"`, `"${after}"`);
    return text;
  });
}
