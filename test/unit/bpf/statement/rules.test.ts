import { describe, expect, it } from "vitest";
import { rulesOf } from "../../../../src/bpf/statement/rules.js";
import { parseValue, readValue } from "../../../../src/bpf/statement/setting-value.js";
import { opensMap, opensProgram, programPartOf } from "../../../../src/bpf/statement.js";
import { example } from "../../../support/examples.js";
import { rejection } from "../../../support/rejection.js";

const part = programPartOf(example("rate-limit"));

describe("the rules of a statement", () => {
  it("fix what is named, at its declared value or at another", () => {
    expect(rulesOf(part, { fix: ["nanoseconds_per_token=0x10", "burst", "buckets.autocreate=0"] }).fixed).toEqual([
      { name: "buckets.autocreate", kind: "autocreate", value: 0 },
      { name: "burst", kind: "variable", value: "64" },
      { name: "nanoseconds_per_token", kind: "variable", value: "16" },
    ]);
  });

  it("fix everything, and what is named at its own value", () => {
    expect(rulesOf(part, { fixAll: true, fix: ["burst=1"] }).fixed.map(({ name, value }) => [name, value])).toEqual([
      ["buckets.autocreate", 1],
      ["burst", "1"],
      ["nanoseconds_per_token", "1000000"],
    ]);
  });

  it("need a value for a size that the loader has to set, and leave what libbpf sets", () => {
    const [map] = part.object.maps;
    const sized = (type: number, more: object) => ({
      ...part,
      object: { ...part.object, maps: [{ ...map!, type, ...more }, ...part.object.maps.slice(1)] },
    });
    const [HASH, PERF_EVENT_ARRAY, RINGBUF, TASK_STORAGE] = [1, 4, 27, 29];
    const fixedOf = (of: typeof part, fix: readonly string[] = []) =>
      rulesOf(of, { fixAll: true, fix }).fixed.map(({ name, value }) => [name, value]);
    const hash = sized(HASH, { max_entries: 0 });
    for (const options of [{ fixAll: true }, { fix: ["buckets.max_entries"] }])
      expect(rejection(() => rulesOf(hash, options))).toMatchObject({
        code: "USAGE",
        message: "setting `buckets.max_entries` has no declared value, since the loader has to set it",
        remedy: "add --fix buckets.max_entries=VALUE",
      });
    expect(fixedOf(hash, ["buckets.max_entries=7"])).toContainEqual(["buckets.max_entries", 7]);
    const perf = fixedOf(sized(PERF_EVENT_ARRAY, { max_entries: 0 })).map(([name]) => name);
    expect(perf).toEqual(["buckets.autocreate", "burst", "nanoseconds_per_token"]);
    expect(fixedOf(sized(RINGBUF, { key_size: 0, value_size: 0 }))).toContainEqual(["buckets.value_size", 0]);
    expect(fixedOf(sized(TASK_STORAGE, { max_entries: 0 }))).toContainEqual(["buckets.max_entries", 0]);
  });

  it("open what is named, once and in order", () => {
    const open = ["measure.attach-target", "map:buckets.type", "limit.type=ext", "map:buckets.type"];
    const rules = rulesOf(part, { open });
    expect(rules.open).toEqual(["limit.type=ext", "map:buckets.type", "measure.attach-target"]);
    expect(opensMap(rules, "buckets", "type")).toBe(true);
    expect(opensMap(rules, "buckets", "pinned")).toBe(false);
    expect(opensProgram(rules, "limit", "type=ext")).toBe(true);
    expect(opensProgram(rules, "measure", "type=ext")).toBe(false);
  });

  it.each<[options: Parameters<typeof rulesOf>[1], message: string]>([
    [{ fix: ["brust"] }, "no setting `brust` (did you mean `burst`?)"],
    [{ fix: ["burst=-1"] }, "`-1` is not a value of setting `burst`"],
    [{ fix: ["burst=18446744073709551616"] }, "`18446744073709551616` is not a value of setting `burst`"],
    [{ fix: ["burst="] }, "`` is not a value of setting `burst`"],
    [{ fix: ["buckets.autocreate=maybe"] }, "`maybe` is not a value of setting `buckets.autocreate`"],
    [{ fix: ["buckets.max_entries=1"] }, "no setting `buckets.max_entries`"],
    [
      { open: ["map:bucket.type"] },
      "`map:bucket.type` opens nothing in this object (did you mean `map:buckets.type`?)",
    ],
    [{ open: ["limit.flags"] }, "`limit.flags` opens nothing in this object"],
  ])("%j is an error", (options, message) => {
    const error = rejection(() => rulesOf(part, options));
    expect(error.code).toBe("USAGE");
    expect(error.message.startsWith(message), error.message).toBe(true);
  });
});

describe("a value on the command line", () => {
  it.each<[text: string, size: 1 | 2 | 4 | 8, signed: boolean, value: number | string | null]>([
    ["1", 4, true, 1],
    ["-1", 4, true, -1],
    ["-2147483648", 4, true, -2147483648],
    ["2147483648", 4, true, null],
    ["4294967295", 4, false, 4294967295],
    ["4294967296", 4, false, null],
    ["-1", 4, false, null],
    ["0xff", 1, false, 255],
    ["0x100", 1, false, null],
    ["true", 1, false, 1],
    ["false", 1, false, 0],
    ["-9223372036854775808", 8, true, "-9223372036854775808"],
    ["18446744073709551615", 8, false, "18446744073709551615"],
    ["18446744073709551616", 8, false, null],
    ["01", 4, true, null],
    ["1.0", 4, true, null],
    ["1e3", 4, true, null],
    [" 1", 4, true, null],
    ["", 4, true, null],
    ["constructor", 4, true, null],
  ])("%j as %i bytes, signed %s, is %j", (text, size, signed, value) => {
    expect(parseValue(text, size, { size, signed })).toBe(value);
  });

  it("is hex for all else, of as many bytes", () => {
    expect(parseValue("0A0b", 2, null)).toBe("0a0b");
    expect(parseValue("0x0a0b", 2, null)).toBe("0a0b");
    for (const text of ["0a", "0a0b0c", "0a0g", "0a0b\n"]) expect(parseValue(text, 2, null), text).toBeNull();
  });

  it("is read back from the bytes that a loader writes", () => {
    for (const [signed, text] of [
      [true, "-5"],
      [false, "18446744073709551611"],
    ] as const) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(-5n);
      expect(readValue(bytes, { size: 8, signed }, "little")).toBe(text);
      expect(readValue(Buffer.from(bytes).reverse(), { size: 8, signed }, "big")).toBe(text);
    }
  });
});
