import { btfOf, nextObjectId, objectInfo, openObject } from "./bpf.js";
import { addressOf, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** What the kernel reports about a BTF object (struct bpf_btf_info). */
export interface BtfReport {
  readonly id: number;
  /** Whether it is that of the kernel or of a module. */
  readonly ofKernel: boolean;
  /** `vmlinux`, or the name of a module; empty for BTF that a task loaded. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
}

/** Byte offsets in struct bpf_btf_info. A test compares each with linux/bpf.h. */
export const BTF_INFO = { btf: 0, size: 8, id: 12, name: 16, nameLength: 24, ofKernel: 28 } as const;
const BTF_INFO_SIZE = 32;
/** MODULE_NAME_LEN of the kernel, rounded up. */
const MAX_NAME = 64;

/** Returns a negative errno if the fd is no BTF object. */
export function btfReport(fd: number): BtfReport | number {
  const name = Buffer.alloc(MAX_NAME);
  const info = new DataView(new ArrayBuffer(BTF_INFO_SIZE));
  info.setBigUint64(BTF_INFO.name, BigInt(addressOf(name)), true);
  info.setUint32(BTF_INFO.nameLength, MAX_NAME, true);
  const result = objectInfo(fd, info);
  if (result < 0) return result;
  // another kind of object has a shorter report, or other fields in these places
  const end = name.indexOf(0);
  return {
    id: info.getUint32(BTF_INFO.id, true),
    ofKernel: info.getUint32(BTF_INFO.ofKernel, true) === 1,
    name: name.toString("latin1", 0, end < 0 ? MAX_NAME : end),
    size: info.getUint32(BTF_INFO.size, true),
  };
}

/** The bytes of a BTF object; null if it does not exist or cannot be opened, which needs CAP_SYS_ADMIN. */
export function btfById(id: number): Uint8Array | null {
  const fd = openBtf(id);
  if (fd < 0) return null;
  const bytes = btfOf(fd);
  syscall(NR.close, fd);
  return bytes;
}

/** What the kernel reports about the BTF object with an id; a negative errno if there is none. */
export function btfReportById(id: number): BtfReport | number {
  const fd = openBtf(id);
  if (fd < 0) return fd;
  const report = btfReport(fd);
  syscall(NR.close, fd);
  return report;
}

function openBtf(id: number): number {
  return openObject("btf", id);
}

/** The id of the BTF object after this one, or a negative errno: ENOENT at the end. */
export function nextBtfId(id: number): number {
  return nextObjectId("btf", id);
}

/** What {@link mapInfo} leaves out: the types of a map, and more of how it was created. */
export interface MapTypes {
  readonly ifindex: number;
  /** 0 if the map has no BTF. */
  readonly btfId: number;
  readonly keyTypeId: number;
  readonly valueTypeId: number;
  /** Decimal digits: 64 bits. */
  readonly mapExtra: string;
}

/** Byte offsets in struct bpf_map_info. A test compares each with linux/bpf.h. */
export const MAP_TYPES_INFO = { ifindex: 40, btfId: 64, keyTypeId: 68, valueTypeId: 72, mapExtra: 80 } as const;
const MAP_TYPES_SIZE = 88;

/** Returns a negative errno if the fd is no map. */
export function mapTypes(fd: number): MapTypes | number {
  const info = new DataView(new ArrayBuffer(MAP_TYPES_SIZE));
  const result = objectInfo(fd, info);
  if (result < 0) return result;
  const word = (name: keyof typeof MAP_TYPES_INFO) => info.getUint32(MAP_TYPES_INFO[name], true);
  return {
    ifindex: word("ifindex"),
    btfId: word("btfId"),
    keyTypeId: word("keyTypeId"),
    valueTypeId: word("valueTypeId"),
    mapExtra: info.getBigUint64(MAP_TYPES_INFO.mapExtra, true).toString(),
  };
}

/** Byte offset in struct bpf_prog_info. A test compares it with linux/bpf.h. */
export const PROGRAM_BTF_INFO = { btfId: 128 } as const;
const PROGRAM_BTF_SIZE = 136;

/** The id of a program's BTF; 0 if it has none, and for an fd that is no program. */
export function programBtfId(fd: number): number {
  const info = new DataView(new ArrayBuffer(PROGRAM_BTF_SIZE));
  return objectInfo(fd, info) < 0 ? 0 : info.getUint32(PROGRAM_BTF_INFO.btfId, true);
}
