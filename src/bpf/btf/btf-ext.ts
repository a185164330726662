import { Bytes } from "../elf/bytes.js";
import { MAX_RELOCATIONS } from "../elf/limits.js";
import { NEWER_FORMAT, TOO_LARGE } from "../elf/remedies.js";
import { INSN_SIZE } from "../insn/insn.js";
import type { Btf } from "./btf.js";

/**
 * Records about instructions: functions, source lines and CO-RE relocations, from `.BTF.ext` or from the arrays of
 * bpf_attr. Each record begins with a u32 `insn_off`, followed by u32 fields.
 */
export class Records {
  constructor(
    readonly bytes: Bytes,
    readonly start: number,
    /** Size of a record in bytes. Records of newer versions can be longer than the known fields. */
    readonly stride: number,
    readonly count: number,
    fields: number,
  ) {
    if (count > 0 && stride < fields * 4)
      throw bytes.error(`a record of ${stride} bytes is shorter than ${fields * 4}`);
    if (start + stride * count > bytes.length)
      throw bytes.error(`${count} records at offset ${start} are beyond its ${bytes.length} bytes`);
  }

  /** `insn_off` of a record as stored: in bytes in `.BTF.ext` and in CO-RE relocations, in slots in bpf_attr. */
  offset(record: number): number {
    return this.bytes.u32(this.start + record * this.stride);
  }

  field(record: number, index: number): number {
    return this.bytes.u32(this.start + record * this.stride + 4 * index);
  }

  /**
   * Index of the last record at or before an offset; -1 if there is none. Records must ascend, as the kernel requires.
   */
  lastBefore(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.offset(middle) <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Number of fields of struct bpf_func_info, bpf_line_info and bpf_core_relo (linux/bpf.h), `insn_off` included. */
export const RECORD_FIELDS = { functions: 2, lines: 4, relocations: 4 } as const;

type Kind = keyof typeof RECORD_FIELDS;

/** Offsets of `off` and `len` of each kind in the header (libbpf's struct btf_ext_header). */
const HEADER: Readonly<Record<Kind, number>> = { functions: 8, lines: 16, relocations: 24 };

/** Section `.BTF.ext` of an object: records by the name of the section that they describe. Throws BTF_MALFORMED. */
export class BtfExt {
  readonly #bytes: Bytes;
  readonly #btf: Btf;
  readonly #read: Partial<Record<Kind, Map<string, Records[]>>> = {};
  readonly #sorted = new Map<string, readonly Place[]>();
  #left = MAX_RELOCATIONS;

  constructor(data: Uint8Array, btf: Btf) {
    this.#bytes = new Bytes(data, btf.order, "BTF_MALFORMED", "section .BTF.ext");
    this.#btf = btf;
    if (this.#bytes.u16(0) !== 0xeb9f) throw this.#bytes.error("is not BTF");
    if (this.#bytes.u8(2) !== 1) throw this.#bytes.error(`version ${this.#bytes.u8(2)} is not 1`, NEWER_FORMAT);
  }

  /** The records about a section, in file order. There are several arrays of them only if sections share a name. */
  of(kind: Kind, section: string): readonly Records[] {
    this.#read[kind] ??= this.#sections(kind);
    return this.#read[kind].get(section) ?? [];
  }

  /** The names of the sections that have records, in file order. */
  sections(kind: Kind): readonly string[] {
    this.#read[kind] ??= this.#sections(kind);
    return [...this.#read[kind].keys()];
  }

  /** The CO-RE relocations of a byte range of a section, sorted by instruction. The file may have them in any order. */
  relocations(section: string, start: number, size: number): readonly Place[] {
    let sorted = this.#sorted.get(section);
    if (sorted === undefined) {
      const runs = this.of("relocations", section);
      this.#left -= runs.reduce((sum, { count }) => sum + count, 0);
      if (this.#left < 0)
        throw this.#bytes.error(`there are more than ${MAX_RELOCATIONS} relocations in it`, TOO_LARGE);
      sorted = lastOfEach(runs.flatMap(placesOf).sort(byOffset));
      this.#sorted.set(section, sorted);
    }
    const found: Place[] = [];
    for (let at = firstFrom(sorted, start); at < sorted.length && sorted[at]!.offset < start + size; at++)
      found.push(sorted[at]!);
    return found;
  }

  #sections(kind: Kind): Map<string, Records[]> {
    const bytes = this.#bytes;
    const found = new Map<string, Records[]>();
    const header = bytes.u32(4);
    const field = HEADER[kind];
    // Older headers lack the fields for relocations.
    if (header < field + 8) return found;
    const size = bytes.u32(field + 4);
    if (size === 0) return found;
    let at = header + bytes.u32(field);
    const end = at + size;
    const stride = bytes.u32(at);
    at += 4;
    let blocks = 0;
    while (at < end) {
      const section = this.#btf.string(bytes.u32(at));
      const count = bytes.u32(at + 4);
      if (count === 0) throw bytes.error(`there are no records for section \`${section}\``);
      if (++blocks > MAX_BLOCKS) throw bytes.error(`there are more than ${MAX_BLOCKS} blocks of records`, TOO_LARGE);
      const records = new Records(bytes, at + 8, stride, count, RECORD_FIELDS[kind]);
      const others = found.get(section);
      if (others === undefined) found.set(section, [records]);
      else if (others.push(records) > MAX_SAME)
        throw bytes.error(`section \`${section}\` has more than ${MAX_SAME} blocks of records`, TOO_LARGE);
      at += 8 + stride * count;
    }
    return found;
  }
}

/** One record about an instruction, and the byte offset of the instruction in its section. */
export interface Place {
  readonly offset: number;
  readonly records: Records;
  readonly record: number;
}

/** Maximum number of record arrays in total, and for sections of one name. An object has one for each section. */
const MAX_BLOCKS = 0x10000;
const MAX_SAME = 16;

const byOffset = (a: Place, b: Place) => a.offset - b.offset;

function placesOf(records: Records): Place[] {
  const places: Place[] = [];
  for (let record = 0; record < records.count; record++)
    places.push({ offset: records.offset(record), records, record });
  return places;
}

/** Keeps the last of several records about one instruction, so that there are no more records than instructions. */
function lastOfEach(sorted: readonly Place[]): readonly Place[] {
  const slot = (place: Place | undefined) => Math.floor((place?.offset ?? -1) / INSN_SIZE);
  return sorted.filter((place, index) => slot(place) !== slot(sorted[index + 1]));
}

function firstFrom(sorted: readonly Place[], offset: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]!.offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `file.c:12` of a line record. The upper 22 bits of line_col are the line. */
export function sourceOf(records: Records, record: number, btf: Btf): string {
  const file = btf.string(records.field(record, 1)).replace(/^\.\//, "");
  return `${file}:${records.field(record, 3) >>> 10}`;
}
