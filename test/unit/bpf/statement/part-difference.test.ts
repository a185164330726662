import { describe, expect, it } from "vitest";
import { type ProgramPart, partDifference, programPartOf, statementOf } from "../../../../src/bpf/statement.js";
import { example } from "../../../support/examples.js";

const NAME = "limit";
const part = programPartOf(example("rate-limit"));

/** A copy with a change in the program or in the object. */
function changed(
  program: (program: ProgramPart["programs"][number]) => object,
  object: (object: ProgramPart["object"]) => object = () => ({}),
): ProgramPart {
  const copy = structuredClone(part);
  const programs = copy.programs.map((one) => (one.name === NAME ? { ...one, ...program(one) } : one));
  return { object: { ...copy.object, ...object(copy.object) }, programs };
}

const withMap = (change: object) =>
  changed(
    () => ({}),
    ({ maps: [first, ...others] }) => ({ maps: [{ ...first, ...change }, ...others] }),
  );

describe("the difference of two program parts", () => {
  it("is none for the same object, in whatever order their fields are", () => {
    expect(partDifference(part, structuredClone(part), NAME)).toBeNull();
    const { content } = statementOf(example("rate-limit")).statement;
    expect(partDifference(content.program, part, NAME)).toBeNull();
    expect(partDifference(part, content.program, "measure")).toBeNull();
  });

  it.each<[string, ProgramPart, string, string]>([
    ["type", changed(() => ({ type: 6 })), "3", "6"],
    ["expected_attach_type", changed(() => ({ expected_attach_type: 37 })), "0", "37"],
    ["attach_target", changed(() => ({ attach_target: "tcp_connect" })), "none", "tcp_connect"],
    ["prog_flags", changed(() => ({ flags: 32 })), "0", "32"],
    [
      "license",
      changed(
        () => ({}),
        () => ({ license: "MIT" }),
      ),
      "GPL",
      "MIT",
    ],
    ["insn_cnt", changed(() => ({ insns: Buffer.alloc(16).toString("base64") })), "82", "2"],
    ["buckets.type", withMap({ type: 2 }), "1", "2"],
    ["buckets.max_entries", withMap({ max_entries: 2048 }), "1024", "2048"],
    ["buckets.pinning", withMap({ pinning: 0 }), "1", "0"],
    ["buckets.autocreate", withMap({ autocreate: false }), "true", "false"],
    ["buckets.map", withMap({ name: "others" }), "a map", "none"],
    [
      "object",
      changed(
        () => ({}),
        () => ({ sha256: "ab".repeat(32) }),
      ),
      part.object.sha256,
      "ab".repeat(32),
    ],
    ["core_relos", changed(() => ({ relocations: [{ slot: 0 }] })), "as stated", "something else"],
    ["func_info", changed(() => ({ functions: [] })), "as stated", "something else"],
    ["map", changed(() => ({ map_references: [] })), "as stated", "something else"],
    ["externs", changed(() => ({ extern_references: [{ slot: 1 }] })), "as stated", "something else"],
    [
      "btf",
      changed(
        () => ({}),
        () => ({ btf: null }),
      ),
      "as stated",
      "something else",
    ],
    ["program", changed(() => ({ section: "tcx/ingress" })), "as stated", "something else"],
  ])("is named by its first property: %s", (property, found, expected, its) => {
    expect(partDifference(part, found, NAME)).toEqual({ property, expected, found: its });
  });

  it("names the first instruction that differs", () => {
    const insns = Buffer.from(part.programs.find(({ name }) => name === NAME)!.insns, "base64");
    const slot = 7;
    const was = insns.subarray(8 * slot, 8 * slot + 8).toString("hex");
    insns[8 * slot + 4]! ^= 1;
    const is = insns.subarray(8 * slot, 8 * slot + 8).toString("hex");
    const found = changed(() => ({ insns: insns.toString("base64") }));
    expect(partDifference(part, found, NAME)).toEqual({
      ...{ property: "insns", expected: `${was} at instruction ${slot}`, found: is },
    });
  });

  it("is in the contents of read-only data", () => {
    const data = (maps: ProgramPart["object"]["maps"]) =>
      maps.map((map) => (map.data === null ? map : { ...map, data: Buffer.alloc(16, 1).toString("base64") }));
    const found = changed(
      () => ({}),
      ({ maps }) => ({ maps: data(maps) }),
    );
    expect(partDifference(part, found, NAME)).toMatchObject({ property: ".rodata.contents" });
  });

  it("is the name where one has no such program", () => {
    const none = { ...part, programs: part.programs.filter(({ name }) => name !== NAME) };
    expect(partDifference(part, none, NAME)).toEqual({ property: "name", expected: NAME, found: "none" });
    expect(partDifference(none, part, NAME)).toEqual({ property: "name", expected: "none", found: NAME });
  });

  it("says nothing of other programs", () => {
    expect(
      partDifference(
        part,
        changed(() => ({ type: 6 })),
        "measure",
      ),
    ).toBeNull();
  });
});
