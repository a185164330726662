import { describe, expect, it } from "vitest";
import { LINK_SIZE, linkReport, textPlace } from "../../../../src/loaded/views/link-report.js";
import { MAP_SIZE, mapReport } from "../../../../src/loaded/views/map-report.js";
import { PROGRAM_FIELDS, PROGRAM_SIZE, programReport } from "../../../../src/loaded/views/program-report.js";

/** A report with 32-bit words at these offsets. */
function report(size: number, words: Readonly<Record<number, number>>, texts: Readonly<Record<number, string>> = {}) {
  const info = new DataView(new ArrayBuffer(size));
  for (const [offset, word] of Object.entries(words)) info.setUint32(Number(offset), word, true);
  for (const [offset, text] of Object.entries(texts))
    new Uint8Array(info.buffer).set(Buffer.from(text), Number(offset));
  return info;
}

describe("a report of a program", () => {
  it("has its type, name, tag, time, user, maps and sizes", () => {
    const at = PROGRAM_FIELDS;
    const words = {
      ...{ [at.type]: 3, [at.id]: 37, [at.created_by_uid]: 1000, [at.nr_map_ids]: 2, [at.load_time]: 5, 84: 1 },
      ...{ [at.btf_id]: 9, [at.xlated_prog_len]: 64, [at.jited_prog_len]: 80, [at.verified_insns]: 8, [at.run_cnt]: 4 },
    };
    const info = report(PROGRAM_SIZE, words, { [at.name]: "limit", [at.tag]: "12345678" });
    expect(programReport(info, [4, 6])).toEqual({
      ...{ id: 37, type: "sched_cls", name: "limit", tag: "3132333435363738", loadTime: 5n, uid: 1000 },
      ...{ gplCompatible: true, maps: [4, 6], btfId: 9, loadedFor: null, translated: 64, jited: 80, verifiedInsns: 8 },
      ...{ runs: { count: 4n, nanoseconds: 0n }, device: null },
    });
  });

  it("has the device and the type that it was loaded for, and `unknown` for a type that is newer", () => {
    const at = PROGRAM_FIELDS;
    const words = {
      [at.type]: 999,
      [at.ifindex]: 2,
      [at.netns_ino]: 77,
      [at.attach_btf_id]: 5,
      [at.attach_btf_obj_id]: 1,
    };
    expect(programReport(report(PROGRAM_SIZE, words), [])).toMatchObject({
      ...{ type: "unknown", name: "", btfId: null, device: { ifindex: 2, netns: 77n } },
      loadedFor: { btfObject: 1, btfId: 5 },
    });
  });
});

describe("a report of a map", () => {
  it("has its sizes, its type and whether it is frozen", () => {
    const info = report(MAP_SIZE, { 0: 1, 4: 5, 8: 4, 12: 16, 16: 1024, 20: 128 }, { 24: "buckets" });
    expect(mapReport(info, "pos:\t0\nfrozen:\t1\n")).toEqual({
      ...{ id: 5, type: "hash", name: "buckets", keySize: 4, valueSize: 16, maxEntries: 1024, flags: 128 },
      ...{ frozen: true, btfId: null, kernelType: null, device: null },
    });
    expect(mapReport(info, "frozen:\t0\n").frozen).toBe(false);
    expect(mapReport(info, null).frozen).toBeNull();
  });
});

describe("a report of a link", () => {
  const link = (words: Readonly<Record<number, number>>, text: string | null = null) => {
    const bytes = text === null ? null : Buffer.from(`${text}\0rest`);
    return linkReport(report(LINK_SIZE, words), bytes);
  };

  it("has the fields of its type", () => {
    expect(link({ 0: 3, 4: 9, 8: 37, 16: 4321, 24: 0 })).toEqual({
      ...{ id: 9, type: "cgroup", program: 37 },
      target: { cgroup_id: 4321n, attach_type: "cgroup_inet_ingress" },
    });
    expect(link({ 0: 10, 4: 9, 8: 37, 16: 2, 20: 1, 24: -128 >>> 0 }).target).toEqual({
      ...{ pf: 2, hooknum: 1, priority: -128, flags: 0 },
    });
    expect(link({ 0: 9, 16: 12 })).toEqual({ id: 0, type: "struct_ops", program: null, target: { map_id: 12 } });
  });

  it("has the text of its type, up to its NUL, or null if it is unknown", () => {
    expect(link({ 0: 1, 8: 3 }, "sched_switch").target).toEqual({ tp_name: "sched_switch" });
    expect(link({ 0: 7, 8: 3, 16: 3, 36: 8 }, "vfs_fsync").target).toEqual({
      ...{ event: "kprobe", func_name: "vfs_fsync", offset: 8 },
    });
    expect(link({ 0: 4, 28: 7 }, "bpf_map_elem").target).toEqual({ target_name: "bpf_map_elem", map_id: 7 });
    expect(link({ 0: 4 }).target).toEqual({ target_name: null });
  });

  it("asks for a text only where its type has one", () => {
    expect(textPlace(report(LINK_SIZE, { 0: 6 }))).toBeNull();
    expect(textPlace(report(LINK_SIZE, { 0: 12 }))).toEqual({ name: "path", address: 16, length: 48 });
    expect(textPlace(report(LINK_SIZE, { 0: 7, 16: 0 }))).toBeNull();
  });

  it("has no fields if its type is newer", () => {
    expect(link({ 0: 99, 4: 1, 8: 2 })).toEqual({ id: 1, type: "unknown", program: 2, target: {} });
    expect(link({ 0: 7, 16: 99 }).target).toEqual({});
  });
});
