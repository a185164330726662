import { createHash } from "node:crypto";
import { CLASSES_SIZE } from "../../src/seal/classes/class-table.js";
import { HEADER, HEADER_SIZE } from "../../src/seal/list/list-header.js";
import { type ListEntry, type ListMap, type ListOrigin, referenceDigest } from "../../src/seal/list.js";

export const ORIGIN: ListOrigin = {
  generation: 7n,
  kernelBtf: "b1".repeat(32),
  configuration: "c2".repeat(32),
  release: "6.12.118+deb13-cloud-amd64",
};

/** BPF_PROG_TYPE_SCHED_CLS, TRACING and BPF_TRACE_FENTRY. */
export const SCHED_CLS = 3;
export const TRACING = 26;
export const FENTRY = 24;

export const HASH_MAP: ListMap = {
  ...{ mapExtra: 0n, mapType: 1, keySize: 4, valueSize: 8, maxEntries: 0, mapFlags: 0 },
  ...{ contents: null, settings: [], inner: null },
};
export const RODATA: ListMap = {
  ...{ mapExtra: 0n, mapType: 2, keySize: 4, valueSize: 64, maxEntries: 1, mapFlags: 128, inner: null },
  contents: "d3".repeat(32),
  settings: [
    { offset: 0, size: 4 },
    { offset: 8, size: 8 },
  ],
};
export const OUTER: ListMap = {
  ...{ mapExtra: 0n, mapType: 12, keySize: 4, valueSize: 4, maxEntries: 2, mapFlags: 0, contents: null, settings: [] },
  inner: { mapType: 2, keySize: 4, valueSize: 4, maxEntries: 9, mapFlags: 0 },
};

export function entry(digest: number, maps: readonly ListMap[] = [], more: Partial<ListEntry> = {}): ListEntry {
  const references = maps.map((_, map) => ({ map, offset: 0 }));
  return {
    digest: Buffer.alloc(32, digest).toString("hex"),
    ...{ progType: SCHED_CLS, expectedAttachType: 0, attachBtfId: 0, progFlags: 0, gplCompatible: true },
    maps: { references: references.length, digest: referenceDigest(references), maps },
    ...more,
  };
}

/** A list file with other tables and classes, whose header is right about their digests. */
export function withTablesDigest(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const sha256 = (part: Uint8Array) => createHash("sha256").update(part).digest();
  const end = changed.length - CLASSES_SIZE;
  changed.set(sha256(changed.subarray(HEADER_SIZE, end)), HEADER.tables);
  changed.set(sha256(changed.subarray(end)), HEADER.classes);
  return changed;
}
