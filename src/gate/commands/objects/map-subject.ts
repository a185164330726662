import { sha256 } from "../../../bpf/insn/digest.js";
import type { MapFacts } from "../../../bpf/model/facts.js";
import { factsOfMap } from "../../../bpf/model/map-memory.js";
import { MAP_TYPES } from "../../../bpf/tables/names.gen.js";
import { mapSubject } from "../../../engine/files/map-subject.js";
import type { MapAccess } from "../../../hooks/catalogue.js";
import type { MapSubject } from "../../../hooks/subject.js";
import { elementAt, isFrozen, type KernelMap } from "../../../sys/bpf.js";
import { type Attr, CREATE } from "../../call/attr.js";

/**
 * Returns the subject of a map that is about to be created. Its digest covers these facts from attr, without fds and
 * pointers.
 */
export function createdMap(given: Attr): MapSubject {
  const facts = {
    name: given.name(CREATE.mapName),
    type: MAP_TYPES[given.u32(CREATE.mapType)] ?? "unknown",
    key_size: given.u32(CREATE.keySize),
    value_size: given.u32(CREATE.valueSize),
    max_entries: given.u32(CREATE.maxEntries),
    flags: given.u32(CREATE.mapFlags),
    contents: null,
  };
  return mapSubject(facts, null);
}

/**
 * Returns the subject of an existing map, from what the kernel reports. `exclusive`: only one program may use the map.
 */
export function liveMap(info: KernelMap, fd: number, access: MapAccess, exclusive = false): MapSubject {
  return mapSubject(liveFacts(info, constantValue(info, fd, exclusive)), access);
}

/**
 * The same without its digest, which takes as long as all the rest. `value` is what {@link constantValue} returned for
 * the map.
 */
export function liveFacts(info: KernelMap, value: Uint8Array | null): MapFacts {
  return factsOfMap({
    name: info.name,
    type: MAP_TYPES[info.type] ?? "unknown",
    key_size: info.keySize,
    value_size: info.valueSize,
    max_entries: info.maxEntries,
    flags: info.flags,
    contents: value === null ? null : sha256(value),
  });
}

/**
 * BPF_F_RDONLY_PROG and BPF_MAP_TYPE_ARRAY of linux/bpf.h: flag and type of the map that libbpf creates for .rodata.
 */
export const RDONLY_PROG = 1 << 7;
export const ARRAY = 2;

/** Whether programs can only read the map, as the kernel reports it. */
export function isReadOnly({ flags }: KernelMap): boolean {
  return (flags & RDONLY_PROG) !== 0;
}

/** BPF_F_MMAPABLE of linux/bpf.h. */
export const MMAPABLE = 1 << 10;

/**
 * Reads the contents of a map that neither user space nor a program can change, except the one program that the map is
 * exclusive to. Null for any other map. A map that programs can write to has no constant contents if it can be mapped:
 * user space can keep one of its pages pinned after unmapping it (as a fixed buffer of io_uring), and the kernel still
 * freezes the map. A read-only map cannot be mapped for writing.
 */
export function constantValue(info: KernelMap, fd: number, exclusive: boolean): Uint8Array | null {
  if (info.type !== ARRAY || info.maxEntries !== 1) return null;
  const settled = isReadOnly(info) || (exclusive && (info.flags & MMAPABLE) === 0);
  return settled && isFrozen(fd) ? elementAt(fd, 0, info.valueSize) : null;
}
