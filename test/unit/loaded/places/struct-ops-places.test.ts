import { expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import type { LinkReport, MapReport } from "../../../../src/loaded/model/objects.js";
import { structOpsPlaces } from "../../../../src/loaded/places/struct-ops-places.js";
import { KernelTypes } from "../../../../src/loaded/views/kernel-types.js";
import { readsOf } from "../../../support/answers.js";
import { NO_PROGRAM, usedMap } from "../../../support/translated.js";

const writer = new BtfWriter();
const int = writer.int("int", 4);
const pointer = writer.ptr(writer.proto(int, []));
const structure = writer.struct("tcp_congestion_ops", 32, [
  ["key", int, 0],
  ["ssthresh", pointer, 64],
  ["undo_cwnd", pointer, 128],
]);
const value = writer.struct("bpf_struct_ops_tcp_congestion_ops", 96, [
  ["common", int, 0],
  ["data", structure, 8 * 64],
]);
const bytes = writer.bytes();

/** The key, and the value with these ids in its two pointers. */
function contents(...ids: readonly number[]): Buffer {
  const all = Buffer.alloc(4 + 96);
  for (const [index, id] of ids.entries()) all.writeBigUInt64LE(BigInt(id), 4 + 64 + 8 + 8 * index);
  return all;
}

const map = (given: Partial<MapReport> = {}) =>
  usedMap(4, "struct_ops", { kernelType: { btfObject: 0, btfId: value }, valueSize: 96, ...given }).report;
const programs = [25, 27].map((id) => ({ ...NO_PROGRAM, id, type: "struct_ops" }));
const places = (raw: Buffer | number, of = map(), links: readonly LinkReport[] = []) => {
  const reads = readsOf([
    ["@bpf/btf/1/bytes", bytes],
    ["@bpf/map/4/contents", raw],
  ]);
  return structOpsPlaces(reads, [of], programs, links, new KernelTypes(reads));
};

it("are the functions that have the id of a program", () => {
  expect(places(contents(25, 27))).toEqual([
    { at: "struct_ops", program: 25, map: 4, member: "ssthresh" },
    { at: "struct_ops", program: 27, map: 4, member: "undo_cwnd" },
  ]);
  expect(places(contents(0, 27)).map(({ member }) => member)).toEqual(["undo_cwnd"]);
});

it("are those of a map with BPF_F_LINK only while a link has it", () => {
  const link = (target: number): LinkReport => ({
    id: 3,
    type: "struct_ops",
    program: null,
    target: { map_id: target },
  });
  const byLink = map({ flags: 1 << 13 });
  expect(places(contents(25, 27), byLink)).toEqual([]);
  expect(places(contents(25, 27), byLink, [link(5)])).toEqual([]);
  expect(places(contents(25, 27), byLink, [link(4)])).toHaveLength(2);
});

it("are none of ids that no program of struct_ops has", () => {
  expect(places(contents(26, 2 ** 40))).toEqual([]);
});

it("are none of a map that was not registered, is cut off, has no type, or another one", () => {
  expect(places(-22)).toEqual([]);
  expect(places(contents(25, 27).subarray(0, 70))).toEqual([]);
  expect(places(contents(25, 27), map({ kernelType: null }))).toEqual([]);
  expect(places(contents(25, 27), map({ kernelType: { btfObject: 0, btfId: int } }))).toEqual([]);
  expect(places(contents(25, 27), map({ type: "array" }))).toEqual([]);
});
