/**
 * Gives a program to the real kernel, as it stands: with maps of its own making, and BTF of nothing but its functions.
 */

import { encode } from "../../src/bpf/assembly/assembly.js";
import { LD_SRC, OP } from "../../src/bpf/insn/insn.js";
import type { Code, CodeMap } from "../../src/bpf/model/code.js";
import { ATTACH_TYPES, MAP_TYPES, PROGRAM_TYPES } from "../../src/bpf/tables/names.gen.js";
import { bpf } from "../../src/sys/bpf.js";
import { addressOf, keepAlive, syscall } from "../../src/sys/libc.js";

const MAP_CREATE = 0;
const MAP_LOOKUP = 1;
const PROG_TEST_RUN = 10;
const PROG_LOAD = 5;
const BTF_LOAD = 18;
const CLOSE = 3;
const EINVAL = 22;
const FIRST_KEY = Buffer.alloc(4);
const LICENSE = Buffer.from("GPL\0");
const LOG_SIZE = 1 << 16;

export interface Loaded {
  /** 0, or the errno of the refusal. */
  readonly errno: number;
  /** The last line of the verifier's log. */
  readonly why: string;
}

/** Types whose programs can be loaded without naming what they attach to. */
export const LOADABLE = new Set([
  "socket_filter",
  "kprobe",
  "sched_cls",
  "sched_act",
  "tracepoint",
  "xdp",
  "perf_event",
  "cgroup_skb",
  "raw_tracepoint",
  "raw_tracepoint_writable",
]);

/**
 * Loads and closes again. The maps stay open in `maps` for the next one. `attachBtfId` is the target in vmlinux, for
 * types that have one.
 */
export function load(code: Code, maps: Map<CodeMap, number>, attachBtfId = 0): Loaded {
  const { fd, why } = open(code, maps, attachBtfId);
  if (fd >= 0) syscall(CLOSE, fd);
  return { errno: fd < 0 ? -fd : 0, why };
}

export interface Run {
  readonly returned: number;
  readonly packet: Uint8Array;
}

/** Loads an XDP or tc program and runs it on packets with BPF_PROG_TEST_RUN; the reason where it cannot be loaded. */
export function run(code: Code, maps: Map<CodeMap, number>, packets: readonly Uint8Array[]): Run[] | string {
  const { fd, why } = open(code, maps);
  if (fd < 0) return why;
  const runs = packets.map((packet) => {
    const out = Buffer.alloc(packet.length + 512);
    const attr = Buffer.alloc(80);
    attr.writeUInt32LE(fd, 0);
    attr.writeUInt32LE(packet.length, 8);
    attr.writeUInt32LE(out.length, 12);
    attr.writeBigUInt64LE(BigInt(addressOf(packet)), 16);
    attr.writeBigUInt64LE(BigInt(addressOf(out)), 24);
    attr.writeUInt32LE(1, 32);
    const result = bpf(PROG_TEST_RUN, attr);
    if (result < 0) throw new Error(`BPF_PROG_TEST_RUN: errno ${-result}`);
    return { returned: attr.readInt32LE(4), packet: out.subarray(0, attr.readUInt32LE(12)) };
  });
  syscall(CLOSE, fd);
  return runs;
}

/** The value of the first element of an array map. */
export function firstValueOf(map: CodeMap, maps: Map<CodeMap, number>): Uint8Array {
  const fd = mapFd(map, maps);
  const value = Buffer.alloc(map.value_size);
  const attr = Buffer.alloc(32);
  attr.writeUInt32LE(fd, 0);
  attr.writeBigUInt64LE(BigInt(addressOf(FIRST_KEY)), 8);
  attr.writeBigUInt64LE(BigInt(addressOf(value)), 16);
  const result = bpf(MAP_LOOKUP, attr);
  if (result < 0) throw new Error(`BPF_MAP_LOOKUP_ELEM: errno ${-result}`);
  return value;
}

/** An fd, or a negative errno with the last line of the verifier's log. */
function open(code: Code, maps: Map<CodeMap, number>, attachBtfId = 0): { fd: number; why: string } {
  const insns = Buffer.from(encode(code.insns));
  for (let slot = 0; slot < code.insns.count; slot++) {
    if (code.insns.opcode[slot] !== OP.LD_IMM64) continue;
    const reference = code.mapAt(slot);
    const source = code.insns.src[slot];
    if (reference !== null && (source === LD_SRC.MAP_FD || source === LD_SRC.MAP_VALUE)) {
      const fd = mapFd(reference.map, maps);
      if (fd < 0) return { fd, why: `map ${reference.map.name} cannot be made` };
      insns.writeInt32LE(fd, slot * 8 + 4);
      insns.writeInt32LE(reference.offset ?? 0, slot * 8 + 12);
    }
    slot += 1;
  }
  const log = Buffer.alloc(LOG_SIZE);
  const btf = loadBtf(code);
  const records = Buffer.alloc(8 * code.functions.length);
  code.functions.forEach(({ start }, index) => {
    records.writeUInt32LE(start, index * 8);
    records.writeUInt32LE(FIRST_FUNCTION + index, index * 8 + 4);
  });
  const attr = Buffer.alloc(152);
  attr.writeUInt32LE(PROGRAM_TYPES.indexOf(code.type), 0);
  attr.writeUInt32LE(code.insns.count, 4);
  attr.writeBigUInt64LE(BigInt(addressOf(insns)), 8);
  attr.writeBigUInt64LE(BigInt(addressOf(LICENSE)), 16);
  attr.writeUInt32LE(1, 24);
  attr.writeUInt32LE(LOG_SIZE, 28);
  attr.writeBigUInt64LE(BigInt(addressOf(log)), 32);
  if (code.expectedAttachType !== null) attr.writeUInt32LE(ATTACH_TYPES.indexOf(code.expectedAttachType), 68);
  attr.writeUInt32LE(btf, 72);
  attr.writeUInt32LE(8, 76);
  attr.writeBigUInt64LE(BigInt(addressOf(records)), 80);
  attr.writeUInt32LE(code.functions.length, 88);
  attr.writeUInt32LE(attachBtfId, 108);
  const fd = bpf(PROG_LOAD, keepAlive(attr, insns, records));
  syscall(CLOSE, btf);
  const lines = log.toString("latin1", 0, log.indexOf(0)).trim().split("\n");
  return { fd, why: lines.findLast((line) => !/^(processed|verification time|stack depth)/.test(line)) ?? "" };
}

export function closeMaps(maps: Map<CodeMap, number>): void {
  for (const fd of maps.values()) if (fd >= 0) syscall(CLOSE, fd);
  maps.clear();
}

/** Sizes of a value that libbpf or the tool gives to maps of these types: PERF_MAX_STACK_DEPTH addresses. */
const SIZE_OF: Readonly<Record<string, number>> = { stack_trace: 127 * 8 };

function mapFd(map: CodeMap, maps: Map<CodeMap, number>): number {
  const known = maps.get(map);
  if (known !== undefined) return known;
  const type = MAP_TYPES.indexOf(map.type);
  const inner = map.inner === null ? 0 : mapFd(map.inner, maps);
  // what a loader fills in where the object leaves it open
  const attr = Buffer.alloc(72);
  attr.writeUInt32LE(type, 0);
  attr.writeUInt32LE(map.type.includes("ringbuf") ? 0 : map.key_size, 4);
  attr.writeUInt32LE(map.type.includes("ringbuf") ? 0 : map.value_size || SIZE_OF[map.type] || 0, 8);
  attr.writeUInt32LE(map.max_entries || 1024, 12);
  attr.writeUInt32LE(map.flags, 16);
  attr.writeUInt32LE(inner, 20);
  const fd = type < 0 ? -EINVAL : bpf(MAP_CREATE, attr);
  maps.set(map, fd);
  return fd;
}

const FIRST_FUNCTION = 3;

/** BTF with an int, a prototype and one static function for each of the program's: what a callback needs to be one. */
function loadBtf(code: Code): number {
  const strings = ["", "int", ...code.functions.map((_, index) => `f${index}`)];
  const offsets = strings.map((_, index) => strings.slice(0, index).reduce((sum, text) => sum + text.length + 1, 0));
  const words = [offsets[1]!, 1 << 24, 4, (1 << 24) | 32, 0, 13 << 24, 1];
  for (const index of code.functions.keys()) words.push(offsets[2 + index]!, 12 << 24, 2);
  return loadTypes(words, `${strings.join("\0")}\0`);
}

/** Loads BTF: the 32-bit words of its types, and its strings. Returns its fd or a negative errno. */
export function loadTypes(words: readonly number[], strings: string): number {
  const types = Buffer.from(Uint32Array.from(words).buffer);
  const text = Buffer.from(strings);
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  header.writeUInt32LE(24, 4);
  header.writeUInt32LE(types.length, 12);
  header.writeUInt32LE(types.length, 16);
  header.writeUInt32LE(text.length, 20);
  const btf = Buffer.concat([header, types, text]);
  const attr = Buffer.alloc(32);
  attr.writeBigUInt64LE(BigInt(addressOf(btf)), 0);
  attr.writeUInt32LE(btf.length, 16);
  return bpf(BTF_LOAD, keepAlive(attr, btf));
}
