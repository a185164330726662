import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { BpfObject } from "../../../src/bpf/object.js";
import {
  expectedAttachTypes,
  parseStatement,
  programPartDigest,
  programPartOf,
  type StatedProgram,
  statementOf,
  withoutTarget,
} from "../../../src/bpf/statement.js";
import { beginsAsStatement } from "../../../src/statement-line.js";
import { setSymbol } from "../../support/elf-patch.js";
import { example } from "../../support/examples.js";
import { exampleObjects } from "../../support/real-objects.js";
import { rejection } from "../../support/rejection.js";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("the statement of an object", () => {
  it("is a line with the version, and JSON in its canonical form", () => {
    const { bytes, statement } = statementOf(example("exec-log"));
    const [line, json, ...rest] = Buffer.from(bytes).toString("utf8").split("\n");
    expect(line).toBe("countersign statement 1");
    expect(rest).toEqual([]);
    expect(JSON.parse(json!)).toEqual(statement.content);
    expect(json!.startsWith('{"program":{"object":{"btf":"')).toBe(true);
    expect(beginsAsStatement(bytes)).toBe(true);
  });

  it("is the same for the same object, and read back as it was written", { tags: ["deep"] }, () => {
    for (const { bytes: object } of exampleObjects().filter(({ name }) => !name.includes("legacy-count"))) {
      const first = statementOf(object);
      expect(Buffer.from(statementOf(object).bytes).equals(first.bytes)).toBe(true);
      expect(parseStatement(first.bytes)).toEqual(first.statement);
      expect(first.statement.sha256).toBe(sha256(first.bytes));
    }
  });

  it("has a program part with a digest of its own, which rules do not change", () => {
    const plain = statementOf(example("rate-limit"));
    const fixed = statementOf(example("rate-limit"), null, { fixAll: true, open: ["map:buckets.pinned"] });
    expect(fixed.statement.sha256).not.toBe(plain.statement.sha256);
    expect(fixed.statement.programSha256).toBe(plain.statement.programSha256);
    expect(programPartDigest(programPartOf(example("rate-limit")))).toBe(plain.statement.programSha256);
  });

  it("describes all programs, or those that the signer names", () => {
    const names = (programs: readonly string[] | null) =>
      programPartOf(example("xdp-steer"), programs).programs.map(({ name }) => name);
    expect(names(null)).toEqual(["drop_blocked", "send_on", "count"]);
    expect(names(["count", "drop_blocked"])).toEqual(["drop_blocked", "count"]);
    expect(rejection(() => names(["counts"]))).toMatchObject({
      code: "USAGE",
      message: "there is no program `counts` in it",
      remedy: "name one of drop_blocked, send_on, count",
    });
  });

  it("has the instructions as libbpf links them, and their digest", () => {
    const object = new BpfObject(example("rate-limit"));
    const { programs } = programPartOf(example("rate-limit"));
    for (const [index, { insns, functions }] of programs.entries()) {
      const program = object.program(object.functions[index]!);
      expect(Buffer.from(insns, "base64").equals(program.linked.insns)).toBe(true);
      expect(functions.map(({ name, start }) => [name, start])).toEqual(
        program.functions.map(({ name, start }) => [name, start]),
      );
    }
  });

  it("has the numbers that libbpf passes to PROG_LOAD", () => {
    const { object, programs } = programPartOf(example("exec-guard"));
    expect(object.license).toBe("GPL");
    const numbers = programs.map((program) => [
      ...[program.name, program.section, program.type, program.expected_attach_type],
      ...[program.attach_target, program.flags],
    ]);
    expect(numbers).toEqual([
      ["guard", "lsm/bprm_check_security", 29, 27, "bprm_check_security", 0],
      ["watch", "fentry/security_bprm_check", 26, 24, "security_bprm_check", 0],
    ]);
  });

  it("has externs in libbpf's order, and which instruction refers to which", () => {
    const { object, programs } = programPartOf(example("exec-guard"));
    expect(object.externs.map(({ name, kind, offset }) => [name, kind, offset])).toEqual([
      ["CONFIG_HZ", "kconfig", 0],
      ["bpf_task_from_pid", "kfunc", null],
      ["bpf_task_release", "kfunc", null],
      ["init_task", "ksym", null],
    ]);
    const used = programs.map((program) => program.extern_references.map(({ extern }) => object.externs[extern]!.name));
    expect(used).toEqual([["bpf_task_from_pid", "bpf_task_release"], ["init_task"]]);
  });

  it("has maps in libbpf's order, with the contents of .rodata", () => {
    const { object, programs } = programPartOf(example("rate-limit"));
    expect(object.maps.map(({ name, kind, type, value_size }) => [name, kind, type, value_size])).toEqual([
      ["buckets", "definition", 1, 16],
      [".rodata", "rodata", 2, 16],
      [".data", "data", 2, 24],
      [".bss", "bss", 2, 8],
    ]);
    expect(object.maps.map(({ data }) => data !== null)).toEqual([false, true, false, false]);
    const limit = programs.find(({ name }) => name === "limit")!;
    const used = new Set(limit.map_references.map(({ map }) => object.maps[map]!.name));
    expect(used).toEqual(new Set(["buckets", ".bss", ".data", ".rodata"]));
  });

  it("is not made if a variable's symbol is in another section than its BTF says", () => {
    const { elf } = new BpfObject(example("rate-limit"));
    const moved = setSymbol(example("rate-limit"), "burst", "section", elf.section(".data")!.index);
    expect(rejection(() => statementOf(moved))).toMatchObject({
      code: "ELF_MALFORMED",
      message: "variable `burst` is in another section than its BTF says",
      place: "section .rodata",
    });
  });

  it("is not made for what libbpf does not load", () => {
    expect(rejection(() => statementOf(example("legacy-count")))).toMatchObject({
      code: "ELF_UNSUPPORTED",
      place: "section maps",
    });
  });
});

describe("the attach types and targets of a stated program", () => {
  const program = (more: Partial<StatedProgram>): StatedProgram => ({
    ...programPartOf(example("exec-guard")).programs[1]!,
    ...more,
  });

  it("are the stated one, and that of uprobe_multi for USDT", () => {
    expect(expectedAttachTypes(program({}))).toEqual([24]);
    for (const section of ["usdt", "usdt/libc:setjmp", "usdt.s/libc:setjmp", "?usdt"])
      expect(expectedAttachTypes(program({ section, expected_attach_type: 0 })), section).toEqual([0, 48]);
    expect(expectedAttachTypes(program({ section: "uprobe/usdt", expected_attach_type: 0 }))).toEqual([0]);
  });

  it("are missing where the section of a tracing program names no function", () => {
    const part = programPartOf(example("exec-guard"));
    expect(withoutTarget(part)).toEqual([]);
    const without = { ...part, programs: [program({ section: "fentry", attach_target: null })] };
    expect(withoutTarget(without).map(({ name }) => name)).toEqual(["watch"]);
  });
});
