import { ERRNO } from "../errno.js";
import { readSmall } from "./file.js";
import { addressOf, Fixed, keepAlive, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** Calls bpf(2) on the calling thread. Returns an fd, 0, or a negative errno. The kernel may write to `attr`. */
export function bpf(cmd: number, attr: Uint8Array): number {
  return syscall(NR.bpf, cmd, attr, attr.byteLength);
}

/** The kinds of BPF objects that the kernel gives ids. */
export type IdKind = "program" | "map" | "link" | "btf";

/** Commands of bpf(2): BPF_*_GET_NEXT_ID and BPF_*_GET_FD_BY_ID of linux/bpf.h. */
const BY_ID: Readonly<Record<IdKind, { readonly next: number; readonly open: number }>> = {
  program: { next: 11, open: 13 },
  map: { next: 12, open: 14 },
  btf: { next: 23, open: 19 },
  link: { next: 31, open: 30 },
};

/** BPF_F_RDONLY of linux/bpf.h, for maps. Other objects take no flags. */
const RDONLY = 1 << 3;

/** The id of the object after this one, or a negative errno: ENOENT at the end, EPERM without CAP_SYS_ADMIN. */
export function nextObjectId(kind: IdKind, id: number): number {
  const result = byId(BY_ID[kind].next, id, 0);
  return result < 0 ? result : words[1]!;
}

/**
 * Opens an object by its id, a map only for reading unless `writable`. Returns an fd, which the caller closes, or a
 * negative errno.
 */
export function openObject(kind: IdKind, id: number, writable = false): number {
  const flags = kind === "map" && !writable ? RDONLY : 0;
  return byId(BY_ID[kind].open, id, flags);
}

/** union bpf_attr for ids: start_id or the id u32 0 · next_id 4 · open_flags 8. */
const { memory: words, address: WORDS } = new Fixed(new Uint32Array(3));

function byId(command: number, id: number, flags: number): number {
  words[0] = id;
  words[1] = 0;
  words[2] = flags;
  return syscall(NR.bpf, command, WORDS, words.byteLength);
}

const OBJ_GET_INFO_BY_FD = 15;
const MAP_LOOKUP_ELEM = 1;
const PROG_GET_FD_BY_ID = 13;
const MAP_GET_FD_BY_ID = 14;

/** What the kernel reports about a program (struct bpf_prog_info). */
export interface KernelProgram {
  readonly type: number;
  readonly id: number;
  /** 8 bytes, lower-case hex. */
  readonly tag: string;
  readonly jitedLength: number;
  readonly xlatedLength: number;
  readonly verifiedInsns: number;
  readonly mapIds: readonly number[];
  readonly name: string;
}

/** What the kernel reports about a map (struct bpf_map_info). */
export interface KernelMap {
  readonly type: number;
  readonly id: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly name: string;
}

/** Byte offsets in struct bpf_prog_info. A test compares each with linux/bpf.h. */
export const PROGRAM_INFO = {
  type: 0,
  id: 4,
  tag: 8,
  jitedLength: 16,
  xlatedLength: 20,
  mapCount: 52,
  mapIds: 56,
  name: 64,
  verifiedInsns: 216,
} as const;

/**
 * Size in bytes of struct bpf_prog_info up to and including verified_insns (Linux 5.16). The kernel fills only the size
 * that it is given.
 */
const PROGRAM_INFO_SIZE = 224;
const MAP_INFO_SIZE = 80;
const LINK_INFO_SIZE = 64;
const BTF_INFO_SIZE = 32;
/** MAX_USED_MAPS of linux/bpf_verifier.h. */
const MAX_MAPS = 64;

/** Returns the kernel's report about a program, or a negative errno; EINVAL if the fd is no program. */
export function programInfo(fd: number): KernelProgram | number {
  program.fill(0);
  programWords[PROGRAM_INFO.mapCount / 4] = MAX_MAPS;
  programView.setBigUint64(PROGRAM_INFO.mapIds, PROGRAM_MAPS, true);
  const result = infoAt(fd, PROGRAM, PROGRAM_INFO_SIZE);
  if (result < 0) return result;
  const word = (offset: number) => programWords[offset / 4]!;
  const maps = Math.min(MAX_MAPS, word(PROGRAM_INFO.mapCount));
  return {
    type: word(PROGRAM_INFO.type),
    id: word(PROGRAM_INFO.id),
    tag: tagOf(word(PROGRAM_INFO.tag), word(PROGRAM_INFO.tag + 4)),
    jitedLength: word(PROGRAM_INFO.jitedLength),
    xlatedLength: word(PROGRAM_INFO.xlatedLength),
    verifiedInsns: word(PROGRAM_INFO.verifiedInsns),
    mapIds: maps === 0 ? NO_MAPS : Array.from(programMaps.subarray(0, maps)),
    name: nameAt(program, PROGRAM_INFO.name),
  };
}

const NO_MAPS: readonly number[] = Object.freeze([]);

/** The last tag as two words and as text: a program that is loaded again has the same tag. */
let lastTag = { first: -1, second: -1, text: "" };

function tagOf(first: number, second: number): string {
  if (first !== lastTag.first || second !== lastTag.second)
    lastTag = { first, second, text: program.toString("hex", PROGRAM_INFO.tag, PROGRAM_INFO.tag + 8) };
  return lastTag.text;
}

/** Buffer for struct bpf_prog_info; valid until the next call. */
const { memory: program, address: PROGRAM } = new Fixed(Buffer.alloc(PROGRAM_INFO_SIZE));
const programWords = new Uint32Array(program.buffer, program.byteOffset, PROGRAM_INFO_SIZE / 4);
const programView = new DataView(program.buffer, program.byteOffset, PROGRAM_INFO_SIZE);
const programMaps = new Uint32Array(MAX_MAPS);
const PROGRAM_MAPS = BigInt(addressOf(programMaps));

/**
 * Returns the type and id of a program, or a negative errno. Faster than {@link programInfo}, because the kernel copies
 * only the first two words.
 */
export function programNumbers(fd: number): Pick<KernelProgram, "type" | "id"> | number {
  const info = new DataView(new ArrayBuffer(8));
  const result = objectInfo(fd, info);
  return result < 0
    ? result
    : { type: info.getUint32(PROGRAM_INFO.type, true), id: info.getUint32(PROGRAM_INFO.id, true) };
}

/** Returns the kernel's report about a map, or a negative errno. */
export function mapInfo(fd: number): KernelMap | number {
  map.fill(0);
  const result = objectInfo(fd, map);
  if (result < 0) return result;
  return {
    type: mapWords[0]!,
    id: mapWords[1]!,
    keySize: mapWords[2]!,
    valueSize: mapWords[3]!,
    maxEntries: mapWords[4]!,
    flags: mapWords[5]!,
    name: nameAt(map, 24),
  };
}

/** Buffer for struct bpf_map_info; valid until the next call. */
const map = Buffer.alloc(MAP_INFO_SIZE);
const mapWords = new Uint32Array(map.buffer, map.byteOffset, 6);

/** Reads a name of up to 16 bytes (BPF_OBJ_NAME_LEN). It ends at the first NUL. */
function nameAt(info: Buffer, offset: number): string {
  let end = offset;
  while (end < offset + 16 && info[end] !== 0) end += 1;
  return end === offset ? "" : info.toString("latin1", offset, end);
}

/** Returns the id of a link's program (struct bpf_link_info: type 0 · id 4 · prog_id 8), or a negative errno. */
export function linkedProgram(fd: number): number {
  const info = new DataView(new ArrayBuffer(LINK_INFO_SIZE));
  const result = objectInfo(fd, info);
  return result < 0 ? result : info.getUint32(8, true);
}

/** Returns the id of the program of the link with an id, or a negative errno. */
export function linkedProgramById(id: number): number {
  const fd = openObject("link", id);
  if (fd < 0) return fd;
  const program = linkedProgram(fd);
  syscall(NR.close, fd);
  return program;
}

/** Fills `info` with what the kernel reports about an object; 0 or a negative errno. */
export function objectInfo(fd: number, info: NodeJS.ArrayBufferView): number {
  return infoAt(fd, addressOf(info), info.byteLength);
}

function infoAt(fd: number, address: number, length: number): number {
  const { memory } = infoAttr;
  memory.setUint32(0, fd, true);
  memory.setUint32(4, length, true);
  memory.setBigUint64(8, BigInt(address), true);
  return syscall(NR.bpf, OBJ_GET_INFO_BY_FD, infoAttr.address, memory.byteLength);
}

const infoAttr = new Fixed(new DataView(new ArrayBuffer(16)));

/** Whether a map is frozen: `frozen: 1` in its fdinfo (bpf_map_show_fdinfo of kernel/bpf/syscall.c). */
export function isFrozen(fd: number): boolean {
  return /^frozen:\t1$/m.test(readSmall(`/proc/thread-self/fdinfo/${fd}`) ?? "");
}

/** Reads an element of an array map. `size` is that of its values. Returns null if user space may not read the map. */
export function elementAt(fd: number, index: number, size: number): Buffer | null {
  const key = Uint32Array.of(index);
  const value = Buffer.alloc(Math.ceil(size / 8) * 8);
  const attr = new DataView(new ArrayBuffer(32));
  attr.setUint32(0, fd, true);
  attr.setBigUint64(8, BigInt(addressOf(key)), true);
  attr.setBigUint64(16, BigInt(addressOf(value)), true);
  return bpf(MAP_LOOKUP_ELEM, keepAlive(new Uint8Array(attr.buffer), key)) < 0 ? null : value.subarray(0, size);
}

/** Reads a BTF object; null on failure. struct bpf_btf_info: btf 0 · btf_size 8 · id 12. */
export function btfOf(fd: number): Uint8Array | null {
  const info = new DataView(new ArrayBuffer(BTF_INFO_SIZE));
  if (objectInfo(fd, info) < 0) return null;
  const bytes = new Uint8Array(info.getUint32(8, true));
  const again = new DataView(new ArrayBuffer(BTF_INFO_SIZE));
  again.setBigUint64(0, BigInt(addressOf(bytes)), true);
  again.setUint32(8, bytes.byteLength, true);
  return objectInfo(fd, again) < 0 ? null : bytes;
}

/** Whether a program with this id exists. */
export function programExists(id: number): boolean {
  return exists(PROG_GET_FD_BY_ID, id);
}

/** Whether a map with this id exists. */
export function mapExists(id: number): boolean {
  return exists(MAP_GET_FD_BY_ID, id);
}

function exists(command: number, id: number): boolean {
  const fd = bpf(command, new Uint8Array(Uint32Array.of(id, 0, 0).buffer));
  if (fd >= 0) syscall(NR.close, fd);
  return fd !== -ERRNO.ENOENT;
}
