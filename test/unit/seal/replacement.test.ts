import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { NO_CLASSES } from "../../../src/seal/classes.js";
import { HEADER, HEADER_SIZE, LIST_MAGIC, LIST_VERSION } from "../../../src/seal/list/list-header.js";
import { classesDigest, encodeList, type ListOrigin, parseList } from "../../../src/seal/list.js";
import { type InForce, LIST_COMMAND, rejectionBy, requireFit } from "../../../src/seal/replacement.js";
import { hash } from "../../../src/trust/base/digest.js";
import { CHeader } from "../../support/c-header.js";
import { rejection } from "../../support/rejection.js";
import { entry, ORIGIN } from "../../support/seal-list.js";
import { own } from "../../support/workplace.js";

const KERNEL = Buffer.from("the BTF of this kernel");
const SIGNATURE = new Uint8Array([1]);
const listOf = (origin: Partial<ListOrigin> = {}) => {
  const bytes = encodeList([entry(1)], { ...ORIGIN, generation: 7n, kernelBtf: hash("sha256", KERNEL), ...origin });
  return { list: parseList(bytes), bytes, signature: SIGNATURE };
};
/** What is in force before a list of `listOf`. */
const inForce = (changes: Partial<InForce> = {}): InForce => ({
  generation: 6n,
  files: { sha256: null },
  classes: { sha256: classesDigest(NO_CLASSES) },
  ...changes,
});
const codeFor = (file: Parameters<typeof requireFit>[0], changes: Partial<InForce> = {}) =>
  rejection(() => requireFit(file, inForce(changes), KERNEL, "6.12\n")) as { readonly code: string };

describe("a new list", () => {
  it("fits this kernel, with a signature and a greater generation", () => {
    expect(() => requireFit(listOf(), inForce(), KERNEL, "6.12\n")).not.toThrow();
  });

  it("does not fit otherwise", () => {
    expect(codeFor(listOf({ kernelBtf: "11".repeat(32) })).code).toBe("SEAL_LIST_OTHER_KERNEL");
    expect(codeFor({ ...listOf(), signature: null }).code).toBe("SEAL_LIST_UNSIGNED");
    for (const generation of [7n, 8n]) expect(codeFor(listOf(), { generation }).code).toBe("SEAL_LIST_OLDER");
  });

  it.for<readonly [string, Partial<InForce>, Partial<ListOrigin>]>([
    ["other classes or another mask", { classes: { sha256: "11".repeat(32) } }, {}],
    ["another list of modules and executables", { files: { sha256: "11".repeat(32) } }, {}],
    ["another list of modules and executables", {}, { files: "11".repeat(32) }],
    ["another list of modules and executables", { files: { sha256: "22".repeat(32) } }, { files: "11".repeat(32) }],
  ])("does not fit with %s", ([what, changes, origin]) => {
    const message = `has ${what} than is in force`;
    expect(codeFor(listOf(origin), changes)).toMatchObject({ code: "SEAL_LIST_OTHER_RULES", message });
  });

  it("fits with the list of files that is in force", () => {
    const files = "11".repeat(32);
    expect(() => requireFit(listOf({ files }), inForce({ files: { sha256: files } }), KERNEL, "6.12\n")).not.toThrow();
  });

  it.each([
    [1, "SEAL_DENIED"],
    [7, "SEAL_LIST_NOT_REPLACED"],
    [14, "SEAL_LIST_NOT_REPLACED"],
    [16, "SEAL_LIST_NOT_REPLACED"],
    [18, "SEAL_LIST_OTHER_KERNEL"],
    [22, "SEAL_LIST_NOT_REPLACED"],
    [33, "SEAL_LIST_OTHER_RULES"],
    [65, "SEAL_LIST_UNSIGNED"],
    [74, "SEAL_LIST_UNSIGNED"],
    [84, "SEAL_LIST_MALFORMED"],
    [95, "SEAL_LIST_NOT_REPLACED"],
    [116, "SEAL_LIST_OLDER"],
    [126, "SEAL_LIST_UNSIGNED"],
    [129, "SEAL_LIST_UNSIGNED"],
  ])("is rejected by the guard with errno %i: %s", (errno, code) => {
    expect(rejectionBy(-errno)).toMatchObject({ code, remedy: expect.stringMatching(/./) });
  });

  it("is passed, and has a header, as guard/interface.h says", () => {
    const header = new CHeader(readFileSync(own("src/seal/guard/interface.h"), "utf8"));
    expect(header.constant("GUARD_COMMAND_LIST")).toBe(LIST_COMMAND.number);
    expect(header.constant("GUARD_LIST_VERSION")).toBe(LIST_VERSION);
    const { offsets, size } = header.struct("guard_list_command");
    expect({ offsets, size }).toEqual({ offsets: LIST_COMMAND.offsets, size: LIST_COMMAND.size });
    const { magic, version, guard_version, generation, entries, records, kernel_btf, tables, configuration, release } =
      header.struct("list_header").offsets;
    expect({ version, generation, entries, records, tables, configuration, release }).toEqual({
      version: HEADER.version,
      generation: HEADER.generation,
      entries: HEADER.entries,
      records: HEADER.records,
      tables: HEADER.tables,
      configuration: HEADER.configuration,
      release: HEADER.release,
    });
    expect([magic, guard_version, kernel_btf]).toEqual([0, HEADER.guardVersion, HEADER.kernelBtf]);
    expect(header.struct("list_header").size).toBe(HEADER_SIZE);
    const text = readFileSync(own("src/seal/guard/interface.h"), "utf8");
    expect(text).toContain(`#define GUARD_LIST_MAGIC ${JSON.stringify(LIST_MAGIC)}`);
  });
});
