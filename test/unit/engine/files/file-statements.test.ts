import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProgramSubject } from "../../../../src/bpf/model/facts.js";
import {
  encodeStatement,
  type ProgramPart,
  type RuleOptions,
  type StatementRules,
  statementOf,
} from "../../../../src/bpf/statement.js";
import { classify } from "../../../../src/engine/files/file-content.js";
import { questionsAbout, questionsAboutFile } from "../../../../src/engine/files/file-questions.js";
import { FileSignatures } from "../../../../src/engine/files/file-signatures.js";
import { StatementStore } from "../../../../src/engine/statements/statement-store.js";
import { hash } from "../../../../src/trust/base/digest.js";
import { SignatureStore, signatureFolders, statementName } from "../../../../src/trust/store.js";
import { example } from "../../../support/examples.js";
import { elfProgram } from "../../../support/file-contents.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-file-statements-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Puts a statement into the store, and gives back its SHA-256. */
function put(bytes: Uint8Array): string {
  const digest = hash("sha256", bytes);
  writeFileSync(join(folder, statementName(digest)), bytes);
  return digest;
}

const sign = (object: Uint8Array, names: readonly string[] | null = null, options: RuleOptions = {}) =>
  put(statementOf(object, names, options).bytes);

/** Signs what differs from a statement of an object. */
function forge(object: Uint8Array, change: (part: ProgramPart) => ProgramPart, rules?: StatementRules): string {
  const { content } = statementOf(object).statement;
  return put(
    encodeStatement({ version: 1, program: change(structuredClone(content.program)), rules: rules ?? content.rules }),
  );
}

/** The programs of a file by name, as `check` asks about them. */
function programs(bytes: Uint8Array, path = "object.o"): Record<string, ProgramSubject> {
  const statements = StatementStore.open(signatureFolders([folder]));
  expect(statements.rejected).toEqual([]);
  const signatures = new FileSignatures(SignatureStore.open([folder]), null, statements);
  const subjects = questionsAbout(classify(path, bytes), signatures).map(({ subject }) => subject as ProgramSubject);
  return Object.fromEntries(subjects.map((subject) => [subject.name, subject]));
}

const told = ({ statements, mismatches }: ProgramSubject) => ({
  statements: statements.map(({ sha256 }) => sha256),
  mismatches: mismatches.map(({ statement, property }) => `${property} of ${statement}`),
});

const steer = example("xdp-steer");
const limit = example("rate-limit");

describe("a program of a file", () => {
  it("matches a statement of its object", () => {
    const digest = sign(limit);
    const { limit: subject } = programs(limit);
    expect(subject!.statements).toEqual([
      {
        ...{ sha256: digest, object_sha256: hash("sha256", limit), name: "limit", type: subject!.type },
        settings: expect.anything(),
      },
    ]);
    expect(subject!.mismatches).toEqual([]);
  });

  it("matches statements that name it, alone or with others, in the order of their SHA-256", () => {
    const all = sign(steer);
    const some = sign(steer, ["count"]);
    const open = sign(steer, null, { open: ["map:blocked.pinned"] });
    const { count, ...others } = programs(steer);
    expect(told(count!)).toEqual({ statements: [all, some, open].sort(), mismatches: [] });
    for (const other of Object.values(others))
      expect(told(other)).toEqual({ statements: [all, open].sort(), mismatches: [] });
  });

  it("inside of an executable matches the statement of its object", () => {
    const digest = sign(limit);
    expect(told(programs(elfProgram(steer, limit)).limit!)).toEqual({ statements: [digest], mismatches: [] });
    expect(told(programs(elfProgram(steer, limit)).count!)).toEqual({ statements: [], mismatches: [] });
  });

  it("matches nothing without a statement, or with one of another program", () => {
    expect(told(programs(limit).limit!)).toEqual({ statements: [], mismatches: [] });
    sign(steer);
    expect(told(programs(limit).limit!)).toEqual({ statements: [], mismatches: [] });
  });

  it("is found by the questions about a file, too", () => {
    const digest = sign(limit);
    const path = join(folder, "limit.o");
    writeFileSync(path, limit);
    const [question] = questionsAboutFile(path, [folder], { hook: "bpf_prog_load" });
    expect(told(question!.subject as ProgramSubject)).toEqual({ statements: [digest], mismatches: [] });
  });
});

describe("a statement of the same object that says something else", () => {
  const rewritten = (change: (program: ProgramPart["programs"][number]) => object) => (part: ProgramPart) => ({
    ...part,
    programs: part.programs.map((program) => ({ ...program, ...change(program) })),
  });

  it.each<[string, (part: ProgramPart) => ProgramPart]>([
    ["type", rewritten(({ type }) => ({ type: type + 1 }))],
    ["expected_attach_type", rewritten(() => ({ expected_attach_type: 5 }))],
    ["attach_target", rewritten(() => ({ attach_target: "do_exit" }))],
    ["prog_flags", rewritten(() => ({ flags: 32 }))],
    ["license", (part) => ({ ...part, object: { ...part.object, license: "MIT" } })],
    [
      "insns",
      rewritten(({ insns }) => {
        const bytes = Buffer.from(insns, "base64");
        bytes[4] = bytes[4]! ^ 1;
        return { insns: bytes.toString("base64") };
      }),
    ],
    [
      "counts.max_entries",
      ({ object, programs: all }) => {
        const maps = object.maps.map((map) => ({ ...map, max_entries: map.max_entries + 1 }));
        return { object: { ...object, maps }, programs: all };
      },
    ],
  ])("is a mismatch in %s", (property, change) => {
    const digest = forge(limit, change);
    const { statements, mismatches } = programs(limit).limit!;
    expect(statements).toEqual([]);
    expect(mismatches).toMatchObject([{ statement: digest }]);
    expect(mismatches[0]!.property.replace(/^[a-z_]+\.max/, "counts.max")).toBe(property);
    expect(mismatches[0]!.expected).not.toBe(mismatches[0]!.found);
  });

  it("matters only if no other statement matches", () => {
    forge(
      limit,
      rewritten(() => ({ flags: 32 })),
    );
    const good = sign(limit);
    expect(told(programs(limit).limit!)).toEqual({ statements: [good], mismatches: [] });
  });
});

describe("a statement of another object", () => {
  const rebuilt = Buffer.concat([limit, Buffer.from("\0")]);

  it("with a program of this name and size is a mismatch", () => {
    const digest = sign(rebuilt);
    expect(programs(limit).limit!.mismatches).toEqual([
      { statement: digest, property: "object", expected: hash("sha256", rebuilt), found: hash("sha256", limit) },
    ]);
  });

  it("is one of at most eight", () => {
    for (let copy = 0; copy < 12; copy++) sign(Buffer.concat([limit, Buffer.alloc(copy + 1)]));
    expect(programs(limit).limit!.mismatches).toHaveLength(8);
  });
});

describe("the settings of a statement", () => {
  const settingsOf = (object: Uint8Array, name: string) =>
    Object.fromEntries(
      programs(object)[name]!.statements.flatMap(({ settings }) => settings.map((one) => [one.name, one])),
    );

  it("are those of the program's maps, as the object declares them", () => {
    sign(limit);
    const settings = settingsOf(limit, "limit");
    expect(Object.keys(settings)).not.toHaveLength(0);
    for (const { value, declared } of Object.values(settings)) expect(value).toBe(declared);
    expect(Object.values(settings).every(({ kind }) => kind === "autocreate")).toBe(
      Object.keys(settings).every((name) => name.endsWith(".autocreate")),
    );
  });

  it("have the value that the signer fixed", () => {
    const [name] = statementOf(limit).statement.content.program.object.maps.map((map) => `${map.name}.autocreate`);
    sign(limit, null, { fix: [`${name}=0`] });
    const setting = settingsOf(limit, "limit")[name!];
    expect(setting).toMatchObject({ kind: "autocreate", value: 0, declared: 1 });
  });

  it("have what the signer opened", () => {
    sign(steer, null, {
      open: ["map:blocked.type", "count.type=ext", "count.flags=xdp_has_frags", "count.attach-target"],
    });
    expect(settingsOf(steer, "count")).toMatchObject({
      type: { kind: "type", value: "xdp", declared: "xdp" },
      flags: { kind: "flags", value: 0, declared: 0 },
      attach_target: { kind: "attach_target", value: "", declared: null },
    });
  });
});
