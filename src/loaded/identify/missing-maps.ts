import { INSN_SIZE, OP } from "../../bpf/insn/insn.js";
import type { MapReport } from "../model/objects.js";
import type { KnownMap, KnownProgram, KnownReference } from "./known-program.js";

/** Instructions of a known program whose loader did not create all of its maps. */
export interface WithoutMaps {
  readonly insns: Uint8Array;
  readonly references: readonly KnownReference[];
}

/** Maximum number of choices of maps that are tried for one known program. */
const CHOICES = 64;

/**
 * The instructions that libbpf loads if it did not create some of the maps that a program refers to, as tools do with
 * `bpf_map__set_autocreate`. `used` are the maps of the loaded program: the kernel counts all that its instructions
 * refer to. Maps without a namesake among them are left out first.
 */
export function* withoutMaps(
  { insns, references }: KnownProgram,
  used: readonly MapReport[],
): Generator<WithoutMaps, void, void> {
  if (insns === null || references === null) return;
  const maps = [...new Set(references.map(({ map }) => map))];
  if (maps.some(({ index }) => index === null)) return;
  const wanted = maps.filter((map) => !used.some((report) => isNamesake(map, report)));
  for (const missing of choices(maps, wanted)) {
    const rest = maps.length - missing.size;
    if (rest > used.length) continue;
    yield {
      insns: poisoned(insns, references, missing),
      references: references.filter(({ map }) => !missing.has(map)),
    };
  }
}

/** libbpf puts the name of the object before those of its global data; the kernel keeps 15 characters. */
function isNamesake({ name, type }: KnownMap, report: MapReport): boolean {
  if (type !== report.type) return false;
  return name.startsWith(".") ? report.name.includes(name.slice(0, 4)) : name.startsWith(report.name);
}

function* choices(maps: readonly KnownMap[], first: readonly KnownMap[]): Generator<ReadonlySet<KnownMap>, void, void> {
  if (first.length > 0) yield new Set(first);
  const all = maps.length > 30 ? CHOICES : Math.min(CHOICES, 2 ** maps.length - 1);
  for (let choice = 1; choice <= all; choice++)
    yield new Set(maps.filter((_, index) => index < 30 && (choice & (1 << index)) !== 0));
}

/** POISON_LDIMM64_MAP_BASE of libbpf.c. */
const MISSING_MAP = 2_001_000_000;

/** Both slots of each reference to a map that is missing become calls that name its index (poison_map_ldimm64). */
function poisoned(
  insns: Uint8Array,
  references: readonly KnownReference[],
  missing: ReadonlySet<KnownMap>,
): Uint8Array {
  const bytes = new Uint8Array(insns);
  const view = new DataView(bytes.buffer);
  for (const { map, slot } of references) {
    if (!missing.has(map)) continue;
    for (const at of [slot * INSN_SIZE, (slot + 1) * INSN_SIZE]) {
      view.setUint32(at, OP.CALL, true);
      view.setUint32(at + 4, MISSING_MAP + map.index!, true);
    }
  }
  return bytes;
}
