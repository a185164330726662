/**
 * struct list_entry and union list_record of guard/interface.h: what the guard compares with a program. All integers
 * are little-endian. test/unit/seal/list/layout.test.ts compares the layouts with the header.
 */

/** A program that may be loaded. */
export interface ListEntry {
  /** SHA-256 of the instructions in lower-case hex: fds of maps and BTF objects, and offsets into maps, are zero. */
  readonly digest: string;
  /** Numbers of linux/bpf.h. */
  readonly progType: number;
  readonly expectedAttachType: number;
  /** In the BTF of vmlinux; 0 where the type has no target. */
  readonly attachBtfId: number;
  readonly progFlags: number;
  readonly gplCompatible: boolean;
  readonly maps: ProgramMaps;
}

/** The maps of a program: numbered from 0 in the order in which its instructions first refer to them. */
export interface ProgramMaps {
  /** Number of instructions that refer to a map. */
  readonly references: number;
  /** See {@link ReferenceDigest}; 32 zero bytes without references. In lower-case hex. */
  readonly digest: string;
  readonly maps: readonly ListMap[];
}

/** A map as the kernel has it after the load; 0 where the loader may choose key_size, value_size or max_entries. */
export interface ListMap extends MapNumbers {
  readonly mapExtra: bigint;
  /** SHA-256 of the frozen contents with the ranges of settings zeroed, in lower-case hex; null if it is not frozen. */
  readonly contents: string | null;
  /** The ranges that the loader may choose, in bytes, in ascending order. */
  readonly settings: readonly SettingRange[];
  /** The definition of the maps in a map of maps; null if the loader chooses it, and for other types. */
  readonly inner: MapNumbers | null;
}

export interface MapNumbers {
  readonly mapType: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly mapFlags: number;
}

export interface SettingRange {
  readonly offset: number;
  readonly size: number;
}

export const ENTRY_SIZE = 56;
/** Bytes of an entry that are compared with a program: all before the index of its records. */
export const KEY_SIZE = 52;
export const RECORD_SIZE = 216;
/** GUARD_MAX_MAPS, GUARD_ALTERNATIVES and the number of ranges in struct list_map. */
export const MAX_MAPS = 64;
export const MAX_ALTERNATIVES = 8;
export const MAX_SETTINGS = 16;

/** Byte offsets in struct list_entry. */
export const ENTRY = {
  digest: 0,
  prog_type: 32,
  expected_attach_type: 36,
  attach_btf_id: 40,
  prog_flags: 44,
  gpl_compatible: 48,
  maps: 52,
} as const;

/** Byte offsets in struct list_references. */
export const REFERENCES = { maps: 0, references: 4, digest: 8 } as const;
export const REFERENCES_SIZE = 40;

/** Byte offsets in struct list_map. */
export const MAP = {
  map_extra: 0,
  map_type: 8,
  key_size: 12,
  value_size: 16,
  max_entries: 20,
  map_flags: 24,
  frozen: 28,
  inner_map_type: 32,
  inner_key_size: 36,
  inner_value_size: 40,
  inner_max_entries: 44,
  inner_map_flags: 48,
  reserved: 52,
  contents: 56,
  settings: 88,
} as const;

export const DIGEST_SIZE = 32;

/** Encodes an entry whose references are the element `records` of the table of records. */
export function encodeEntry(entry: ListEntry, records: number): Buffer {
  const bytes = Buffer.alloc(ENTRY_SIZE);
  bytes.write(entry.digest, ENTRY.digest, DIGEST_SIZE, "hex");
  bytes.writeUInt32LE(entry.progType, ENTRY.prog_type);
  bytes.writeUInt32LE(entry.expectedAttachType, ENTRY.expected_attach_type);
  bytes.writeUInt32LE(entry.attachBtfId, ENTRY.attach_btf_id);
  bytes.writeUInt32LE(entry.progFlags, ENTRY.prog_flags);
  bytes.writeUInt32LE(entry.gplCompatible ? 1 : 0, ENTRY.gpl_compatible);
  bytes.writeUInt32LE(records, ENTRY.maps);
  return bytes;
}

/** Encodes the records of a program: its references, then its maps. */
export function encodeMaps({ references, digest, maps }: ProgramMaps): Buffer {
  const bytes = Buffer.alloc((1 + maps.length) * RECORD_SIZE);
  bytes.writeUInt32LE(maps.length, REFERENCES.maps);
  bytes.writeUInt32LE(references, REFERENCES.references);
  bytes.write(digest, REFERENCES.digest, DIGEST_SIZE, "hex");
  for (const [index, map] of maps.entries()) encodeMap(bytes.subarray((1 + index) * RECORD_SIZE), map);
  return bytes;
}

function encodeMap(bytes: Buffer, { inner, contents, settings, ...map }: ListMap): void {
  bytes.writeBigUInt64LE(map.mapExtra, MAP.map_extra);
  encodeNumbers(bytes, MAP.map_type, map);
  if (inner !== null) encodeNumbers(bytes, MAP.inner_map_type, inner);
  bytes.writeUInt32LE(contents === null ? 0 : 1, MAP.frozen);
  if (contents !== null) bytes.write(contents, MAP.contents, DIGEST_SIZE, "hex");
  for (const [index, { offset, size }] of settings.entries()) {
    bytes.writeUInt32LE(offset, MAP.settings + 8 * index);
    bytes.writeUInt32LE(size, MAP.settings + 8 * index + 4);
  }
}

/** map_type, key_size, value_size, max_entries and map_flags follow each other, for a map and for its inner map. */
function encodeNumbers(bytes: Buffer, at: number, numbers: MapNumbers): void {
  const { mapType, keySize, valueSize, maxEntries, mapFlags } = numbers;
  for (const [index, value] of [mapType, keySize, valueSize, maxEntries, mapFlags].entries())
    bytes.writeUInt32LE(value, at + 4 * index);
}

export function decodeEntry(bytes: Buffer, maps: ProgramMaps): ListEntry {
  return {
    digest: bytes.toString("hex", ENTRY.digest, ENTRY.digest + DIGEST_SIZE),
    progType: bytes.readUInt32LE(ENTRY.prog_type),
    expectedAttachType: bytes.readUInt32LE(ENTRY.expected_attach_type),
    attachBtfId: bytes.readUInt32LE(ENTRY.attach_btf_id),
    progFlags: bytes.readUInt32LE(ENTRY.prog_flags),
    gplCompatible: bytes.readUInt32LE(ENTRY.gpl_compatible) !== 0,
    maps,
  };
}

export function decodeMap(bytes: Buffer): ListMap {
  const inner = decodeNumbers(bytes, MAP.inner_map_type);
  const settings = Array.from({ length: MAX_SETTINGS }, (_, index) => ({
    offset: bytes.readUInt32LE(MAP.settings + 8 * index),
    size: bytes.readUInt32LE(MAP.settings + 8 * index + 4),
  }));
  return {
    mapExtra: bytes.readBigUInt64LE(MAP.map_extra),
    ...decodeNumbers(bytes, MAP.map_type),
    contents:
      bytes.readUInt32LE(MAP.frozen) === 0 ? null : bytes.toString("hex", MAP.contents, MAP.contents + DIGEST_SIZE),
    settings: settings.filter(({ size }) => size > 0),
    inner: inner.mapType === 0 ? null : inner,
  };
}

function decodeNumbers(bytes: Buffer, at: number): MapNumbers {
  const [mapType, keySize, valueSize, maxEntries, mapFlags] = [0, 4, 8, 12, 16].map((offset) => {
    return bytes.readUInt32LE(at + offset);
  }) as [number, number, number, number, number];
  return { mapType, keySize, valueSize, maxEntries, mapFlags };
}
