import { readFileSync } from "node:fs";
import canonicalize from "canonicalize";
import { describe, expect, it } from "vitest";
import { BpfObject } from "../../src/bpf/object.js";
import {
  MAX_STATEMENT,
  type ProgramStatement,
  parseStatement,
  settingsOf,
  statementOf,
} from "../../src/bpf/statement.js";
import type { ErrorCode } from "../../src/error.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { example } from "../support/examples.js";
import { rejection } from "../support/rejection.js";
import { shareOf } from "../support/share.js";

const LINE = "countersign statement 1\n";
const limit = statementOf(example("rate-limit"), null, { fix: ["burst"], open: ["map:buckets.pinned"] });
const guard = statementOf(example("exec-guard"));
const json = Buffer.from(limit.bytes).subarray(LINE.length).toString("utf8");

// biome-ignore lint/suspicious/noExplicitAny: every field is made to lie
type Loose = any;

/** The bytes of a statement in canonical form that says something else. */
function saying(change: (content: Loose) => void, { bytes } = limit): Buffer {
  const content = JSON.parse(Buffer.from(bytes).subarray(LINE.length).toString("utf8"));
  change(content);
  return Buffer.from(LINE + canonicalize(content));
}

const reject = (bytes: Uint8Array) => rejection(() => parseStatement(bytes));

describe("an object with static maps", () => {
  const fixture = (name: string) => readFileSync(new URL(`fixtures/recognition/${name}.o`, import.meta.url));

  it.each(["static-maps-a", "static-maps"])("gets no statement, since libbpf loads no such object: %s", (name) => {
    expect(rejection(() => statementOf(fixture(name)))).toMatchObject({
      ...{ code: "ELF_UNSUPPORTED", place: "section .maps", message: expect.stringContaining("`hits` is static") },
    });
  });

  it("has one map for each, although they have one name", () => {
    const object = new BpfObject(fixture("static-maps"));
    const maps = object.functions.map((of) =>
      [...object.program(of).linked.references.values()].map((to) =>
        to.to === "map" ? [to.reference.map.name, to.reference.map.type] : null,
      ),
    );
    expect(maps).toEqual([[["hits", "hash"]], [["hits", "array"]]]);
  });
});

describe("bytes that are no statement of this version", () => {
  it.each<[what: string, text: string | Uint8Array, code: ErrorCode, place: string]>([
    ["are none", "", "STATEMENT_MALFORMED", "line 1"],
    ["are a part of the first line", "countersign statement", "STATEMENT_MALFORMED", "line 1"],
    ["are of no version", `countersign statement \n${json}`, "STATEMENT_MALFORMED", "line 1"],
    ["are of version 0", `countersign statement 0\n${json}`, "STATEMENT_MALFORMED", "line 1"],
    ["are of version 01", `countersign statement 01\n${json}`, "STATEMENT_MALFORMED", "line 1"],
    ["are of version -1", `countersign statement -1\n${json}`, "STATEMENT_MALFORMED", "line 1"],
    ["are of version 1 with a space", `countersign statement 1 \n${json}`, "STATEMENT_MALFORMED", "line 1"],
    ["end their line as Windows does", `countersign statement 1\r\n${json}`, "STATEMENT_MALFORMED", "line 1"],
    ["have no end of a line", `countersign statement 1${json}`, "STATEMENT_MALFORMED", "line 1"],
    ["have a version without end", `countersign statement ${"9".repeat(100_000)}`, "STATEMENT_MALFORMED", "line 1"],
    ["have a byte order mark", `\ufeff${LINE}${json}`, "STATEMENT_MALFORMED", "line 1"],
    ["begin in capitals", `Countersign statement 1\n${json}`, "STATEMENT_MALFORMED", "line 1"],
    ["are of version 2", `countersign statement 2\n${json}`, "STATEMENT_UNSUPPORTED", "line 1"],
    ["are of version 10", "countersign statement 10\n", "STATEMENT_UNSUPPORTED", "line 1"],
    ["have no JSON", LINE, "STATEMENT_MALFORMED", "line 2"],
    ["have a byte order mark before the JSON", `${LINE}\ufeff${json}`, "STATEMENT_MALFORMED", "line 2"],
    ["have JSON twice", `${LINE}${json}${json}`, "STATEMENT_MALFORMED", "line 2"],
    ["have no whole JSON", `${LINE}${json.slice(0, -1)}`, "STATEMENT_MALFORMED", "line 2"],
    ["are not UTF-8", Buffer.concat([Buffer.from(LINE), Buffer.of(0x22, 0xff, 0x22)]), "STATEMENT_MALFORMED", "line 2"],
    ["have a null", `${LINE}null`, "STATEMENT_MALFORMED", "statement"],
    ["have a list", `${LINE}[]`, "STATEMENT_MALFORMED", "statement"],
    ["are nested deep", LINE + "[".repeat(1 << 20), "STATEMENT_MALFORMED", "line 2"],
    ["are too many", Buffer.alloc(MAX_STATEMENT + 1, LINE), "STATEMENT_MALFORMED", "statement"],
  ])("%s", (_, text, code, place) => {
    expect(reject(Buffer.from(text as string))).toMatchObject({ code, place });
  });
});

describe("JSON that is not canonical", () => {
  const content = JSON.parse(json);
  it.each<[what: string, text: string]>([
    ["ends its line", `${json}\n`],
    ["has a space", json.replace(":", ": ")],
    ["is indented", JSON.stringify(content, null, 1)],
    ["has a field twice", json.replace('"rules":', '"rules":null,"rules":')],
    ["has a number with a fraction", json.replace('"version":1}', '"version":1.0}')],
    ["has a number with an exponent", json.replace('"version":1}', '"version":1e0}')],
    ["escapes what need not be escaped", json.replace('"rules"', '"\\u0072ules"')],
    ["escapes a slash", json.replace("/", "\\/")],
    ["has its fields in another order", JSON.stringify({ version: 1, program: content.program, rules: content.rules })],
    ["has negative zero", json.replace('"offset":0,', '"offset":-0,')],
  ])("%s", (_, text) => {
    expect(text).not.toBe(json);
    expect(reject(Buffer.from(LINE + text))).toMatchObject({
      code: "STATEMENT_MALFORMED",
      message: "is not canonical JSON (RFC 8785)",
      remedy: "copy the file again as `sign --programs` wrote it, or sign the object again",
    });
  });

  it("is what the library for RFC 8785 does not write, for every object", () => {
    for (const name of ["rate-limit", "exec-guard", "calm-tcp", "switch-watch", "xdp-steer"]) {
      const { bytes, statement } = statementOf(example(name));
      expect(Buffer.from(bytes).toString("utf8"), name).toBe(LINE + canonicalize(statement.content));
    }
  });
});

describe("a statement in canonical form that no object gives", () => {
  const INSN = Buffer.from("b700000000000000", "hex").toString("base64");
  it.each<[what: string, place: string, change: (content: Loose) => void, of?: typeof limit]>([
    ["has an unknown field", "statement", (c) => (c.more = 1)],
    ["has an unknown field of its object", "program.object", (c) => (c.program.object.more = 1)],
    ["has an unknown field of a program", "program.programs[0]", (c) => (c.program.programs[0].more = 1)],
    [
      "has a field `__proto__`",
      "rules",
      (c) => Object.defineProperty(c.rules, "__proto__", { value: 1, enumerable: true }),
    ],
    ["lacks its rules", "statement", (c) => delete c.rules],
    ["lacks its licence", "program.object", (c) => delete c.program.object.license],
    ["is of another version inside", "version", (c) => (c.version = 2)],
    ["is of its version as text", "version", (c) => (c.version = "1")],
    ["has no programs", "program.programs", (c) => (c.program.programs = [])],
    ["has a program twice", "program.programs[2]", (c) => c.program.programs.push(c.program.programs[0])],
    ["has a map twice", "program.object.maps[", (c) => c.program.object.maps.push(c.program.object.maps[0])],
    [
      "has two maps of one name",
      "program.object.maps[1]",
      (c) => (c.program.object.maps[1].name = c.program.object.maps[0].name),
    ],
    [
      "has a section twice",
      "program.object.sections[",
      (c) => c.program.object.sections.push(c.program.object.sections[0]),
    ],
    [
      "has a variable twice, in other places",
      "program.object.sections[0].variables[",
      (c) => c.program.object.sections[0].variables.push({ ...c.program.object.sections[0].variables[0], offset: 8 }),
    ],
    ["has too many programs", "program.programs", (c) => (c.program.programs = Array(1025).fill(0))],
    ["has no digest of its object", "program.object.sha256", (c) => (c.program.object.sha256 = "")],
    ["has a digest in capitals", "program.object.sha256", (c) => (c.program.object.sha256 = "AB".repeat(32))],
    ["has a digest and a line", "program.object.sha256", (c) => (c.program.object.sha256 += "\n")],
    ["has a third byte order", "program.object.byte_order", (c) => (c.program.object.byte_order = "middle")],
    ["has a licence of 64 bytes", "program.object.license", (c) => (c.program.object.license = "x".repeat(64))],
    ["has a number for a licence", "program.object.license", (c) => (c.program.object.license = 1)],
    ["has BTF that is not base64", "program.object.btf", (c) => (c.program.object.btf = "???")],
    ["has BTF in base64 for URLs", "program.object.btf", (c) => (c.program.object.btf = "-_==")],
    ["has BTF without padding", "program.object.btf", (c) => (c.program.object.btf = "AA")],
    ["has BTF with bits behind its end", "program.object.btf", (c) => (c.program.object.btf = "AB==")],
    ["has a map of a negative type", "program.object.maps[0].type", (c) => (c.program.object.maps[0].type = -1)],
    [
      "has a map of 2^32 entries",
      "program.object.maps[0].max_entries",
      (c) => (c.program.object.maps[0].max_entries = 2 ** 32),
    ],
    [
      "has a map of half an entry",
      "program.object.maps[0].max_entries",
      (c) => (c.program.object.maps[0].max_entries = 0.5),
    ],
    [
      "has a map with text for flags",
      "program.object.maps[0].map_flags",
      (c) => (c.program.object.maps[0].map_flags = "0"),
    ],
    ["has a number for map_extra", "program.object.maps[0].map_extra", (c) => (c.program.object.maps[0].map_extra = 0)],
    ["has map_extra in hex", "program.object.maps[0].map_extra", (c) => (c.program.object.maps[0].map_extra = "0x0")],
    [
      "has map_extra with a zero",
      "program.object.maps[0].map_extra",
      (c) => (c.program.object.maps[0].map_extra = "00"),
    ],
    [
      "has contents of a map of programs' own",
      "program.object.maps[0].data",
      (c) => (c.program.object.maps[0].data = ""),
    ],
    ["has no contents of .rodata", "program.object.maps[1].data", (c) => (c.program.object.maps[1].data = null)],
    ["has contents of another size", "program.object.maps[1].data", (c) => (c.program.object.maps[1].data = INSN)],
    [
      "has .data that is read-only data",
      "program.object.maps[2].data",
      (c) => (c.program.object.maps[2].kind = "rodata"),
    ],
    [
      "has global data with an inner map",
      "program.object.maps[2].inner",
      (c) => (c.program.object.maps[2].inner = c.program.object.maps[0]),
    ],
    [
      "has an inner map with an inner map",
      "program.object.maps[0].inner.inner",
      (c) => {
        const [map] = c.program.object.maps;
        map.inner = { ...map, inner: { ...map } };
      },
    ],
    ["has half an instruction", "program.programs[0].insns", (c) => (c.program.programs[0].insns = INSN.slice(0, 8))],
    ["has no instructions", "program.programs[0].insns", (c) => (c.program.programs[0].insns = "")],
    ["has a part of an ld_imm64", "program.programs[0].insns: instruction 0", (c) => bare(c, "1800000000000000")],
    ["has no functions", "program.programs[0].functions", (c) => (c.program.programs[0].functions = [])],
    [
      "has a function of another name first",
      "program.programs[0].functions",
      (c) => (c.program.programs[0].functions[0].name = "other"),
    ],
    [
      "has a function that starts late",
      "program.programs[0].functions",
      (c) => (c.program.programs[0].functions[0].start = 1),
    ],
    [
      "has functions in disorder",
      "program.programs[0].functions[1]",
      (c) => (c.program.programs[0].functions[1].start = 0),
    ],
    [
      "has a function past its end",
      "program.programs[0].functions[1]",
      (c) =>
        (c.program.programs[0].functions = c.program.programs[0].functions
          .slice(0, 2)
          .map((f: Loose, i: number) => ({ ...f, start: i * 82 }))),
    ],
    [
      "has a map reference past its end",
      "program.programs[0].map_references[0]",
      (c) => (c.program.programs[0].map_references[0].slot = 9999),
    ],
    [
      "has a slot that is no number",
      "program.programs[0].map_references[0].slot",
      (c) => (c.program.programs[0].map_references[0].slot = null),
    ],
    [
      "refers to a map that there is not",
      "program.programs[0].map_references[0]",
      (c) => (c.program.programs[0].map_references[0].map = 4),
    ],
    ["refers to an offset of a map itself", "program.programs[0].insns: instruction ", (c) => flipOffset(c)],
    [
      "does not say what an instruction refers to",
      "program.programs[0].insns: instruction ",
      (c) => c.program.programs[0].map_references.shift(),
    ],
    [
      "refers to maps in disorder",
      "program.programs[0].map_references[1]",
      (c) => c.program.programs[0].map_references.reverse(),
    ],
    [
      "refers to a map where no instruction does",
      "program.programs[0]",
      (c) => bare(c, "9500000000000000", [{ slot: 0, map: 0, offset: null }]),
    ],
    [
      "refers to an fd_array",
      "program.programs[0].insns: instruction 0",
      (c) => bare(c, "18510000000000000000000000000000"),
    ],
    [
      "refers to a value by an fd_array",
      "program.programs[0].insns: instruction 0",
      (c) => bare(c, "18610000000000000000000000000000"),
    ],
    [
      "refers to BTF that is not stated",
      "program.programs[0].insns: instruction 0",
      (c) => bare(c, "18310000000000000000000000000000"),
    ],
    [
      "calls a kfunc that is not stated",
      "program.programs[0].insns: instruction 0",
      (c) => bare(c, "8520000000000000"),
    ],
    [
      "refers to no kernel symbol",
      "program.programs[0].extern_references[0]",
      (c) => (c.program.programs[0].extern_references[0].extern = 9),
      guard,
    ],
    [
      "refers to .kconfig as a symbol",
      "program.programs[0].extern_references[0]",
      (c) => (c.program.programs[0].extern_references[0].extern = 0),
      guard,
    ],
    [
      "has a kernel symbol in .kconfig",
      "program.object.externs[1].offset",
      (c) => (c.program.object.externs[1].offset = 0),
      guard,
    ],
    [
      "has a value that is not in .kconfig",
      "program.object.externs[0].offset",
      (c) => (c.program.object.externs[0].offset = null),
      guard,
    ],
    [
      "has an extern of another kind",
      "program.object.externs[0].kind",
      (c) => (c.program.object.externs[0].kind = "other"),
      guard,
    ],
    ["fixes in disorder", "rules.fixed[1]", (c) => c.rules.fixed.push(c.rules.fixed[0])],
    ["fixes a value of another form", "rules.fixed[0].value", (c) => (c.rules.fixed[0].value = "0X40")],
    ["fixes nothing", "rules.fixed[0].value", (c) => (c.rules.fixed[0].value = null)],
    ["opens in disorder", "rules.open[1]", (c) => c.rules.open.push("map:buckets.pinned")],
    ["opens a map that there is not", "rules.open[0]", (c) => (c.rules.open = ["map:bucket.pinned"])],
    ["opens a program that there is not", "rules.open[0]", (c) => (c.rules.open = ["other.attach-target"])],
    ["opens what cannot be opened", "rules.open[0]", (c) => (c.rules.open = ["map:buckets.flags"])],
    ["opens the BTF of a map", "rules.open[0]", (c) => (c.rules.open = ["map:buckets"])],
    ["opens everything", "rules.open[0]", (c) => (c.rules.open = ["*"])],
  ])("%s", (_, place, change, of = limit) => {
    const error = reject(saying(change, of));
    expect(error.code).toBe("STATEMENT_MALFORMED");
    expect(error.place?.startsWith(place), `${error.place}: ${error.message}`).toBe(true);
    expect(error.remedy).toBeDefined();
  });

  it("fixes what is no setting, which reading its settings finds", () => {
    const { content } = parseStatement(saying((c) => (c.rules.fixed[0].name = "other")));
    expect(rejection(() => settingsOf(content))).toMatchObject({ code: "STATEMENT_MALFORMED", place: "rules.fixed" });
  });

  it("has BTF that is none, which reading its settings finds", () => {
    const { content } = parseStatement(saying((c) => (c.program.object.btf = "AAAA")));
    expect(rejection(() => settingsOf(content))).toMatchObject({
      code: "BTF_MALFORMED",
      place: "BTF of the statement",
    });
  });
});

describe("damaged statements", () => {
  it("are rejected by name, or are what is signed anew", () => {
    const seed = seedOf();
    const next = numbers(seed);
    const sources = [limit.bytes, guard.bytes];
    for (let round = 0; round < shareOf(20_000); round++) {
      const bytes = damaged(sources[next(sources.length)]!, next);
      let read: ProgramStatement;
      try {
        read = parseStatement(bytes);
      } catch (error) {
        expect((error as { code: string }).code, `seed ${seed}, round ${round}`).toMatch(/^STATEMENT_/);
        continue;
      }
      expect(Buffer.from(LINE + canonicalize(read.content)).equals(bytes), `seed ${seed}, round ${round}`).toBe(true);
    }
  });

  it("are rejected if any byte of the JSON's structure changes", () => {
    // every byte that is not in a string or a number
    const outside = [...json.matchAll(/"[^"]*"|[-0-9]+/g)];
    let at = 0;
    const structure: number[] = [];
    for (const { index, 0: token } of outside) {
      for (; at < index; at++) structure.push(at);
      at = index + token.length;
    }
    expect(structure.length).toBeGreaterThan(500);
    for (const place of structure) {
      const bytes = Buffer.from(limit.bytes);
      const found = bytes[LINE.length + place]!;
      bytes[LINE.length + place] = found === 0x20 ? 0x21 : 0x20;
      expect(reject(bytes).code).toBe("STATEMENT_MALFORMED");
    }
  });
});

/** One program of these instructions and references. */
function bare(content: Loose, hex: string, references: readonly unknown[] = []): void {
  const [first] = content.program.programs;
  content.program.programs = [
    {
      ...first,
      insns: Buffer.from(hex, "hex").toString("base64"),
      functions: [{ ...first.functions[0] }],
      relocations: [],
      map_references: references,
      extern_references: [],
    },
  ];
}

function flipOffset(content: Loose): void {
  const reference = content.program.programs[0].map_references[0];
  reference.offset = reference.offset === null ? 0 : null;
}
