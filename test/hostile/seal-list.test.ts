/** List files that nobody wrote: each is rejected with its code and place, or is exactly what encodeList writes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CountersignError } from "../../src/error.js";
import { CLASS, CLASS_SIZE, CLASSES, CLASSES_SIZE } from "../../src/seal/classes/class-table.js";
import { ENTRY, ENTRY_SIZE, MAP, RECORD_SIZE, REFERENCES } from "../../src/seal/list/list-entry.js";
import { HEADER, HEADER_SIZE } from "../../src/seal/list/list-header.js";
import { encodeList, parseList } from "../../src/seal/list.js";
import { rejection } from "../support/rejection.js";
import { entry, FENTRY, HASH_MAP, ORIGIN, OUTER, RODATA, TRACING, withTablesDigest } from "../support/seal-list.js";

const LIST = encodeList(
  [
    entry(1),
    entry(2, [HASH_MAP, RODATA]),
    entry(3, [], { progType: TRACING, expectedAttachType: FENTRY, attachBtfId: 4711 }),
    entry(4, [OUTER]),
  ],
  ORIGIN,
  {
    admit: [{ type: 15, attachTypes: [0, 6], helpers: [], mapTypes: [], instructions: 64, maps: 0 }],
    mask: { types: [], helpers: [] },
  },
);
const CLASS_TABLE = LIST.length - CLASSES_SIZE;
const classAt = (row: number) => CLASS_TABLE + CLASSES.admit + row * CLASS_SIZE;
const ENTRIES = parseList(LIST).header.entries;
const RECORDS = HEADER_SIZE + ENTRIES * ENTRY_SIZE;

/** The list with a change; `at` is an offset in the file. */
function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(LIST);
  change(bytes);
  return withTablesDigest(bytes);
}

/** Offsets of the records of entry 2: its references, then HASH_MAP and RODATA in the order of the entry. */
const first = HEADER_SIZE + 1 * ENTRY_SIZE;
const group = RECORDS + LIST.readUInt32LE(first + ENTRY.maps) * RECORD_SIZE;
const [hashMap, rodata] = [group + RECORD_SIZE, group + 2 * RECORD_SIZE];
const outer = RECORDS + (LIST.readUInt32LE(HEADER_SIZE + 3 * ENTRY_SIZE + ENTRY.maps) + 1) * RECORD_SIZE;

function entryAt(bytes: Buffer, index: number): Buffer {
  return bytes.subarray(HEADER_SIZE + index * ENTRY_SIZE, HEADER_SIZE + (index + 1) * ENTRY_SIZE);
}

function swap(bytes: Buffer, one: number, other: number): void {
  const kept = Buffer.from(entryAt(bytes, one));
  entryAt(bytes, one).set(entryAt(bytes, other));
  entryAt(bytes, other).set(kept);
}

type Case = readonly [what: string, code: string, place: string, message: RegExp, change: (bytes: Buffer) => void];

const MALFORMED = "SEAL_LIST_MALFORMED";
const UNSUPPORTED = "SEAL_LIST_UNSUPPORTED";
const u32 = (at: number, value: number) => (bytes: Buffer) => void bytes.writeUInt32LE(value, at);

const classType = (type: number) => u32(classAt(0) + CLASS.prog_type, type);
const bit = (at: number, number: number) => (bytes: Buffer) =>
  void bytes.writeUInt8(1 << (number & 7), at + (number >> 3));
const classHelper = (helper: number) => bit(classAt(0) + CLASS.helpers, helper);
const classMap = (type: number) => bit(classAt(0) + CLASS.map_types, type);

const CASES: readonly Case[] = [
  [
    "another magic",
    MALFORMED,
    "header",
    /does not begin/,
    (bytes) => void bytes.write("countersign statement 1\n", "latin1"),
  ],
  ["a class of tracing programs", MALFORMED, "class 0", /no class admits the type `kprobe`/, classType(2)],
  ["a class that calls bpf(2)", MALFORMED, "class 0", /no class admits the helper `bpf_sys_bpf`/, classHelper(166)],
  ["a class with maps of programs", MALFORMED, "class 0", /no class admits `prog_array` maps/, classMap(3)],
  ["a class of an unknown type", UNSUPPORTED, "class 0", /unknown program type 40/, classType(40)],
  ["a class with an unknown helper", UNSUPPORTED, "class 0", /unknown helper 254/, classHelper(254)],
  ["a class after an unused row", MALFORMED, "classes", /bytes that are not used/, u32(classAt(5), 1)],
  ["reserved bytes of a class", MALFORMED, "classes", /bytes that are not used/, u32(classAt(0) + CLASS.reserved, 1)],
  ["a mask of an unknown type", UNSUPPORTED, "mask", /unknown program type 63/, u32(CLASS_TABLE + 4, 2 ** 31)],
  ["another version", UNSUPPORTED, "header", /is of version 2/, u32(HEADER.version, 2)],
  ["another guard", UNSUPPORTED, "header", /guards of version 9/, u32(HEADER.guardVersion, 9)],
  ["more entries than bytes", MALFORMED, "header", /which take/, u32(HEADER.entries, 5)],
  ["very many entries", UNSUPPORTED, "header", /has 4294967295 entries/, u32(HEADER.entries, 0xffffffff)],
  ["fewer records than bytes", MALFORMED, "header", /which take/, u32(HEADER.records, 1)],
  [
    "bytes after the release",
    MALFORMED,
    "header",
    /after the release/,
    (bytes) => void bytes.write("x", HEADER.files - 1),
  ],
  [
    "a release that is no UTF-8",
    MALFORMED,
    "header",
    /after the release/,
    (bytes) => void bytes.writeUInt8(0xff, HEADER.release),
  ],
  [
    "duplicates",
    MALFORMED,
    "entry 1",
    /same as the entry before it/,
    (bytes) => void entryAt(bytes, 1).set(entryAt(bytes, 0)),
  ],
  ["unsorted entries", MALFORMED, "entry 2", /not in the order/, (bytes) => swap(bytes, 1, 2)],
  ["type 0", UNSUPPORTED, "entry 0", /unknown program type 0/, u32(HEADER_SIZE + ENTRY.prog_type, 0)],
  ["an unknown type", UNSUPPORTED, "entry 0", /unknown program type 999/, u32(HEADER_SIZE + ENTRY.prog_type, 999)],
  [
    "an unknown attach type",
    UNSUPPORTED,
    "entry 0",
    /unknown attach type 999/,
    u32(HEADER_SIZE + ENTRY.expected_attach_type, 999),
  ],
  [
    "a target of a type that has none",
    MALFORMED,
    "entry 0",
    /has an attach target/,
    u32(HEADER_SIZE + ENTRY.attach_btf_id, 1),
  ],
  ["unknown flags", UNSUPPORTED, "entry 0", /unknown flags in 512/, u32(HEADER_SIZE + ENTRY.prog_flags, 512)],
  ["another licence value", MALFORMED, "entry 0", /neither 0 nor 1/, u32(HEADER_SIZE + ENTRY.gpl_compatible, 2)],
  ["records that do not exist", MALFORMED, "entry 0", /names the record 99/, u32(HEADER_SIZE + ENTRY.maps, 99)],
  [
    "records that no entry has",
    MALFORMED,
    "record 0",
    /is of no entry/,
    (bytes) => {
      const used = bytes.readUInt32LE(HEADER_SIZE + ENTRY.maps);
      for (let at = 0; at < ENTRIES; at++)
        if (entryAt(bytes, at).readUInt32LE(ENTRY.maps) === 0)
          entryAt(bytes, at).writeUInt32LE(used === 0 ? 1 : used, ENTRY.maps);
    },
  ],
  [
    "too many maps",
    MALFORMED,
    `record ${(group - RECORDS) / RECORD_SIZE}`,
    /has 65 maps/,
    u32(group + REFERENCES.maps, 65),
  ],
  [
    "more maps than references",
    MALFORMED,
    `record ${(group - RECORDS) / RECORD_SIZE}`,
    /has 2 maps for 1 ref/,
    u32(group + REFERENCES.references, 1),
  ],
  [
    "an unknown map type",
    UNSUPPORTED,
    `record ${(hashMap - RECORDS) / RECORD_SIZE}`,
    /unknown map type 999/,
    u32(hashMap + MAP.map_type, 999),
  ],
  [
    "contents of a map that is not frozen",
    MALFORMED,
    `record ${(hashMap - RECORDS) / RECORD_SIZE}`,
    /is not frozen/,
    u32(hashMap + MAP.contents, 1),
  ],
  [
    "settings of a map that is not frozen",
    MALFORMED,
    `record ${(hashMap - RECORDS) / RECORD_SIZE}`,
    /is not frozen/,
    u32(hashMap + MAP.settings + 4, 1),
  ],
  [
    "contents of a map of no value",
    MALFORMED,
    `record ${(rodata - RECORDS) / RECORD_SIZE}`,
    /no read-only array/,
    u32(rodata + MAP.value_size, 0),
  ],
  [
    "contents of a map that programs write",
    MALFORMED,
    `record ${(rodata - RECORDS) / RECORD_SIZE}`,
    /no read-only array/,
    u32(rodata + MAP.map_flags, 0),
  ],
  [
    "contents of several elements",
    MALFORMED,
    `record ${(rodata - RECORDS) / RECORD_SIZE}`,
    /no read-only array/,
    u32(rodata + MAP.max_entries, 2),
  ],
  [
    "a range behind the value",
    MALFORMED,
    `record ${(rodata - RECORDS) / RECORD_SIZE}`,
    /range 1 of 100 bytes at 8/,
    u32(rodata + MAP.settings + 12, 100),
  ],
  [
    "ranges that overlap",
    MALFORMED,
    `record ${(rodata - RECORDS) / RECORD_SIZE}`,
    /range 1 of 8 bytes at 2/,
    u32(rodata + MAP.settings + 8, 2),
  ],
  [
    "a range after an unused one",
    MALFORMED,
    `record ${(rodata - RECORDS) / RECORD_SIZE}`,
    /range/,
    u32(rodata + MAP.settings + 8 * 5 + 4, 1),
  ],
  [
    "an unused range with an offset",
    MALFORMED,
    `record ${(rodata - RECORDS) / RECORD_SIZE}`,
    /after an unused one/,
    u32(rodata + MAP.settings + 8 * 5, 1),
  ],
  [
    "reserved bytes",
    MALFORMED,
    `record ${(rodata - RECORDS) / RECORD_SIZE}`,
    /reserved bytes/,
    u32(rodata + MAP.reserved, 1),
  ],
  [
    "frozen neither 0 nor 1",
    MALFORMED,
    `record ${(rodata - RECORDS) / RECORD_SIZE}`,
    /neither 0 nor 1/,
    u32(rodata + MAP.frozen, 2),
  ],
  [
    "an inner map of a hash",
    MALFORMED,
    `record ${(hashMap - RECORDS) / RECORD_SIZE}`,
    /hash map with an inner map/,
    u32(hashMap + MAP.inner_map_type, 2),
  ],
  [
    "sizes of no inner map",
    MALFORMED,
    `record ${(hashMap - RECORDS) / RECORD_SIZE}`,
    /sizes of no inner map/,
    u32(hashMap + MAP.inner_value_size, 2),
  ],
  [
    "a map of maps without one",
    MALFORMED,
    `record ${(outer - RECORDS) / RECORD_SIZE}`,
    /sizes of no inner map/,
    u32(outer + MAP.inner_map_type, 0),
  ],
  [
    "an unknown inner map",
    UNSUPPORTED,
    `record ${(outer - RECORDS) / RECORD_SIZE}`,
    /unknown inner map type 77/,
    u32(outer + MAP.inner_map_type, 77),
  ],
];

describe("a list file", () => {
  it.each(CASES)("is rejected for %s", (_, code, place, message, change) => {
    expect(rejection(() => parseList(changed(change)))).toMatchObject({
      code,
      place,
      message: expect.stringMatching(message),
    });
  });

  it("is rejected at each length but its own", () => {
    for (let length = 0; length < LIST.length; length++)
      expect(rejection(() => parseList(LIST.subarray(0, length)))).toMatchObject({ code: MALFORMED, place: "header" });
    expect(rejection(() => parseList(Buffer.concat([LIST, Buffer.alloc(1)])))).toMatchObject({ code: MALFORMED });
  });

  it("is rejected for each bit that is flipped in its tables", { tags: ["deep"] }, () => {
    for (let bit = 8 * HEADER_SIZE; bit < 8 * LIST.length; bit += 3) {
      const bytes = Buffer.from(LIST);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(rejection(() => parseList(bytes))).toMatchObject({ code: MALFORMED, place: "header" });
    }
  });

  /** Whoever can change the digest of the tables too still gets only lists that `encodeList` writes. */
  it("is what encodeList writes, or is rejected", { tags: ["deep"] }, () => {
    const places = fc.array(fc.tuple(fc.nat(LIST.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(places, (changes) => {
        const bytes = changed((list) => {
          for (const [at, value] of changes) list.writeUInt8(value, at);
        });
        try {
          const { entries, header, classes } = parseList(bytes);
          expect(encodeList(entries, header, classes).equals(bytes)).toBe(true);
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error;
          expect(error.code).toMatch(/^SEAL_LIST_/);
        }
      }),
      { numRuns: 4000, seed: 16 },
    );
  });

  it("is what encodeList writes, or is rejected, also if whole words are exchanged", { tags: ["deep"] }, () => {
    const words = fc.array(fc.tuple(fc.nat(LIST.length / 4 - 1), fc.nat(LIST.length / 4 - 1)), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(words, (changes) => {
        const bytes = changed((list) => {
          for (const [to, from] of changes) list.copy(list, 4 * to, 4 * from, 4 * from + 4);
        });
        try {
          const { entries, header, classes } = parseList(bytes);
          expect(encodeList(entries, header, classes).equals(bytes)).toBe(true);
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error;
        }
      }),
      { numRuns: 4000, seed: 16 },
    );
  });
});
