/**
 * Has the kernel take one iterator for another. bpf_iter_prog_supported (kernel/bpf/bpf_iter.c) keeps the BTF id with
 * which an iterator was last loaded by its name, also if the id is of another program's BTF.
 */
import { codeOf, encode } from "../../src/bpf/assembly/assembly.js";
import { ATTACH_TYPES, PROGRAM_TYPES } from "../../src/bpf/tables/names.gen.js";
import { bpf } from "../../src/sys/bpf.js";
import { addressOf, keepAlive, syscall } from "../../src/sys/libc.js";
import { loadTypes } from "./kernel-load.js";

const PROG_LOAD = 5;
const CLOSE = 3;
const LICENSE = Buffer.from("GPL\0");
const NOTHING = encode(codeOf("r0 = 0; exit", { type: "socket_filter" }).insns);

/**
 * Programs for the function `id` of vmlinux then get the arguments of iterator `lender`, until a program for `lender`
 * itself is loaded. Returns false if the kernel rejects an iterator for a function of another program.
 */
export function mistakeFor(lender: string, id: number): boolean {
  const btf = loadBtf(id, `bpf_iter_${lender}`);
  const target = load("socket_filter", null, { btf, functionId: id });
  const iterator = load("tracing", "trace_iter", { attachBtfId: id, attachProgram: target });
  for (const fd of [btf, target, iterator]) if (fd >= 0) syscall(CLOSE, fd);
  if (btf < 0 || target < 0) throw new Error(`a program with the function ${id} cannot be loaded: ${btf}, ${target}`);
  return iterator >= 0;
}

interface Given {
  readonly btf?: number;
  readonly functionId?: number;
  readonly attachBtfId?: number;
  readonly attachProgram?: number;
}

/** Loads a program that returns 0. Returns an fd or a negative errno. */
function load(type: string, attachType: string | null, given: Given): number {
  const records = Buffer.alloc(8);
  records.writeUInt32LE(given.functionId ?? 0, 4);
  const attr = Buffer.alloc(152);
  attr.writeUInt32LE(PROGRAM_TYPES.indexOf(type), 0);
  attr.writeUInt32LE(2, 4);
  attr.writeBigUInt64LE(BigInt(addressOf(NOTHING)), 8);
  attr.writeBigUInt64LE(BigInt(addressOf(LICENSE)), 16);
  if (attachType !== null) attr.writeUInt32LE(ATTACH_TYPES.indexOf(attachType), 68);
  attr.writeUInt32LE(given.attachBtfId ?? 0, 108);
  attr.writeUInt32LE(given.attachProgram ?? 0, 112);
  if (given.btf !== undefined) {
    attr.writeInt32LE(given.btf, 72);
    attr.writeUInt32LE(8, 76);
    attr.writeBigUInt64LE(BigInt(addressOf(records)), 80);
    attr.writeUInt32LE(1, 88);
  }
  return bpf(PROG_LOAD, keepAlive(attr, NOTHING, LICENSE, records));
}

const INT = 1 << 24;
const PTR = 2 << 24;
const FUNC = 12 << 24;
const FUNC_PROTO = 13 << 24;

/** BTF in which type `id` is a function `name` with one pointer as its argument, and most types before it are ints. */
function loadBtf(id: number, name: string): number {
  const words: number[] = [];
  for (let each = 1; each < id - 2; each++) words.push(1, INT, 4, (1 << 24) | 32);
  words.push(0, PTR, 1, 0, FUNC_PROTO | 1, 1, 1, id - 2, 5, FUNC, id - 1);
  return loadTypes(words, `\0int\0${name}\0`);
}
