import { BtfWriter } from "../../src/bpf/assembly/btf-writer.js";
import type { KernelExtern } from "../../src/bpf/core/externs.js";
import { RELO } from "../../src/bpf/core/relo-kind.js";
import type { CoreRelocation } from "../../src/bpf/core/relocation.js";
import type { ExternReference, UnrelocatedProgram } from "../../src/bpf/core/unrelocated.js";
import { CALL, type Insn, insnsOf, LD_IMM64, LDX_W, MOV } from "./core-program.js";

/** Types of every kind that relocations look at; in a kernel, with other places, sizes and values. */
function writeTypes(btf: BtfWriter, isKernel: boolean) {
  const shift = isKernel ? 64 : 0;
  const int = btf.int("int", 4, { encoding: 1 });
  const u32 = btf.int("unsigned int", 4);
  const u64 = btf.int("unsigned long", 8);
  const forward = btf.type("later", "fwd", 0);
  const pointer = btf.ptr(forward);
  const state = btf.enum("state", [
    ["IDLE", 0],
    ["BUSY", isKernel ? 7 : 1],
  ]);
  const flags = isKernel ? btf.enum64("flags", [["TOP", 1n << 40n]]) : btf.enum("flags", [["TOP", 1]]);
  const anonymous = btf.union("", 8, [
    ["deep", u32, 0],
    ["both", btf.array(u32, isKernel ? 3 : 2), 0],
  ]);
  const item = btf.struct(isKernel ? "item" : "item___mine", 64, [
    ["signed", int, shift],
    ["wide", isKernel ? u64 : u32, 64 + shift],
    ["pointer", btf.type("", "const", pointer), 128 + shift],
    ["", anonymous, 192 + shift],
    ["bits", u32, 256 + shift, isKernel ? 5 : 3],
    ["state", state, 288 + shift],
    [isKernel ? "renamed" : "gone", u32, 320 + shift],
    ["tail", btf.array(u32, 0), 384 + shift],
  ]);
  if (isKernel) btf.struct("item___other", 64, [["signed", int, shift]]);
  const proto = btf.proto(int, [
    ["item", btf.ptr(item)],
    ["count", u32],
  ]);
  const callback = btf.typedef("callback_t", btf.ptr(proto));
  const rate = btf.type("float", "float", 4);
  return { int, state, flags, item, proto, callback, rate, forward };
}

const local = new BtfWriter();
const ids = writeTypes(local, false);
const vmlinux = new BtfWriter();
const its = writeTypes(vmlinux, true);
vmlinux.func("of_vmlinux", its.proto);
vmlinux.var("variable", its.int);
const module = new BtfWriter("little", vmlinux);
module.func("of_module", its.proto);
module.var("module_variable", its.int);
module.struct("only_here", 8, [["signed", its.int, 32]]);

/** BTF of an object, a kernel, and a module of the kernel. */
export const CORE_BTF = { local: local.bytes(), vmlinux: vmlinux.bytes(), module: module.bytes() } as const;

export const CORE_KALLSYMS = Buffer.from("ffffffff81000010 D jiffies\nffffffff81000020 d other.llvm.1\n");

export const CORE_EXTERNS: readonly KernelExtern[] = [
  { name: "jiffies", kind: "ksym", typeId: 0, weak: false },
  { name: "missing", kind: "kfunc", typeId: ids.proto, weak: true },
  { name: "module_variable", kind: "ksym", typeId: ids.int, weak: false },
  { name: "of_module", kind: "kfunc", typeId: ids.proto, weak: false },
  { name: "of_vmlinux", kind: "kfunc", typeId: ids.proto, weak: false },
  { name: "variable", kind: "ksym", typeId: ids.int, weak: true },
];

type Step = readonly [kind: number, typeId: number, access: string, value: number];

const STEPS: readonly Step[] = [
  [RELO.FIELD_BYTE_OFFSET, ids.item, "0:0", 0],
  [RELO.FIELD_BYTE_OFFSET, ids.item, "0:1", 8],
  [RELO.FIELD_BYTE_OFFSET, ids.item, "0:2", 16],
  [RELO.FIELD_BYTE_OFFSET, ids.item, "0:3:1:1", 28],
  [RELO.FIELD_BYTE_OFFSET, ids.item, "0:7:3", 60],
  [RELO.FIELD_BYTE_OFFSET, ids.item, "0:6", 40],
  [RELO.FIELD_BYTE_SIZE, ids.item, "0:3:1", 8],
  [RELO.FIELD_EXISTS, ids.item, "0:6", 1],
  [RELO.FIELD_SIGNED, ids.item, "0:0", 1],
  [RELO.FIELD_LSHIFT_U64, ids.item, "0:4", 61],
  [RELO.FIELD_RSHIFT_U64, ids.item, "0:4", 61],
  [RELO.TYPE_ID_LOCAL, ids.item, "0", ids.item],
  [RELO.TYPE_ID_TARGET, ids.item, "0", ids.item],
  [RELO.TYPE_EXISTS, ids.callback, "0", 1],
  [RELO.TYPE_SIZE, ids.item, "0", 64],
  [RELO.ENUMVAL_EXISTS, ids.state, "1", 1],
  [RELO.ENUMVAL_VALUE, ids.state, "1", 1],
  [RELO.ENUMVAL_VALUE, ids.flags, "0", 1],
  [RELO.TYPE_MATCHES, ids.item, "0", 1],
  [RELO.TYPE_MATCHES, ids.callback, "0", 1],
];

/** A program with a relocation of each kind and a reference to each extern. */
export function coreProgram(): UnrelocatedProgram {
  const insns: Insn[] = [];
  const relocations: CoreRelocation[] = [];
  for (const [index, [kind, typeId, access, value]] of STEPS.entries()) {
    relocations.push({ slot: insns.length, typeId, access, kind });
    if (kind === RELO.ENUMVAL_VALUE) insns.push([LD_IMM64, 1, 0, 0, value], [0]);
    else if (kind === RELO.FIELD_BYTE_OFFSET && index < 2) insns.push([LDX_W, 1, 2, value]);
    else insns.push([MOV, 1, 0, 0, value]);
  }
  const externReferences = CORE_EXTERNS.map(({ kind, typeId }, extern): ExternReference => {
    const slot = insns.length;
    if (kind === "kfunc") insns.push([CALL, 0, 2]);
    else insns.push([LD_IMM64, 1, typeId === 0 ? 0 : 3], [0]);
    return { slot, extern, call: kind === "kfunc" };
  });
  insns.push([0x95]);
  const functions = [{ name: "probe", start: 0 }];
  return { name: "probe", insns: insnsOf(insns), functions, relocations, externReferences };
}

/** The slots that relocation may change: each with a relocation or reference, and the second of each `ld_imm64`. */
export function relocatedSlots({ insns, relocations, externReferences }: UnrelocatedProgram): ReadonlySet<number> {
  const slots = [...relocations, ...externReferences].map(({ slot }) => slot);
  return new Set(slots.flatMap((slot) => (insns[8 * slot] === LD_IMM64 ? [slot, slot + 1] : [slot])));
}
