// @module-tag deep
import { readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bounded } from "../../src/log/decision-record.js";
import { digestOfContent } from "../../src/log/definition.js";
import { runCommand } from "../support/command-line.js";
import { inContainer, learnerOf, linesOf, observed } from "../support/learning.js";
import type { Workplace } from "../support/workplace.js";

/** Texts that a task or a container can choose, and that end a string, a line or a comment somewhere. */
const TEXTS: Readonly<Record<string, string>> = {
  "quotation marks": `a"b'c\`d`,
  "line feeds": "a\nb\r\nc",
  "line separators": "a\u2028b\u2029c",
  "a prototype": "__proto__",
  "a constructor": "constructor",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it must not be one
  "a template": "${process.exit()}",
  "the end of a comment": "a */ throw 1; /*",
  YAML: "- {a: &b [*b], 'c': !!js/function}\n# x",
  "terminal escapes": "\u001b[2J\u202eabc",
  "a NUL": "a\u0000b",
  "an emoji": "\u{1f600}",
  "no characters": "",
  "a null": "null",
  "a number": "017",
  "a long text": "x".repeat(20_000),
};

type Json = Record<string, unknown>;
/** Changes the content of a definition, or a decision. */
type Change = (value: Json) => Json;

/** The same log with other definitions, whose digests and references are right, and so are the names of decisions. */
function forged(lines: readonly string[], changes: Readonly<Record<string, Change>>): readonly string[] {
  const renamed = new Map<string, string>();
  const names = new Map<string, string>();
  return lines.map((line) => {
    const record = JSON.parse(line);
    if (record.digest !== undefined && changes[record.type] !== undefined) {
      const content = changes[record.type]!(record.content);
      const digest = digestOfContent(JSON.stringify(content));
      renamed.set(record.digest, digest);
      const { name } = (content as { readonly facts?: Json } | null)?.facts ?? {};
      if (typeof name === "string") names.set(digest, name);
      return JSON.stringify({ ...record, digest, content });
    }
    const text = line.replace(
      /"[0-9a-f]{32}"/g,
      (known) => `"${renamed.get(known.slice(1, -1)) ?? known.slice(1, -1)}"`,
    );
    if (record.type !== "decision") return text;
    const decision = JSON.parse(text);
    const name = names.get(decision.subject?.definition);
    if (name !== undefined) decision.subject.name = bounded(name);
    return JSON.stringify(changes.decision?.(decision) ?? decision);
  });
}

/** Changes facts of subjects. */
const facts =
  (change: Change): Change =>
  (content) => ({ ...content, facts: change(content.facts as Json) });

let place: Workplace;
let lines: readonly string[];
beforeAll(async () => {
  const loads = [
    ["peek-tc", inContainer({ tier: "edge" })],
    ["exec-log", inContainer({ tier: "edge" })],
  ] as const;
  place = await observed(loads, { signed: ["peek-tc"] });
  lines = linesOf(place);
});
afterAll(() => rmSync(place.folder, { recursive: true }));

async function learn(log: readonly string[], ...words: readonly string[]) {
  const path = place.write("log.jsonl", `${log.join("\n")}\n`);
  const result = await runCommand("learn", "--config", place.config, "--out", place.at("learnt"), ...words, path);
  return { ...result, path };
}

/** What the tests of the result say, and lint. */
async function checked() {
  const config = place.at("learnt/countersign.yaml");
  const tests = await runCommand("test", "--config", config);
  const lint = await runCommand("lint", config, place.at("learnt/policies/learnt.js"));
  return [tests.code, tests.err, lint.code, lint.out];
}
const FINE = [0, "", 0, "2 files checked, nothing found\n"];
const KINDS = ["statement", "signer", "digest", "effects"];

describe.each(Object.entries(TEXTS))("%s in names and labels", (_, text) => {
  it("are text in the policy, its map and its tests", async () => {
    const log = forged(lines, {
      subject: facts((all) => ({
        ...all,
        name: text,
        statements: (all.statements as Json[]).map((one) => ({ ...one, name: text })),
      })),
      caller: (content) => ({ ...content, container: { ...(content.container as Json), labels: { tier: text } } }),
    });
    for (const by of KINDS) {
      const { code, out, err, path } = await learn(log, "--by", by, "--label", "tier");
      expect([code, err], out).toEqual([0, ""]);
      expect(out).toMatch(/^learnt from 2 loads/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u2028\u2029\u202e]/);
      expect(await checked()).toEqual(FINE);
      const again = await learn(log, "--by", by, "--label", "tier", "--check", path);
      expect(again.out, by).toContain("checked: 2 allowed, 0 denied, 0 unknown");
      const map = JSON.parse(readFileSync(place.at("learnt/maps/learnt-programs.json"), "utf8"));
      for (const entry of Object.values(map).flat()) expect((entry as Json).where).toEqual([`tier=${text}`]);
    }
  });

  it("are text as the key of a label", async () => {
    const caller: Change = (content) => ({
      ...content,
      container: { ...(content.container as Json), labels: JSON.parse(`{${JSON.stringify(text)}:"edge"}`) },
    });
    const { code, err } = await learn(forged(lines, { caller }), "--label", text);
    if (text === "" || text === "__proto__" || text.length > 1024)
      expect([code, err]).toEqual([2, expect.stringContaining("[USAGE]")]);
    else {
      expect([code, err]).toEqual([0, ""]);
      expect(await checked()).toEqual(FINE);
      const { path } = await learn(forged(lines, { caller }), "--label", text);
      const again = await learn(forged(lines, { caller }), "--label", text, "--check", path);
      expect(again.out).toContain("checked: 2 allowed, 0 denied, 0 unknown");
    }
  });
});

describe("a load of version 0.2", () => {
  it("may have the effects that were added since", async () => {
    const without = facts((all) => {
      const { reveals_addresses: _, ...effects } = all.effects as Json;
      return { ...all, effects };
    });
    const log = forged(lines, { subject: without });
    expect(log.join("\n")).not.toContain('"reveals_addresses":');
    const { code, err } = await learn(log, "--by", "effects");
    expect([code, err]).toEqual([0, ""]);
    const learnt = readFileSync(place.at("learnt/maps/learnt-programs.json"), "utf8");
    expect(learnt.match(/reveals_addresses/g)?.length).toBeGreaterThanOrEqual(2);
  });
});

describe("a load of which the log does not have enough", () => {
  const TYPE = "the type is not known";
  const EFFECTS = "the effects are not in the log, or of another version";
  const CHECK = "the result of a signature check is not in the log, or damaged";
  const SUBJECT = "the subject is not in the log";
  it.each<readonly [string, Readonly<Record<string, Change>>, string]>([
    ["has a number for its type", { subject: facts((all) => ({ ...all, type: 7 })) }, TYPE],
    ["has a type that this version does not know", { subject: facts((all) => ({ ...all, type: "new" })) }, TYPE],
    ["has no digest", { subject: facts(({ digest: _, ...all }) => all) }, "the digest is not in the log"],
    [
      "has a digest that is none",
      { subject: facts((all) => ({ ...all, digest: "00" })) },
      "the digest is not in the log",
    ],
    ["has no effects", { subject: facts(({ effects: _, ...all }) => all) }, EFFECTS],
    [
      "has a text for an effect",
      { subject: facts((all) => ({ ...all, effects: { ...(all.effects as Json), redirects: "no" } })) },
      EFFECTS,
    ],
    [
      "has an effect of another version",
      { subject: facts((all) => ({ ...all, effects: { ...(all.effects as Json), flies: true } })) },
      EFFECTS,
    ],
    ["has no facts", { subject: () => ({ kind: "program" }) }, SUBJECT],
    ["has an empty subject", { subject: () => null as never }, SUBJECT],
    ["has a list for its facts", { subject: () => ({ kind: "program", facts: [] }) }, SUBJECT],
    [
      "refers to a subject that is nowhere",
      { decision: (all) => ({ ...all, subject: { ...(all.subject as Json), definition: "0".repeat(64) } }) },
      SUBJECT,
    ],
    [
      "refers to no caller",
      { decision: (all) => ({ ...all, current: { pid: 1, comm: "x" } }) },
      "the caller is not in the log",
    ],
    ["has no statements", { subject: facts((all) => ({ ...all, statements: 7 })) }, CHECK],
    ["has a statement without a digest", { subject: facts((all) => ({ ...all, statements: [{ name: "x" }] })) }, CHECK],
    [
      "has half of a surrogate pair in a statement",
      {
        subject: facts((all) => ({
          ...all,
          statements: (all.statements as Json[]).map((one) => ({ ...one, name: "\ud800" })),
        })),
      },
      CHECK,
    ],
    ["has an index of a statement that is not there", { verification: (all) => ({ ...all, statement: 1e9 }) }, CHECK],
    ["has a text for an index", { verification: (all) => ({ ...all, statement: "__proto__" }) }, CHECK],
  ])("%s, and is named with its reason", async (_, changes, reason) => {
    const log = forged(lines, changes);
    const { unusable } = learnerOf(log).leftOut;
    expect(Object.keys(unusable)).toEqual([reason]);
    const { code, out, err } = await learn(log);
    expect(code).toBe(2);
    expect(out + err).toContain(reason);
  });

  it("has a number for its subject, and is named as damage", async () => {
    const log = forged(lines, { decision: (all) => ({ ...all, subject: { name: "x", definition: 7 } }) });
    const { code, out, err } = await learn(log);
    expect(code).toBe(2);
    expect(out + err).toContain("[LOG_DAMAGED]");
  });

  it("has a masked value", async () => {
    const loads = [["peek-tc", inContainer({ tier: "edge" })]] as const;
    const cases = [
      ["/subject/type", null, "the type is not known (see `log.mask`)"],
      ["/subject/digest", null, "the digest is not in the log (see `log.mask`)"],
      ["/subject/effects/redirects", null, "the effects are not in the log, or of another version (see `log.mask`)"],
      ["/subject/statements", null, "the result of a signature check is not in the log, or damaged"],
      ["/current/container/labels/tier", "tier", "the label of the container is masked or damaged"],
      ["/current/container", "tier", "the label of the container is masked or damaged"],
    ] as const;
    for (const [pointer, label, reason] of cases) {
      const masked = await observed(loads, { signed: ["peek-tc"], log: `level: inputs, mask: ["${pointer}"]` });
      expect(Object.keys(learnerOf(linesOf(masked), label).leftOut.unusable), pointer).toEqual([reason]);
      rmSync(masked.folder, { recursive: true });
    }
    const other = await observed(loads, { log: 'level: inputs, mask: ["/subject/name", "/current/exe"]' });
    expect(learnerOf(linesOf(other)).leftOut.unusable).toEqual({});
    rmSync(other.folder, { recursive: true });
  });

  it("has `log.level: decision`", async () => {
    const plain = await observed([["peek-tc"]], { log: "level: decision" });
    const reason = { "the record has `log.level: decision`": expect.any(Number) };
    expect(learnerOf(linesOf(plain)).leftOut.unusable).toEqual(reason);
    rmSync(plain.folder, { recursive: true });
  });

  it("is a record without a version, as of 0.1.0", async () => {
    const { code, out, err } = await learn([
      '{"level":"info","hook":"bpf_prog_load","verdict":0,"current":{"pid":1},"answers":[]}',
    ]);
    expect(code).toBe(2);
    expect(out + err).toContain("[LOG_VERSION]");
  });
});

describe("a damaged log", () => {
  it("with lines that are cut, has the others learnt", async () => {
    const last = lines.at(-1)!;
    const { code, out, err } = await learn([...lines.slice(0, -1), last.slice(0, -7)]);
    expect(code).toBe(2);
    expect(err).toContain("is cut off or damaged");
    expect(out).toMatch(/^learnt from 1 load:/);
  });

  it("with a definition that was changed, does not learn what refers to it", async () => {
    const at = lines.findIndex((line) => line.includes('"type":"subject"') && line.includes('"name":"peek"'));
    const { code, out, err } = await learn(lines.with(at, lines[at]!.replace('"sched_cls"', '"kprobe"')));
    expect(code).toBe(2);
    expect(err).toContain("is a definition whose content does not have its digest");
    expect(out).toContain("not learnt: 1 load: the subject is not in the log");
  });

  it("with any line left out, or any text cut, throws nothing", () => {
    for (const index of lines.keys())
      expect(() => learnerOf(lines.toSpliced(index, 1), "tier").programs(true)).not.toThrow();
    for (let length = 0; length < lines.at(-1)!.length; length += 17)
      expect(() => learnerOf([...lines.slice(0, -1), lines.at(-1)!.slice(0, length)])).not.toThrow();
  });

  it("with any value of it replaced, throws nothing", () => {
    const odd = [null, 7, "x", [], {}, true, [[]], { length: 3 }];
    let changed = 0;
    for (const [index, line] of lines.entries())
      for (const path of pathsIn(JSON.parse(line))) {
        const value = odd[changed % odd.length];
        changed += 1;
        const log = withValue(lines, index, path, value);
        expect(() => learnerOf(log, "tier").programs(true), `${index} ${path.join(".")}: ${value}`).not.toThrow();
      }
    expect(changed).toBeGreaterThan(300);
  });

  it("with no record at all, is an error", async () => {
    expect(await learn(["{}", "[]", "null", "7", '"x"', "\u0000"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("has no load to learn [LEARN_NOTHING]"),
    });
  });
});

/** The paths of all values in a value, but not those of policies. */
function pathsIn(value: unknown, above: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, held]) => {
    const path = [...above, key];
    return key === "policies" || key === "digest" ? [path] : [path, ...pathsIn(held, path)];
  });
}

/** The same log with another value in a line. References to a definition that changes follow it. */
function withValue(log: readonly string[], index: number, path: readonly string[], value: unknown): readonly string[] {
  const record = JSON.parse(log[index]!);
  let at = record;
  for (const key of path.slice(0, -1)) at = at[key];
  at[path.at(-1)!] = value;
  const text = JSON.stringify(record);
  if (record.content === undefined || path[0] === "digest") return log.with(index, text);
  const digest = digestOfContent(JSON.stringify(record.content));
  return log.with(index, text).map((line) => line.replaceAll(`"${JSON.parse(log[index]!).digest}"`, `"${digest}"`));
}
