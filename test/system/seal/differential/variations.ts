import { settingsOf } from "../../../../src/bpf/statement.js";
import type { ReplayedLoad, ReplayedMap } from "./load-file.js";
import type { ObjectLoad } from "./object-loads.js";

/**
 * How a change counts for a statement:
 *
 * - `none`: the load as the object says, or a change that every statement leaves open;
 * - `setting`: a value that loaders may choose;
 * - `covered`: a property that statements cover and lists compare;
 * - `uncompared`: a property that statements cover and lists do not compare (seal/build/coverage.ts).
 */
export type Counts = "none" | "setting" | "covered" | "uncompared";

/** A load that differs from that of its object in one property. */
export interface Variation {
  readonly property: string;
  readonly counts: Counts;
  readonly load: ReplayedLoad;
}

/** The load itself, and one for each property that can be changed by itself. */
export function variationsOf(of: ObjectLoad): readonly Variation[] {
  const { load } = of;
  return [
    { property: "none", counts: "none", load },
    ...changes(of).flatMap(([property, counts, change]) => {
      return change === null ? [] : [{ property, counts, load: { ...load, ...change } }];
    }),
    ...load.maps.flatMap((map, index) => {
      const isUsed = load.references.some((reference) => reference.map === index);
      return (isUsed ? mapChanges(of, map) : []).flatMap(([property, counts, change]) => {
        if (change === null) return [];
        const maps = load.maps.map((each) => (each === map ? { ...map, ...change } : each));
        return [{ property: `${map.name}.${property}`, counts, load: { ...load, maps } }];
      });
    }),
  ];
}

/** A property, how it counts, and the fields that change; null if the load has no such property. */
type Change<Of> = readonly [property: string, counts: Counts, change: Partial<Of> | null];

const SCHED_CLS = 3;
const SCHED_ACT = 4;
const HASH = 1;
const ARRAY = 2;
const RINGBUF = 27;
/** Types that most programs can use in place of another: lru_hash, percpu_array. */
const OTHER: Readonly<Record<number, number>> = { [HASH]: 9, [ARRAY]: 6 };
/** BPF_F_STRICT_ALIGNMENT, BPF_F_NO_PREALLOC, BPF_F_RDONLY_PROG of linux/bpf.h. */
const STRICT_ALIGNMENT = 1;
const NO_PREALLOC = 1;
const RDONLY_PROG = 1 << 7;

function changes({ load }: ObjectLoad): readonly Change<ReplayedLoad>[] {
  const { license, type, flags, attachBtfId, expectedAttachType } = load;
  const isFree = license === "Proprietary";
  const withoutBtf = load.btf === null || needsBtf(load) ? null : { btf: null, funcInfo: new Uint8Array(0) };
  return [
    ["name", "none", { name: "other" }],
    ["insns", "covered", withOtherConstant(load)],
    ["type", "covered", { type: type === SCHED_CLS ? SCHED_ACT : SCHED_CLS }],
    ["expected_attach_type", "covered", { expectedAttachType: expectedAttachType + 1 }],
    ["attach_target", "covered", attachBtfId === 0 ? null : { attachBtfId: attachBtfId + 1 }],
    ["license", "covered", { license: isFree ? "GPL" : "Proprietary" }],
    ["license, compatible as well", "uncompared", isFree ? null : { license: license === "GPL" ? "GPL v2" : "GPL" }],
    ["prog_flags", "covered", { flags: flags | STRICT_ALIGNMENT }],
    ["core_relos", "covered", { relocation: true }],
    ["btf", "uncompared", withoutBtf],
    ["map", "covered", withOtherMap(load)],
    ["offset", "covered", withOtherOffset(load)],
  ];
}

function mapChanges(of: ObjectLoad, map: ReplayedMap): readonly Change<ReplayedMap>[] {
  if (map.kind === "rodata") return dataChanges(of, map);
  if (map.kind !== "definition") return [];
  const { max_entries: declared } = of.part.object.maps.find(({ name }) => name === map.name)!;
  const untyped = { keyTypeId: 0, valueTypeId: 0 };
  const isHash = map.type === HASH;
  const hasValues = isHash || map.type === ARRAY;
  const maxEntries = map.type === RINGBUF ? 2 * map.maxEntries : map.maxEntries + 1;
  return [
    ["max_entries", declared === 0 ? "setting" : "covered", { maxEntries }],
    ["type", "covered", OTHER[map.type] === undefined ? null : { type: OTHER[map.type]! }],
    ["map_flags", "covered", isHash ? { flags: map.flags ^ NO_PREALLOC } : null],
    ["key_size", "covered", isHash ? { ...untyped, keySize: map.keySize + 4 } : null],
    ["value_size", "covered", hasValues ? { ...untyped, valueSize: map.valueSize + 8 } : null],
  ];
}

function dataChanges({ part }: ObjectLoad, map: ReplayedMap): readonly Change<ReplayedMap>[] {
  const index = part.object.maps.findIndex(({ name }) => name === map.name);
  const all = settingsOf({ version: 1, program: part, rules: { fixed: [], open: [] } });
  const settings = all.filter((setting) => setting.map === index && setting.kind === "variable");
  const isSetting = (at: number) => settings.some(({ offset, size }) => at >= offset && at < offset + size);
  const places = [...map.contents!.keys()];
  const flipped = (at: number | undefined) => {
    return at === undefined ? null : { contents: map.contents!.map((byte, place) => (place === at ? byte ^ 1 : byte)) };
  };
  return [
    ["contents", "covered", flipped(places.find((at) => !isSetting(at)))],
    ["setting", "setting", flipped(places.find(isSetting))],
    ["frozen", "covered", { frozen: false }],
    ["map_flags", "covered", { flags: map.flags & ~RDONLY_PROG }],
  ];
}

/** BPF_MOV | BPF_K of BPF_ALU64 and BPF_ALU, and the first slot of ld_imm64. */
const CONSTANT: ReadonlySet<number> = new Set([0xb7, 0xb4]);
const LD_IMM64 = 0x18;

/** Another constant in the first `r = constant`. */
function withOtherConstant({ insns }: ReplayedLoad): Partial<ReplayedLoad> | null {
  for (let at = 0; at < insns.length; at += insns[at] === LD_IMM64 ? 16 : 8) {
    if (!CONSTANT.has(insns[at]!)) continue;
    const changed = Buffer.from(insns);
    changed.writeInt32LE(changed.readInt32LE(at + 4) ^ 1, at + 4);
    return { insns: changed };
  }
  return null;
}

/** Another instruction refers to the map of the first reference. */
function withOtherMap({ references }: ReplayedLoad): Partial<ReplayedLoad> | null {
  const [first] = references;
  const other = references.find(({ map }) => map !== first?.map);
  if (first === undefined || other === undefined) return null;
  return { references: references.map((each) => (each === other ? { ...other, map: first.map } : each)) };
}

/** A reference into a map's value goes one byte further, or back from its end. */
function withOtherOffset({ references, insns, maps }: ReplayedLoad): Partial<ReplayedLoad> | null {
  const MAP_VALUE = 2;
  const reference = references.find(({ slot }) => insns[8 * slot + 1]! >> 4 === MAP_VALUE);
  const size = reference === undefined ? 0 : maps[reference.map]!.valueSize;
  if (size < 2) return null;
  const changed = Buffer.from(insns);
  const at = 8 * reference!.slot + 12;
  const offset = changed.readUInt32LE(at);
  changed.writeUInt32LE(offset + 1 < size ? offset + 1 : offset - 1, at);
  return { insns: changed };
}

/** Programs with several functions, and maps with types, have no meaning without BTF for some of them. */
function needsBtf({ maps }: ReplayedLoad): boolean {
  return maps.some(({ keyTypeId, valueTypeId }) => keyTypeId !== 0 || valueTypeId !== 0);
}
