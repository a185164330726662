import { describe, expect, it } from "vitest";
import { CLASSES_SIZE } from "../../../../src/seal/classes/class-table.js";
import { ENTRY_SIZE, RECORD_SIZE } from "../../../../src/seal/list/list-entry.js";
import { HEADER_SIZE } from "../../../../src/seal/list/list-header.js";
import { encodeList, parseList, referenceDigest, requireKernel } from "../../../../src/seal/list.js";
import { rejection } from "../../../support/rejection.js";
import { entry, FENTRY, HASH_MAP, ORIGIN, OUTER, RODATA, TRACING } from "../../../support/seal-list.js";

const traced = entry(3, [], { progType: TRACING, expectedAttachType: FENTRY, attachBtfId: 4711, gplCompatible: false });

describe("a list", () => {
  it("is read as it was written", () => {
    const entries = [entry(1), entry(2, [HASH_MAP, RODATA]), traced, entry(9, [OUTER])];
    const list = parseList(encodeList(entries, ORIGIN));
    expect(list.entries).toEqual(entries);
    expect(list.header).toMatchObject({ ...ORIGIN, entries: 4, records: 6 });
  });

  it("is empty if no program may load", () => {
    const bytes = encodeList([], ORIGIN);
    expect(bytes.length).toBe(HEADER_SIZE + CLASSES_SIZE);
    expect(parseList(bytes).entries).toEqual([]);
  });

  it("has the classes and the mask of its configuration", () => {
    const device = { type: 15, attachTypes: [0, 6], helpers: [], mapTypes: [], instructions: 64, maps: 0 };
    const bind = { type: 18, attachTypes: [0, 8, 9], helpers: [1, 211], mapTypes: [1, 2], instructions: 9, maps: 64 };
    const classes = { admit: [device, bind], mask: { types: [2, 31], helpers: [36, 255 - 44] } };
    expect(parseList(encodeList([entry(1)], ORIGIN, classes)).classes).toEqual(classes);
    expect(parseList(encodeList([entry(1)], ORIGIN)).classes).toEqual({ admit: [], mask: { types: [], helpers: [] } });
  });

  it("is the same file for the same programs in any order, each once", () => {
    const [a, b, c] = [entry(1, [RODATA]), entry(2, [HASH_MAP]), entry(2, [RODATA])];
    const bytes = encodeList([a, b, c], ORIGIN);
    expect(encodeList([c, a, b, a, c], ORIGIN)).toEqual(bytes);
    expect(parseList(bytes).header).toMatchObject({ entries: 3, records: 4 });
  });

  it("has one record for programs with equal maps, and alternatives for one program with several", () => {
    const bytes = encodeList([entry(1, [RODATA]), entry(2, [RODATA])], ORIGIN);
    expect(bytes.length).toBe(HEADER_SIZE + 2 * ENTRY_SIZE + 2 * RECORD_SIZE + CLASSES_SIZE);
    const eight = Array.from({ length: 8 }, (_, valueSize) => entry(1, [{ ...HASH_MAP, valueSize }]));
    expect(parseList(encodeList(eight, ORIGIN)).entries).toHaveLength(8);
    expect(rejection(() => encodeList([...eight, entry(1)], ORIGIN))).toMatchObject({
      code: "SEAL_LIST_UNSUPPORTED",
      message: expect.stringContaining("has more than 8 sets of maps"),
    });
  });

  it("cuts the release at a whole character", () => {
    const release = `${"x".repeat(63)}ö`;
    expect(parseList(encodeList([], { ...ORIGIN, release })).header.release).toBe("x".repeat(63));
  });

  it("is for one kernel", () => {
    const list = parseList(encodeList([], ORIGIN));
    requireKernel(list, ORIGIN.kernelBtf, "6.12");
    expect(rejection(() => requireKernel(list, "00".repeat(32), "7.3"))).toMatchObject({
      code: "SEAL_LIST_OTHER_KERNEL",
      message: "it was built for the kernel 6.12.118+deb13-cloud-amd64, and this is 7.3",
    });
  });

  it("digests references by the number of the map and the offset", () => {
    expect(referenceDigest([])).toBe("00".repeat(32));
    const [one, other] = [referenceDigest([{ map: 0, offset: 4 }]), referenceDigest([{ map: 0, offset: 8 }])];
    expect(one).not.toBe(other);
    // printf '\0\0\0\0\4\0\0\0' | sha256sum
    expect(one).toBe("1b03ab083d0fb41e44d480f48d5bba181c623c0594bda1aa8ea71a3b67dbf3b1");
  });
});
