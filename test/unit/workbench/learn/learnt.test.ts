import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describedProgram } from "../../../../src/bpf/described-program.js";
import { EFFECTS } from "../../../../src/bpf/model/facts.js";
import { PROGRAM_TYPES } from "../../../../src/bpf/tables/names.gen.js";
import { readCases } from "../../../../src/config/cases.js";
import { parseConfig, readConfig } from "../../../../src/config/config.js";
import { readMapFile } from "../../../../src/config/mapfile.js";
import { MapSchema } from "../../../../src/policy/maps/map-schema.js";
import { Authority } from "../../../../src/trust/issuing/authority.js";
import { LEARN_BY, type LearnBy } from "../../../../src/workbench/learn/learn-by.js";
import { formOf, learntFiles } from "../../../../src/workbench/learn/learnt.js";
import { LEARNT_FILES } from "../../../../src/workbench/learn/learnt-configuration.js";
import { learntRules } from "../../../../src/workbench/learn/learnt-rules.js";
import type { SeenProgram } from "../../../../src/workbench/learn/seen-program.js";
import { runCommand } from "../../../support/command-line.js";

const TEXTS = '{"type":"array","items":{"type":"string"}}';
const hex = (number: number) => number.toString(16).padStart(64, "0");
const program = (number: number, more: Partial<SeenProgram> = {}): SeenProgram => ({
  ...{
    name: `prog_${number}`,
    type: "kprobe",
    digest: hex(number),
    effects: [],
    statements: [],
    isUnasked: false,
    place: null,
  },
  ...{ kernel: "6.12", exe: null, ...more },
});
/** The digest of a case that describes nothing but the type of its program. */
const digestOfCase = (type: string) =>
  describedProgram({
    ...{ name: "test", type, expected_attach_type: null, attach_to: null, section: null, license: "GPL" },
    ...{ helpers: [], kfuncs: [], maps: [], insn_cnt: undefined, returns: undefined, effects: {} },
  }).digest;
const stated = (keyring: string, number: number) => {
  return { keyring, sha256: hex(number), name: `prog_${number}`, signer: hex(number + 1000) };
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-learnt-"));
  writeFileSync(join(folder, "ca.pem"), Authority.create({ subject: "CA" }).pem.certificate);
});
afterEach(() => rmSync(folder, { recursive: true }));

const KEYRINGS = `version: 1
attachments: []
signatures: [signed]
keyrings:
  platform: { trust: [ca.pem] }
  vendor:
    trust: [ca.pem]
    usage: [any]
    signers: 2
    sealed: true
    revoked: { certificates: [ca.pem], serials: [{ issuer: ca.pem, serials: ["03eb"] }] }
    timestamps: { trust: [ca.pem] }
`;

/** Writes the files for these programs; returns the path of the configuration. */
function written(programs: readonly SeenProgram[], by: LearnBy, label: string | null = null): string {
  const rules = learntRules(programs, by);
  mkdirSync(join(folder, "signed"), { recursive: true });
  const from = parseConfig(join(folder, "countersign.yaml"), KEYRINGS);
  for (const [name, text] of learntFiles(rules, formOf(rules, by, label), from, join(folder, "learnt"))) {
    mkdirSync(dirname(join(folder, "learnt", name)), { recursive: true });
    writeFileSync(join(folder, "learnt", name), text);
  }
  return join(folder, "learnt", LEARNT_FILES.configuration);
}

const read = (name: keyof typeof LEARNT_FILES) => readFileSync(join(folder, "learnt", LEARNT_FILES[name]), "utf8");
/** The number of cases that pass, and what is wrong. */
async function tested(config: string) {
  const { code, out, err } = await runCommand("test", "--json", "--config", config);
  expect([code, err], out).toEqual([0, ""]);
  const { cases } = JSON.parse(out);
  return (cases as { name: string; passed: boolean }[]).map(({ name }) => name);
}

describe("learnt files", () => {
  it.each(LEARN_BY)(
    "by %s pass their tests for every type of program, at every place",
    { tags: ["deep"] },
    async (by) => {
      const places = ["host", "unknown labels", "no tier", "tier=edge", null];
      const programs = PROGRAM_TYPES.map((type, index) => {
        const effects = EFFECTS.filter((_, bit) => ((index * 37) >> (bit % 6)) & 1).sort();
        const statements = index % 3 === 0 ? [] : [stated(index % 3 === 1 ? "platform" : "vendor", index)];
        return program(index, { type, effects, statements, place: places[index % 4]! });
      });
      expect((await tested(written(programs, by, "tier"))).length).toBeGreaterThan(2);
      const together = programs.map((one) => ({ ...one, place: null }));
      expect((await tested(written(together, by))).length).toBeGreaterThan(2);
    },
  );

  it("ask each keyring in turn, and allow by any that verifies what was seen", async () => {
    const both = program(1, { statements: [stated("platform", 1), stated("vendor", 2)] });
    await tested(written([both], "statement"));
    const policy = read("policy");
    expect(policy).toContain('const found = statement_of(prog, "platform");');
    expect(policy).toContain('const found2 = statement_of(prog, "vendor");');
    expect(policy).toContain(`statement vendor \${found2.sha256} \${found2.name}`);
  });

  it.each(LEARN_BY.flatMap((by) => [null, "tier"].map((label) => [by, label] as const)))(
    "have a schema that the learnt map satisfies, by %s and label %s",
    (by, label) => {
      const place = label === null ? null : "edge";
      const many = Array.from({ length: 12 }, (_, index) =>
        program(1, { name: `prog_${index}`, effects: ["redirects"], place }),
      );
      const config = readConfig(written([...many, program(2, { place, kernel: "6.1" })], by, label));
      const [map] = config.maps;
      const entries = readMapFile(map!.file!);
      expect(Object.keys(entries).length).toBeGreaterThan(0);
      expect(new MapSchema(map!.schema!).firstBreach(entries)).toBeNull();
    },
  );

  it("have the keyrings of the configuration, with what is not default, and its folders of statements", () => {
    const config = written([program(1, { statements: [stated("vendor", 1)] })], "signer");
    expect(read("configuration")).toBe(`# Made by \`countersign learn --by signer\`.
version: 1
default: { bpf_prog_load: deny }
keyrings:
  "vendor": {"trust":["../ca.pem"],"revoked":{"crls":[],"certificates":["../ca.pem"],"digests":[],"serials":[{"issuer":"../ca.pem","serials":["03eb"]}],"freshness":"if-present"},"timestamps":{"trust":["../ca.pem"],"revoked":"denied"},"usage":["any"],"signers":2,"sealed":true}
signatures: ["../signed"]
maps:
  learnt_programs:
    file: maps/learnt-programs.json
    values: {"type":"object","properties":{"programs":${TEXTS},"more":{"type":"integer","minimum":1},"kernels":${TEXTS},"object":{"type":"string"}},"required":["programs"],"additionalProperties":false}
attachments:
  - policy: policies/learnt.js
`);
    const [learnt] = readConfig(config).keyrings;
    const given = parseConfig(join(folder, "countersign.yaml"), KEYRINGS).keyrings[1];
    expect({ ...learnt, place: "" }).toEqual({ ...given, place: "" });
  });

  it("need no configuration without keyrings", () => {
    const rules = learntRules([program(1)], "statement");
    const files = learntFiles(rules, formOf(rules, "statement", null), null, "out");
    expect(files.get(LEARNT_FILES.configuration)).not.toMatch(/keyrings|signatures/);
  });

  it("test at most 500 of what is allowed, and say how many more there are", () => {
    const programs = Array.from({ length: 520 }, (_, index) =>
      program(index, { statements: [stated("platform", index)] }),
    );
    written(programs, "statement");
    const cases = readCases(join(folder, "learnt", LEARNT_FILES.tests)).map(({ name }) => name!);
    expect(cases.filter((name) => name.startsWith("statement of") && !name.includes(","))).toHaveLength(500);
    expect(read("tests")).toContain("\n# 20 more cases are left out.\n");
    expect(Object.keys(JSON.parse(read("map")))).toHaveLength(520);
  });

  it("stay small enough to be read, however long names are", async () => {
    const long = Array.from({ length: 30 }, (_, index) => {
      const name = `${index}${"x".repeat(100_000)}`;
      return program(index, { name, statements: [{ ...stated("platform", index), name }] });
    });
    expect(await tested(written(long, "statement"))).toContain("a digest that was learnt");
    expect(read("tests").length).toBeLessThan(600_000);
  });

  it("have tests that pass if the program of a case was itself learnt", async () => {
    const trivial = ["kprobe", "sched_cls"].map((type, index) => program(index, { type, digest: digestOfCase(type) }));
    const names = await tested(written([...trivial, program(7, { statements: [stated("platform", 7)] })], "statement"));
    expect(names).toContain("a digest that was not learnt");
  });

  it("name at most eight programs in an entry, and say how many more there are", () => {
    const programs = Array.from({ length: 20 }, (_, index) => program(index, { name: "x".repeat(100) + index }));
    written(programs, "effects");
    const [entry] = JSON.parse(read("map"))["effects kprobe"];
    expect(entry).toMatchObject({ effects: [], more: 12 });
    expect(entry.programs).toHaveLength(8);
    for (const name of entry.programs) expect(name.length).toBeLessThan(70);
  });
});
