import type { SettingValue } from "../statement/content.js";
import { readValue } from "../statement/setting-value.js";
import type { DeclaredSetting } from "../statement/settings.js";
import { MAP_TYPES, PROGRAM_TYPES } from "../tables/names.gen.js";
import type { ProgramChoice } from "./attach.js";
import type { LiveMap, LiveProgramLoad } from "./live-load.js";
import { Differs, differInMap } from "./properties.js";
import type { ExpectedProgram, StatedMapForm } from "./stated-program.js";

/** A value that the loader chose between opening the object and loading it. */
export interface RecognisedSetting {
  readonly name: string;
  readonly kind: DeclaredSetting["kind"] | "attach_target" | "type" | "flags";
  /** C type of a variable; null for others. */
  readonly type: string | null;
  readonly value: SettingValue;
  readonly declared: SettingValue | null;
}

interface Chosen {
  /** The kernel's maps by the index of the stated map. */
  readonly assigned: ReadonlyMap<number, LiveMap>;
  readonly missing: ReadonlySet<number>;
  readonly load: LiveProgramLoad;
  readonly choice: ProgramChoice;
}

/**
 * The settings of the maps that the program uses, and what the statement opens. Everything else of read-only data is as
 * stated, and settings that the signer fixed have their value. Throws Differs.
 */
export function chosenSettings(expected: ExpectedProgram, chosen: Chosen): readonly RecognisedSetting[] {
  const { object } = expected;
  const found: RecognisedSetting[] = [];
  for (const [index, settings] of object.settings) {
    const map = chosen.assigned.get(index);
    if (map === undefined && !chosen.missing.has(index)) continue;
    for (const setting of settings) {
      const value = chosenValue(setting, map, object.content.program.object.byte_order);
      if (value === null) continue;
      const fixed = object.fixed.get(`${setting.kind} ${setting.name}`);
      if (fixed !== undefined && fixed !== value)
        throw new Differs({ property: setting.name, expected: String(fixed), found: String(value) });
      const { name, kind, type, declared } = setting;
      found.push({ name, kind, type, value, declared });
    }
  }
  for (const index of chosen.missing)
    if (!(object.settings.get(index) ?? []).some(({ kind }) => kind === "autocreate"))
      differInMap(object.maps[index]!.name, "map", "a map", "none");
  for (const [index, map] of chosen.assigned) {
    const stated = object.maps[index]!;
    if (stated.data !== null) compareData(expected, index, stated, map);
    if (expected.opensMap(stated.name, "type"))
      found.push(opened(`${stated.name}.type`, "type", nameOf(MAP_TYPES, map.type), nameOf(MAP_TYPES, stated.type)));
  }
  return [...found, ...openedOfProgram(expected, chosen)];
}

/** Null where the value is not known: that of a map that is not created. */
function chosenValue(
  { kind, offset, size, scalar }: DeclaredSetting,
  map: LiveMap | undefined,
  order: "little" | "big",
): SettingValue | null {
  if (kind === "autocreate") return map === undefined ? 0 : 1;
  if (map === undefined) return null;
  switch (kind) {
    case "variable":
      return readValue(map.contents!.subarray(offset, offset + size), scalar, order);
    case "max_entries":
      return map.maxEntries;
    case "value_size":
      return map.valueSize;
    case "key_size":
      return map.keySize;
  }
}

/** Requires that all bytes outside of settings are as stated, padding included. */
function compareData({ object }: ExpectedProgram, index: number, { name, data }: StatedMapForm, map: LiveMap): void {
  const found = map.contents!;
  if (found.length !== data!.length) differInMap(name, "contents", `${data!.length} bytes`, `${found.length} bytes`);
  const masked = new Uint8Array(found);
  for (const { kind, offset, size } of object.settings.get(index) ?? [])
    if (kind === "variable") masked.set(data!.subarray(offset, offset + size), offset);
  if (Buffer.compare(masked, data!) === 0) return;
  const at = masked.findIndex((byte, place) => byte !== data![place]);
  differInMap(name, "contents", `${data![at]} at byte ${at}`, String(masked[at]));
}

function openedOfProgram({ program, opens }: ExpectedProgram, { load, choice }: Chosen): RecognisedSetting[] {
  const found: RecognisedSetting[] = [];
  const { name, btfId } = load.attach;
  if (opens("attach-target"))
    found.push(opened("attach_target", "attach_target", name ?? `type ${btfId}`, program.attach_target));
  if (opens("type=ext")) {
    const type = nameOf(PROGRAM_TYPES, program.type);
    found.push(opened("type", "type", choice.asExtension ? "ext" : type, type));
  }
  if (opens("flags=xdp_has_frags")) found.push(opened("flags", "flags", load.flags, program.flags));
  return found;
}

function opened(
  name: string,
  kind: RecognisedSetting["kind"],
  value: SettingValue,
  declared: SettingValue | null,
): RecognisedSetting {
  return { name, kind, type: null, value, declared };
}

function nameOf(names: readonly string[], value: number): string {
  return names[value] ?? String(value);
}
