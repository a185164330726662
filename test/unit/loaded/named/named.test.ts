import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { namedText } from "../../../../src/cli/output/named-text.js";
import { namedLines } from "../../../../src/cli/output/scan-lines.js";
import type { ObjectName } from "../../../../src/loaded/model/references.js";
import { MAP_FIELDS } from "../../../../src/loaded/views/map-report.js";
import { PROGRAM_FIELDS } from "../../../../src/loaded/views/program-report.js";
import { archiveOf, examinedAnswers, namedIn } from "../../../support/scans.js";
import { own } from "../../../support/workplace.js";

const insn = (opcode: number, registers: number, off: number, imm: number) => {
  const bytes = Buffer.alloc(8);
  bytes.set([opcode, registers]);
  bytes.writeInt16LE(off, 2);
  bytes.writeInt32LE(imm, 4);
  return bytes;
};

/** `r1 = map 5`, a call of the helper at +0x100, one of a function of the program, its end; the function's end. */
const TRANSLATED = Buffer.concat([
  ...[insn(0x18, 0x11, 0, 5), insn(0, 0, 0, 0), insn(0x85, 0, 0, 0x100), insn(0x85, 0x10, 1, 0)],
  ...[insn(0x95, 0, 0, 0), insn(0xb7, 0, 0, 0), insn(0x95, 0, 0, 0)],
]);

/** The types of program 37 and map 5, and its records. */
function debugInformation() {
  const btf = new BtfWriter();
  const number = btf.int("u32", 4);
  const proto = btf.proto(number, []);
  const functions = [btf.func("limit_traffic", proto), btf.func("helper_of_mine", proto, 0)];
  const value = btf.struct("bucket", 4, [["tokens", number, 0]]);
  const words = (...numbers: readonly number[]) => Buffer.from(Uint32Array.from(numbers).buffer);
  const [file, first, second] = ["limit.bpf.c", "\tstruct bucket *bucket;", "\treturn 0;"].map((text) =>
    btf.string(text),
  );
  return {
    ...{ btf: btf.bytes(), key: number, value, functions: words(0, functions[0]!, 5, functions[1]!) },
    lines: words(0, file!, first!, 12 << 10, 5, file!, second!, 20 << 10),
  };
}

function answers() {
  const all = examinedAnswers();
  const { btf, key, value, functions, lines } = debugInformation();
  const program = Buffer.from(all.get("@bpf/program/37/info") as Uint8Array);
  program.writeUInt32LE(2, PROGRAM_FIELDS.btf_id);
  const map = Buffer.from(all.get("@bpf/map/5/info") as Uint8Array);
  map.writeUInt32LE(2, MAP_FIELDS.btf_id);
  map.writeUInt32LE(key, MAP_FIELDS.btf_key_type_id);
  map.writeUInt32LE(value, MAP_FIELDS.btf_value_type_id);
  map.write("buckets", MAP_FIELDS.name);
  return all
    .set("@bpf/program/37/info", program)
    .set("@bpf/program/37/translated", TRANSLATED)
    .set("@bpf/program/37/functions", functions)
    .set("@bpf/program/37/lines", lines)
    .set("@bpf/map/5/info", map)
    .set("@bpf/map/5/contents", Buffer.alloc(24))
    .set("sys/devices/system/cpu/possible", Buffer.from("0-1\n"))
    .set("@bpf/btf/2/name", Buffer.from(""))
    .set("@bpf/btf/2/bytes", btf)
    .set("proc/kallsyms", Buffer.from("ffffffff81000000 T __bpf_call_base\nffffffff81000100 T bpf_map_lookup_elem\n"));
}

async function shown(all: ReturnType<typeof answers>, ...names: readonly string[]) {
  const named = names.map((name): ObjectName => {
    const [kind, id] = name.split(":");
    return { kind: kind as ObjectName["kind"], id: Number(id) };
  });
  const found = await namedIn(await archiveOf(all), named);
  const lines = [...namedLines(found, named, null)].map((line) => JSON.parse(JSON.stringify(line)));
  return { lines, text: namedText(found, named, null).split("\n") };
}

describe("an object that is named", () => {
  it("is a program with its instructions, what they refer to, functions and lines of the source", async () => {
    const { lines, text } = await shown(answers(), "program:37");
    expect(lines.map(({ kind }) => kind)).toEqual(["program", "place", "place", "views"]);
    expect(text.slice(text.findIndex((line) => line.includes("instructions:")))).toEqual([
      "  instructions:",
      "  limit_traffic:",
      "    ; limit.bpf.c:12 struct bucket *bucket;",
      "       0: r1 = 0x5 ll  # map 5 buckets",
      "       2: call 0x100  # bpf_map_lookup_elem",
      "       3: call 0x0  # helper_of_mine",
      "       4: exit",
      "  helper_of_mine:",
      "    ; limit.bpf.c:20 return 0;",
      "       5: r0 = 0x0",
      "       6: exit",
    ]);
    expect(text).toContain("  maps:         5 buckets (prog_array)");
    expect(text).toContain("  held by:      limit[12] of limit.service");
  });

  it("is a map with its types, the number of its elements and the programs that use it", async () => {
    const { lines, text } = await shown(answers(), "map:5");
    expect(lines[0]).toMatchObject({ key_type: "u32", value_type: "struct bucket", elements: 3 });
    expect(lines.map(({ kind }) => kind)).toEqual(["map", "views"]);
    expect(text).toContain("  value:        4 bytes, struct bucket");
    expect(text).toContain("  used by:      program 37 limit (sched_cls)");
  });

  it("is a map of which more elements are not read, for a reason", async () => {
    const { lines } = await shown(answers().set("@bpf/map/5/contents", -7), "map:5");
    expect(lines[0].elements).toBeNull();
    expect(lines[0].elements_unknown).toContain("131,072");
  });

  it("is a link with its program and its target", async () => {
    const { lines, text } = await shown(answers(), "link:9");
    expect(lines.map(({ kind }) => kind)).toEqual(["link", "views"]);
    expect(text[0]).toBe("link 9");
    expect(text[2]).toMatch(/^ {2}program: {6}37 limit \(sched_cls, tag [0-9a-f]{16}\)$/);
    expect(text).toContain("  target:       tp_name sched_switch");
  });

  it("has lines that the published schema describes", async () => {
    const schema = JSON.parse(readFileSync(own("schema/scan.schema.json"), "utf8"));
    const isValid = new Ajv2020({ allowUnionTypes: true, strictTypes: false }).compile(schema);
    const { lines } = await shown(answers(), "link:9", "map:5", "program:37");
    expect(lines.map(({ kind }) => kind).slice(0, 3)).toEqual(["program", "map", "link"]);
    for (const line of lines) expect(isValid(line) ? null : isValid.errors).toBeNull();
  });

  it("is shown without instructions that cannot be read, and says why", async () => {
    for (const [raw, reason] of [
      [-1, "EPERM"],
      [Buffer.alloc(9), "INSN_MALFORMED"],
    ] as const) {
      const { lines } = await shown(answers().set("@bpf/program/37/translated", raw), "program:37");
      expect(lines[0].instructions).toEqual([]);
      if (typeof raw === "number") expect(lines[0].instructions_unknown).toContain(reason);
      else expect(lines[0].instructions_unknown).not.toBeNull();
    }
  });

  it("has to be loaded", async () => {
    await expect(shown(answers(), "program:38")).rejects.toMatchObject({
      code: "SCAN_NO_OBJECT",
      message: "there is no program 38 (did you mean `program:37`?)",
    });
    await expect(shown(answers(), "link:9", "map:4711")).rejects.toMatchObject({
      code: "SCAN_NO_OBJECT",
      message: "there is no map 4711",
    });
  });
});
