import { CreatedMap, typeName } from "./created-map.js";
import type { MapUse } from "./instructions.js";
import { type KernelConfiguration, kconfigContents } from "./kconfig-contents.js";
import { type LiveMap, type LiveMapDefinition, type LiveProgramLoad, MAX_ROLES } from "./live-load.js";
import { differInMap, type MapProperty } from "./properties.js";
import type { ExpectedProgram, StatedMapForm } from "./stated-program.js";
import { structureIn } from "./type-structure.js";

/**
 * Assigns a map of the kernel to each stated map that the program uses, by index. Requires that all references to a
 * stated map have the same map of the kernel, that two stated maps never share one, and that other recognised programs
 * of the object use it as the same stated map. Throws Differs.
 */
export function assignMaps({ object }: ExpectedProgram, { used }: MapUse, load: LiveProgramLoad): Map<number, LiveMap> {
  const assigned = new Map<number, LiveMap>();
  const taken = new Map<number, string>();
  for (const [index, slots] of used) {
    const { name } = object.maps[index]!;
    let map: LiveMap | undefined;
    for (const slot of slots) {
      const found = load.maps.get(slot);
      if (found === undefined) differInMap(name, "map", "a map", `no map at instruction ${slot}`);
      if (map !== undefined && map.id !== found.id)
        differInMap(name, "map", `map ${map.id} at instruction ${slot}`, `map ${found.id}`);
      map = found;
    }
    const other = taken.get(map!.id);
    if (other !== undefined) differInMap(name, "map", "a map of its own", `map ${map!.id}, which is \`${other}\``);
    requireRole(object.sha256, name, map!);
    taken.set(map!.id, name);
    assigned.set(index, map!);
  }
  return assigned;
}

/** Requires that the map is not another stated map in other recognised programs of the object, as far as is known. */
function requireRole(object: string, name: string, { id, roles }: LiveMap): void {
  const own = roles.filter((role) => role.object === object);
  for (const role of own)
    if (role.name !== name)
      differInMap(name, "map", `\`${name}\``, `map ${id}, which is \`${role.name}\` in another program`);
  if (own.length === 0 && roles.length >= MAX_ROLES)
    differInMap(name, "map", `a map of fewer than ${MAX_ROLES} objects`, `map ${id}, which is one of ${roles.length}`);
}

/** Requires that a map is as the statement defines it. Throws Differs. */
export function compareMap(
  expected: ExpectedProgram,
  stated: StatedMapForm,
  map: LiveMap,
  kernel: () => KernelConfiguration | null,
): void {
  const { name } = stated;
  const isOpen = expected.opensMap(name, "pinned") || expected.opensMap(name, "shared");
  if (map.creator !== "loader" && !isOpen)
    differInMap(name, "creator", "the process that loads the program", creatorOf(map));
  if (stated.map_flags & NUMA_NODE && map.numaNode !== null) require(name, "numa_node", stated.numa_node, map.numaNode);
  const hasOpenType = expected.opensMap(name, "type");
  const possibleCpus = () => kernel()?.possibleCpus ?? null;
  const otherBtf = isOpen ? map.readBtf : NO_OTHER_BTF;
  compareDefinition(expected, stated, map, { hasOpenType, possibleCpus, otherBtf: () => otherBtf("map") });
  if (!hasOpenType)
    compareInner(expected, stated, map, { hasOpenType, possibleCpus, otherBtf: () => otherBtf("inner") });
  if (!FROZEN_KINDS.has(stated.kind)) return;
  if ((map.flags & RDONLY_PROG) === 0) differInMap(name, "map_flags", "BPF_F_RDONLY_PROG", String(map.flags));
  if (!map.frozen) differInMap(name, "frozen", "frozen", "not frozen");
  if (map.contents === null) differInMap(name, "contents", "contents that can be read", "none");
  if (stated.kind === "kconfig") compareKconfig(expected, name, map.contents, kernel());
}

/** How a definition is compared. */
interface Terms {
  /** Whether the statement opens the map's type, and with it the sizes that loaders set for another type. */
  readonly hasOpenType: boolean;
  readonly possibleCpus: () => number | null;
  /** The map's BTF if it may be that of another object; null if it has to be that of this one. */
  readonly otherBtf: () => Uint8Array | null;
}

const NO_OTHER_BTF: LiveMap["readBtf"] = () => null;

/** BPF_F_NUMA_NODE and BPF_F_RDONLY_PROG of linux/bpf.h. */
const NUMA_NODE = 1 << 2;
const RDONLY_PROG = 1 << 7;

const FROZEN_KINDS: ReadonlySet<StatedMapForm["kind"]> = new Set(["rodata", "kconfig"]);

function creatorOf({ creator }: LiveMap): string {
  return creator === "other" ? "another process" : "a map that was not created through this gate";
}

function compareDefinition(
  expected: ExpectedProgram,
  stated: StatedMapForm,
  map: LiveMapDefinition,
  { hasOpenType, possibleCpus, otherBtf }: Terms,
): void {
  const { name } = stated;
  const created = new CreatedMap(stated);
  require(name, "map_flags", created.flags, map.flags);
  require(name, "map_extra", stated.map_extra, map.mapExtra);
  require(name, "ifindex", 0, map.ifindex);
  if (stated.max_entries !== 0)
    require(name, "max_entries", created.entries(possibleCpus) ?? "a multiple of the CPUs", map.maxEntries);
  if (hasOpenType) return;
  if (stated.type !== map.type) differInMap(name, "type", typeName(stated.type), typeName(map.type));
  if (stated.key_size !== 0) require(name, "key_size", stated.key_size, map.keySize);
  if (stated.value_size !== 0) require(name, "value_size", stated.value_size, map.valueSize);
  compareTypes(expected, stated, created, map, otherBtf);
}

function compareInner(expected: ExpectedProgram, stated: StatedMapForm, map: LiveMap, terms: Terms): void {
  if (!OUTER.has(typeName(stated.type))) return;
  if (stated.inner === null)
    differInMap(stated.name, "inner_map", "an inner map that the object defines", "another one");
  if (map.inner === null) differInMap(stated.name, "inner_map", "a known inner map", "an unknown one");
  const inner = { ...stated.inner, name: `${stated.name}.inner_map`, data: null };
  compareDefinition(expected, inner, map.inner, terms);
}

const OUTER: ReadonlySet<string> = new Set(["array_of_maps", "hash_of_maps"]);

/**
 * Requires the stated types of keys and values. The kernel keeps no BTF for a map without key and value type. A map
 * that another object may have created, with other BTF, needs types of the same structure.
 */
function compareTypes(
  { object }: ExpectedProgram,
  { name }: StatedMapForm,
  created: CreatedMap,
  map: LiveMapDefinition,
  otherBtf: () => Uint8Array | null,
): void {
  const { originalBtf } = object;
  if (map.btf === null && originalBtf !== null && created.mayLackTypes(originalBtf)) return;
  const [key, value] = originalBtf === null ? [0, 0] : created.types;
  const btf = key === 0 && value === 0 ? null : object.btf;
  if (btf !== map.btf) {
    const other = btf === null || map.btf === null ? null : otherBtf();
    if (other === null) differInMap(name, "btf", btf ?? "none", map.btf ?? "none");
    const expected = object.structureOf([key, value]) ?? "a structure of fewer types";
    const found = structureIn(other, [map.keyTypeId, map.valueTypeId]) ?? "a structure of too many types";
    if (expected !== found) differInMap(name, "btf", `types with structure ${expected}`, found);
    return;
  }
  if (btf === null) return;
  require(name, "btf_key_type_id", key, map.keyTypeId);
  require(name, "btf_value_type_id", value, map.valueTypeId);
}

function compareKconfig(
  { object }: ExpectedProgram,
  name: string,
  found: Uint8Array,
  kernel: KernelConfiguration | null,
): void {
  if (kernel === null) differInMap(name, "contents", "values of this kernel", "a kernel whose BTF cannot be read");
  const contents = kconfigContents(object.content.program.object, object.originalBtf!, kernel);
  if (typeof contents === "string") differInMap(name, "contents", "values of the kernel's configuration", contents);
  const at = contents.findIndex((byte, index) => byte !== found[index]);
  if (at >= 0 || contents.length !== found.length)
    differInMap(name, "contents", `${contents[at] ?? "no"} at byte ${at}`, String(found[at] ?? "no byte"));
}

function require(map: string, property: MapProperty, expected: number | string, found: number | string): void {
  if (expected !== found) differInMap(map, property, String(expected), String(found));
}
