import { ATTACH_TYPES, MAP_TYPES, PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import { CountersignError } from "../../error.js";
import {
  DIGEST_SIZE,
  decodeEntry,
  decodeMap,
  ENTRY,
  ENTRY_SIZE,
  KEY_SIZE,
  type ListEntry,
  MAP,
  MAX_ALTERNATIVES,
  MAX_MAPS,
  MAX_SETTINGS,
  RECORD_SIZE,
  REFERENCES,
  REFERENCES_SIZE,
} from "./list-entry.js";
import type { ListTables } from "./list-tables.js";

/**
 * Decodes the tables of a list, and requires that they are what `encodeTables` writes, so that one set of programs has
 * one list. Throws SEAL_LIST_MALFORMED; SEAL_LIST_UNSUPPORTED for numbers that this version does not know.
 */
export function decodeTables({ entries, records }: ListTables): readonly ListEntry[] {
  const groups = new Groups(records);
  const decoded: ListEntry[] = [];
  for (let at = 0; at < entries.length; at += ENTRY_SIZE) {
    const place = `entry ${at / ENTRY_SIZE}`;
    const bytes = entries.subarray(at, at + ENTRY_SIZE);
    requireOrder(entries, at, place);
    requireKnown(bytes, place);
    const maps = groups.at(bytes.readUInt32LE(ENTRY.maps), place);
    decoded.push(decodeEntry(bytes, maps));
  }
  groups.requireComplete();
  return decoded;
}

function requireOrder(entries: Buffer, at: number, place: string): void {
  if (at === 0) return;
  const before = entries.subarray(at - ENTRY_SIZE, at);
  const order = Buffer.compare(before, entries.subarray(at, at + ENTRY_SIZE));
  if (order === 0) throw malformed(place, "is the same as the entry before it");
  if (order > 0) throw malformed(place, "is not in the order of the entries' bytes");
  const first = at - MAX_ALTERNATIVES * ENTRY_SIZE;
  if (first >= 0 && entries.compare(entries, first, first + KEY_SIZE, at, at + KEY_SIZE) === 0)
    throw malformed(place, `is one of more than ${MAX_ALTERNATIVES} for the same program`);
}

/** BPF_PROG_TYPE_STRUCT_OPS, whose expected attach type is the index of a member. */
const STRUCT_OPS = 27;
/** BPF_PROG_TYPE_TRACING, STRUCT_OPS, EXT and LSM, which have an attach target in the kernel's BTF. */
const HAS_TARGET: ReadonlySet<number> = new Set([26, STRUCT_OPS, 28, 29]);
/** Flags of BPF_PROG_LOAD up to BPF_F_TEST_REG_INVARIANTS, and BPF_F_TOKEN_FD. */
const PROG_FLAGS = 0x100ff;

function requireKnown(bytes: Buffer, place: string): void {
  const number = (at: number) => bytes.readUInt32LE(at);
  const type = number(ENTRY.prog_type);
  if (type === 0 || PROGRAM_TYPES[type] === undefined) throw unsupported(place, `has the unknown program type ${type}`);
  const attachType = number(ENTRY.expected_attach_type);
  if (type !== STRUCT_OPS && ATTACH_TYPES[attachType] === undefined)
    throw unsupported(place, `has the unknown attach type ${attachType}`);
  if (number(ENTRY.attach_btf_id) !== 0 && !HAS_TARGET.has(type))
    throw malformed(place, `has an attach target, which the type ${PROGRAM_TYPES[type]} has not`);
  const flags = number(ENTRY.prog_flags);
  if ((flags & ~PROG_FLAGS) !== 0) throw unsupported(place, `has unknown flags in ${flags}`);
  if (number(ENTRY.gpl_compatible) > 1) throw malformed(place, "says neither 0 nor 1 of the licence");
}

/** The records, in groups: the references of a program, then its maps. Entries that have equal maps share a group. */
class Groups {
  /** By the index of its first record, with the index of the next group. */
  readonly #groups = new Map<number, { readonly maps: ListEntry["maps"]; readonly next: number }>();

  constructor(private readonly records: Buffer) {}

  at(index: number, place: string): ListEntry["maps"] {
    const known = this.#groups.get(index);
    if (known !== undefined) return known.maps;
    const references = this.#record(index, place);
    const count = references.readUInt32LE(REFERENCES.maps);
    const total = references.readUInt32LE(REFERENCES.references);
    const record = `record ${index}`;
    if (count > MAX_MAPS) throw malformed(record, `has ${count} maps, where ${MAX_MAPS} is the most`);
    if (count > total || (count === 0) !== (total === 0))
      throw malformed(record, `has ${count} maps for ${total} references`);
    const digest = references.toString("hex", REFERENCES.digest, REFERENCES.digest + DIGEST_SIZE);
    if (total === 0 && /[^0]/.test(digest)) throw malformed(record, "has a digest of no references");
    if (references.subarray(REFERENCES_SIZE).some((byte) => byte !== 0))
      throw malformed(record, "has bytes after its end");
    const maps = Array.from({ length: count }, (_, number) => {
      const at = index + 1 + number;
      return checkedMap(this.#record(at, `record ${index}`), `record ${at}`);
    });
    const group = { maps: { references: total, digest, maps }, next: index + 1 + count };
    this.#groups.set(index, group);
    return group.maps;
  }

  /** Requires that each record is in one group, and that no two groups are equal. */
  requireComplete(): void {
    let next = 0;
    let before: Buffer | null = null;
    while (next < this.records.length / RECORD_SIZE) {
      const group = this.#groups.get(next);
      if (group === undefined) throw malformed(`record ${next}`, "is of no entry");
      const bytes = this.records.subarray(next * RECORD_SIZE, group.next * RECORD_SIZE);
      if (before !== null && before.toString("latin1") >= bytes.toString("latin1"))
        throw malformed(`record ${next}`, "is not in the order of the records' bytes");
      before = bytes;
      this.#groups.delete(next);
      next = group.next;
    }
    const [inside] = this.#groups.keys();
    if (inside !== undefined) throw malformed(`record ${inside}`, "is a part of the records of two programs");
  }

  #record(index: number, place: string): Buffer {
    const at = index * RECORD_SIZE;
    if (at + RECORD_SIZE > this.records.length)
      throw malformed(place, `names the record ${index}, which does not exist`);
    return this.records.subarray(at, at + RECORD_SIZE);
  }
}

/** BPF_MAP_TYPE_ARRAY, ARRAY_OF_MAPS and HASH_OF_MAPS; BPF_F_RDONLY_PROG. */
const ARRAY = 2;
const OUTER: ReadonlySet<number> = new Set([12, 13]);
const RDONLY_PROG = 1 << 7;

function checkedMap(bytes: Buffer, place: string): ListEntry["maps"]["maps"][number] {
  const map = decodeMap(bytes);
  const { mapType, contents, settings, inner, valueSize, maxEntries, mapFlags } = map;
  if (mapType === 0 || MAP_TYPES[mapType] === undefined)
    throw unsupported(place, `has the unknown map type ${mapType}`);
  if (inner !== null && MAP_TYPES[inner.mapType] === undefined)
    throw unsupported(place, `has the unknown inner map type ${inner.mapType}`);
  if (inner !== null && !OUTER.has(mapType)) throw malformed(place, `is a ${MAP_TYPES[mapType]} map with an inner map`);
  if (inner === null && bytes.subarray(MAP.inner_map_type, MAP.reserved).some((byte) => byte !== 0))
    throw malformed(place, "has sizes of no inner map");
  if (bytes.readUInt32LE(MAP.reserved) !== 0) throw malformed(place, "has reserved bytes that are not zero");
  if (bytes.readUInt32LE(MAP.frozen) > 1) throw malformed(place, "says neither 0 nor 1 of `frozen`");
  if (contents === null) {
    if (bytes.subarray(MAP.contents, RECORD_SIZE).some((byte) => byte !== 0))
      throw malformed(place, "has contents, although it is not frozen");
    return map;
  }
  if (mapType !== ARRAY || maxEntries !== 1 || (mapFlags & RDONLY_PROG) === 0 || valueSize === 0)
    throw malformed(place, "has contents, although it is no read-only array of one element");
  requireRanges(bytes, settings.length, valueSize, place);
  return map;
}

/** Requires that ranges ascend, do not touch each other, are in the value, and that no range follows an unused one. */
function requireRanges(bytes: Buffer, used: number, valueSize: number, place: string): void {
  let end = -1;
  for (let index = 0; index < MAX_SETTINGS; index++) {
    const offset = bytes.readUInt32LE(MAP.settings + 8 * index);
    const size = bytes.readUInt32LE(MAP.settings + 8 * index + 4);
    if (index >= used) {
      if (offset !== 0 || size !== 0) throw malformed(place, `has the range ${index} after an unused one`);
      continue;
    }
    if (size === 0 || offset <= end || offset + size > valueSize)
      throw malformed(place, `has the range ${index} of ${size} bytes at ${offset} outside of its place`);
    end = offset + size;
  }
}

function malformed(place: string, message: string): CountersignError {
  return new CountersignError("SEAL_LIST_MALFORMED", message, { place, remedy: BUILD_AGAIN });
}

function unsupported(place: string, message: string): CountersignError {
  return new CountersignError("SEAL_LIST_UNSUPPORTED", message, {
    place,
    remedy: "build and read the list with the same version of Countersign",
  });
}

const BUILD_AGAIN = "build the list again with `countersign seal build`";
