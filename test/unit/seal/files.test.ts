import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CountersignError } from "../../../src/error.js";
import {
  FILE_LIST_MAGIC,
  HEADER,
  HEADER_SIZE,
  MODULES_BY_TICKET,
  RULES,
} from "../../../src/seal/files/file-list-layout.js";
import { imageOfFiles } from "../../../src/seal/files/image-of-files.js";
import { countsOf, encodeFileList, parseFileList, requireFiles } from "../../../src/seal/files.js";
import { DIGEST_SIZE } from "../../../src/seal/list/list-entry.js";
import { CHeader } from "../../support/c-header.js";
import { own } from "../../support/workplace.js";

const [A, B, C] = ["01", "02", "ff"].map((byte) => byte.repeat(32)) as [string, string, string];

describe("a list of files", () => {
  it("has each digest once, in ascending order", () => {
    const list = parseFileList(encodeFileList({ modules: [C, A, B, A], executables: null }));
    expect(list.digests.modules!.toString("hex")).toBe(A + B + C);
    expect(list.digests.executables).toBeNull();
    expect(countsOf(list)).toEqual({ modules: 3, executables: null });
  });

  it("tells a kind of which no file is listed from one that need not be listed", () => {
    const list = parseFileList(encodeFileList({ modules: [], executables: null }));
    expect(countsOf(list)).toEqual({ modules: 0, executables: null });
    expect(countsOf(null)).toEqual({ modules: null, executables: null });
  });

  it("says whether modules load by ticket, which only a list of modules can say", () => {
    const digests = { modules: [A], executables: [B] };
    const [without, by] = [false, true].map((modulesByTicket) => encodeFileList({ ...digests, modulesByTicket }));
    expect(parseFileList(encodeFileList(digests)).modulesByTicket).toBe(false);
    expect(parseFileList(without!).modulesByTicket).toBe(false);
    expect(parseFileList(by!)).toMatchObject({ modulesByTicket: true, digests: parseFileList(without!).digests });
    expect(parseFileList(by!).sha256).not.toBe(parseFileList(without!).sha256);
    const alone = encodeFileList({ modules: null, executables: [B] });
    const rules = RULES.executables | MODULES_BY_TICKET;
    expect(codeOf(() => parseFileList(word(alone, HEADER.rules, rules)))).toBe("SEAL_LIST_MALFORMED");
  });

  it.each<readonly [string, (bytes: Buffer) => Uint8Array, string]>([
    ["another beginning", (bytes) => bytes.fill(0, 0, 4), "SEAL_LIST_MALFORMED"],
    ["a header that is cut", (bytes) => bytes.subarray(0, HEADER_SIZE - 1), "SEAL_LIST_MALFORMED"],
    ["the magic only", (bytes) => bytes.subarray(0, FILE_LIST_MAGIC.length), "SEAL_LIST_MALFORMED"],
    ["the version before", (bytes) => word(bytes, HEADER.version, 1), "SEAL_LIST_UNSUPPORTED"],
    ["a later version", (bytes) => word(bytes, HEADER.version, 3), "SEAL_LIST_UNSUPPORTED"],
    ["another version of the guard", (bytes) => word(bytes, HEADER.guardVersion, 9), "SEAL_LIST_UNSUPPORTED"],
    ["unknown rules", (bytes) => word(bytes, HEADER.rules, 9), "SEAL_LIST_MALFORMED"],
    ["the highest bit of the rules", (bytes) => word(bytes, HEADER.rules, 0x80000001), "SEAL_LIST_MALFORMED"],
    ["digests without their rule", (bytes) => word(bytes, HEADER.rules, RULES.executables), "SEAL_LIST_MALFORMED"],
    ["reserved bytes", (bytes) => word(bytes, HEADER.reserved, 1), "SEAL_LIST_MALFORMED"],
    ["more digests than it has", (bytes) => word(bytes, HEADER.modules, 3), "SEAL_LIST_MALFORMED"],
    ["a number of digests that wraps", (bytes) => word(bytes, HEADER.modules, 0x8000002), "SEAL_LIST_MALFORMED"],
    ["a byte more", (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]), "SEAL_LIST_MALFORMED"],
    ["a digest that is changed", (bytes) => bytes.fill(7, HEADER_SIZE, HEADER_SIZE + 1), "SEAL_LIST_MALFORMED"],
    ["another SHA-256", (bytes) => bytes.fill(7, HEADER.digests, HEADER.digests + 1), "SEAL_LIST_MALFORMED"],
  ])("is rejected with %s", (_, change, code) => {
    const bytes = Buffer.from(encodeFileList({ modules: [A, B], executables: null }));
    expect(codeOf(() => parseFileList(change(bytes)))).toBe(code);
  });

  it("is rejected if its digests do not ascend", () => {
    const [one, other] = [
      encodeFileList({ modules: [A, C], executables: [B] }),
      encodeFileList({ modules: [A], executables: [B, C] }),
    ];
    // the same digests A, C, B in another order, with the SHA-256 of that order
    one.copy(other, HEADER.digests, HEADER.digests, HEADER_SIZE);
    one.copy(other, HEADER_SIZE, HEADER_SIZE);
    expect(codeOf(() => parseFileList(other))).toBe("SEAL_LIST_MALFORMED");
  });

  it("has to be that of the list of programs", () => {
    const list = parseFileList(encodeFileList({ modules: [A], executables: null }));
    expect(() => requireFiles(list, list.sha256)).not.toThrow();
    expect(() => requireFiles(null, null)).not.toThrow();
    for (const [files, expected] of [
      [list, null],
      [list, A],
      [null, list.sha256],
    ] as const)
      expect(codeOf(() => requireFiles(files, expected))).toBe("SEAL_FILES_MISMATCH");
  });
});

describe("the image of a guard", () => {
  it("has the programs of a kind of files only if files of this kind must be listed", () => {
    const list = parseFileList(encodeFileList({ modules: [B, A], executables: null }));
    const [none, some] = [imageOfFiles(null), imageOfFiles(list)];
    expect(none.settings).toEqual({ guard_file_rules: 0 });
    expect(none.without).toEqual(["guard_load_data", "guard_exec", "guard_mmap"]);
    expect(some.settings).toMatchObject({ guard_file_rules: RULES.modules, guard_module_count: 2 });
    expect(some.without).toEqual(["guard_exec", "guard_mmap"]);
    const byTicket = imageOfFiles(
      parseFileList(encodeFileList({ modules: [], executables: null, modulesByTicket: true })),
    );
    expect(byTicket.settings.guard_file_rules).toBe(RULES.modules | MODULES_BY_TICKET);
    expect(Buffer.from(some.contents.guard_modules!).toString("hex")).toBe(A + B);
  });

  it("has the rules and the size of digests of guard/interface.h", () => {
    const header = new CHeader(readFileSync(own("src/seal/guard/interface.h"), "utf8"));
    expect(header.struct("file_digest").size).toBe(DIGEST_SIZE);
    expect([header.constant("GUARD_RULE_MODULES"), header.constant("GUARD_RULE_EXECUTABLES")]).toEqual(
      Object.values(RULES),
    );
    expect(header.constant("GUARD_RULE_MODULES_BY_TICKET")).toBe(MODULES_BY_TICKET);
  });
});

function word(bytes: Buffer, at: number, value: number): Buffer {
  bytes.writeUInt32LE(value, at);
  return bytes;
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof CountersignError) return error.code;
    throw error;
  }
  return "no error";
}
