import { describe, expect, it } from "vitest";
import { encodeStatement, parseStatement, type StatementContent, statementOf } from "../../../../src/bpf/statement.js";
import { describeStatement, statementJson } from "../../../../src/cli/output/statement-text.js";
import { example } from "../../../support/examples.js";

const { content } = statementOf(example("rate-limit"), null, {
  fix: ["burst=5"],
  open: ["map:buckets.pinned"],
}).statement;

describe("a statement for people", () => {
  const text = describeStatement("a.statement", statementOf(example("rate-limit")).statement);

  it("has its digests, programs, maps, settings, and what it does not cover", () => {
    for (const line of [
      /^a\.statement {2}statement, sha256 [0-9a-f]{64}$/m,
      /^ {2}program part {2}sha256 [0-9a-f]{64}$/m,
      /^ {2}limit +sched_cls +- +tc +- +82 insns, \d functions, 0 CO-RE relocations$/m,
      /^ {2}\.rodata +array +4 +16 +1 +1152 +contents outside of settings$/m,
      /^ {2}burst +variable +__u64 +64 +any value$/m,
      /^ {2}not covered$/m,
    ])
      expect(text).toMatch(line);
    expect(text).not.toContain("opened by the signer");
  });

  it("has the signer's rules", () => {
    const ruled = describeStatement("a", parseStatement(encodeStatement(content)));
    expect(ruled).toMatch(/^ {2}burst +variable +__u64 +64 +5, fixed$/m);
    expect(ruled).toMatch(/opened by the signer, so that a loader may change it\n {4}map:buckets\.pinned$/m);
  });

  it("does not pass control characters of names to the terminal", () => {
    const control = "\u001b[2J\r";
    const [map, ...maps] = content.program.object.maps;
    const evil: StatementContent = {
      ...content,
      program: {
        object: { ...content.program.object, license: control, maps: [{ ...map!, name: `m${control}` }, ...maps] },
        programs: content.program.programs.map((program) => ({ ...program, section: control, attach_target: control })),
      },
      rules: { fixed: [], open: [`map:m${control}.pinned`] },
    };
    const shown = describeStatement("a", parseStatement(encodeStatement(evil)));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});

describe("a statement for programs", () => {
  it("is what it says, with what follows from it", () => {
    const statement = parseStatement(encodeStatement(content));
    expect(statementJson("a", statement)).toMatchObject({
      file: "a",
      sha256: statement.sha256,
      program_sha256: statement.programSha256,
      version: 1,
      rules: { open: ["map:buckets.pinned"] },
      settings: expect.arrayContaining([expect.objectContaining({ name: "burst", declared: "64", fixed: "5" })]),
      not_covered: expect.any(Array),
    });
  });
});
