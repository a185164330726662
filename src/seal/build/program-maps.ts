import { createHash } from "node:crypto";
import type { StatedMap, StatedProgram, StatementContent } from "../../bpf/statement.js";
import { settingsOf } from "../../bpf/statement.js";
import { reportedMapFlags } from "../../bpf/tables/map-flags.js";
import { MAP_TYPES } from "../../bpf/tables/names.gen.js";
import {
  type ListMap,
  MAX_MAPS,
  MAX_SETTINGS,
  type MapNumbers,
  type ProgramMaps,
  type SettingRange,
} from "../list/list-entry.js";
import { referenceDigest } from "../list/reference-digest.js";

/** The maps of a program, or why no list can have them. */
export type FoundMaps = { readonly maps: ProgramMaps } | { readonly why: string };

/**
 * The maps of a program as the kernel has them. With `openSettings`, a loader may give variables of read-only data
 * other values; without, they must be as the object declares them.
 */
export function programMaps(content: StatementContent, program: StatedProgram, openSettings: boolean): FoundMaps {
  const numbers = new Map<number, number>();
  const references = program.map_references.map(({ map, offset }) => {
    if (!numbers.has(map)) numbers.set(map, numbers.size);
    return { map: numbers.get(map)!, offset: offset ?? 0 };
  });
  if (numbers.size > MAX_MAPS) return { why: `it has ${numbers.size} maps, where ${MAX_MAPS} is the most` };
  const settings = settingsOf(content);
  const maps: ListMap[] = [];
  for (const index of numbers.keys()) {
    const stated = content.program.object.maps[index]!;
    const variables = settings.filter(({ kind, map, fixed }) => kind === "variable" && map === index && fixed === null);
    const ranges = openSettings ? merged(variables) : [];
    if (ranges.length > MAX_SETTINGS)
      return { why: `\`${stated.name}\` has settings in ${ranges.length} ranges, where ${MAX_SETTINGS} is the most` };
    const other = settings.find(({ map, fixed, declared }) => map === index && fixed !== null && fixed !== declared);
    if (other !== undefined) return { why: `the signer fixed \`${other.name}\` to another value than the object has` };
    const contents = contentsOf(stated, ranges);
    maps.push({
      ...numbersOf(stated),
      mapExtra: BigInt(stated.map_extra),
      contents,
      settings: contents === null ? [] : ranges,
      inner: stated.inner === null ? null : numbersOf(stated.inner),
    });
  }
  return { maps: { references: references.length, digest: referenceDigest(references), maps } };
}

/** Ranges that touch each other become one. */
function merged(ranges: readonly SettingRange[]): readonly SettingRange[] {
  const found: { offset: number; size: number }[] = [];
  for (const { offset, size } of [...ranges].sort((a, b) => a.offset - b.offset)) {
    const last = found.at(-1);
    if (last === undefined || offset > last.offset + last.size) found.push({ offset, size });
    else last.size = Math.max(last.size, offset + size - last.offset);
  }
  return found;
}

/** The SHA-256 of read-only data with its open settings zeroed, in hex; null for a map of another kind. */
function contentsOf({ data, kind }: StatedMap, open: readonly SettingRange[]): string | null {
  if (kind !== "rodata" || data === null) return null;
  const bytes = Buffer.from(data, "base64");
  for (const { offset, size } of open) bytes.fill(0, offset, offset + size);
  return createHash("sha256").update(bytes).digest("hex");
}

function numbersOf({ type, key_size, value_size, max_entries, map_flags }: Omit<StatedMap, "inner">): MapNumbers {
  return {
    mapType: type,
    keySize: key_size,
    valueSize: value_size,
    maxEntries: RINGS.has(type) ? ringSize(max_entries) : max_entries,
    mapFlags: reportedMapFlags(MAP_TYPES[type] ?? "", map_flags),
  };
}

/**
 * BPF_MAP_TYPE_RINGBUF and USER_RINGBUF, whose size libbpf rounds up to a power of two of pages (adjust_ringbuf_sz).
 */
const RINGS: ReadonlySet<number> = new Set([27, 31]);
const PAGE = 4096;

function ringSize(entries: number): number {
  if (entries === 0) return 0;
  let size = PAGE;
  while (size < entries) size *= 2;
  return size <= 0xffffffff ? size : entries;
}
