import { sha256 } from "../../bpf/digest.js";
import { MAP_TYPES } from "../../bpf/tables/names.gen.js";
import { mapSubject } from "../../engine/map-subject.js";
import type { MapSubject } from "../../hooks/subject.js";
import { type Attr, CREATE } from "../call/attr.js";
import { firstValue, isFrozen, type KernelMap } from "../sys/bpf.js";

/** A map that is about to be created. Its digest is of the attr that asks for it, fds and pointers aside. */
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

/** A map that is there, as the kernel reports it; `exclusive` where one program alone may use it. */
export function liveMap(info: KernelMap, fd: number, access: string, exclusive = false): MapSubject {
  const facts = {
    name: info.name,
    type: MAP_TYPES[info.type] ?? "unknown",
    key_size: info.keySize,
    value_size: info.valueSize,
    max_entries: info.maxEntries,
    flags: info.flags,
    contents: contentsOf(info, fd, exclusive),
  };
  return mapSubject(facts, access);
}

/** BPF_F_RDONLY_PROG of linux/bpf.h, and BPF_MAP_TYPE_ARRAY: what libbpf makes of .rodata. */
export const RDONLY_PROG = 1 << 7;
export const ARRAY = 2;

/** Whether programs can only read a map; the kernel's word. */
export function isReadOnly({ flags }: KernelMap): boolean {
  return (flags & RDONLY_PROG) !== 0;
}

/** BPF_F_MMAPABLE of linux/bpf.h. */
export const MMAPABLE = 1 << 10;

/**
 * SHA-256 of what user space cannot change any more, and no program either, but the one that a map is exclusive to;
 * null for any other map. A map that programs can write to has none if it can be mapped: user space can keep a page of
 * it pinned beyond the mapping (a fixed buffer of io_uring), and the kernel freezes the map all the same. A read-only
 * one cannot be mapped for writing.
 */
function contentsOf(info: KernelMap, fd: number, exclusive: boolean): string | null {
  if (info.type !== ARRAY || info.maxEntries !== 1) return null;
  const settled = isReadOnly(info) || (exclusive && (info.flags & MMAPABLE) === 0);
  if (!settled || !isFrozen(fd)) return null;
  const value = firstValue(fd, info.valueSize);
  return value === null ? null : sha256(value);
}
