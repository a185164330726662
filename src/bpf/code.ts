import type { Btf } from "./btf.js";
import type { MapDefinition } from "./facts.js";
import type { ByteOrder, Insns } from "./insn.js";

/**
 * One program, whole, as the analysis of its effects takes it: from an object file (program.ts) or from a live load
 * (load.ts). `effectsOf(code)` in effects.ts makes effects and evidence of it.
 *
 * An instruction is named by its slot: its index in `insns`, in units of 8 bytes.
 */
export interface Code {
  /**
   * The linked instructions: subprograms appended, calls and callbacks (src 4) relative to the next slot and in range
   * unless a live load lied. References to maps have src 1, 2, 5 or 6 and their imm words may be zero: ask `mapAt`.
   * Calls to kfuncs have src 2 and typed ksyms src 3, from either source; ask `kfuncAt` and `ksymAt` for names.
   */
  readonly insns: Insns;
  readonly byteOrder: ByteOrder;
  /** As bpftool writes it: `sched_cls`, `xdp` … or `unknown` */
  readonly type: string;
  /** As bpftool writes it: `trace_fentry`, `lsm_mac` …; null where it is not known or the type has none. */
  readonly expectedAttachType: string | null;
  readonly attachTo: string | null;
  /**
   * Whether an object has a kprobe program run attached to a function of the kernel alone. A live load does not tell.
   */
  readonly kernelProbe?: boolean;
  /** Sorted by `start`; the first is the program itself and starts at 0. Empty ranges do not occur. */
  readonly functions: readonly CodeFunction[];
  /** The map that the `ld_imm64` in this slot refers to; null where there is none, or (a live load) it is not known. */
  mapAt(slot: number): MapReference | null;
  /** The kfunc that the call in this slot calls; null where it is not a kfunc call or its name is not known. */
  kfuncAt(slot: number): KernelName | null;
  /** The kernel symbol that the `ld_imm64` in this slot stands for; null likewise. */
  ksymAt(slot: number): KernelName | null;
  /** The CO-RE relocation that names this slot: its immediate and offset are not known before the load. */
  rewrittenAt(slot: number): Rewrite | null;
  /** All slots that CO-RE relocations name, ascending. */
  rewrittenSlots(): readonly number[];
  /** `file.c:12` of the line that this slot came from; null without `.BTF.ext`. */
  sourceAt(slot: number): string | null;
  /** The program's own BTF. */
  readonly btf: Btf | null;
}

export interface CodeFunction {
  readonly name: string;
  /** First slot, and the first slot behind it. */
  readonly start: number;
  readonly end: number;
  /** BTF id of its BTF_KIND_FUNC, or null. */
  readonly btfId: number | null;
  /** BTF_FUNC_GLOBAL: the kernel verifies it by itself, for any arguments of its types. */
  readonly global: boolean;
}

export interface MapReference {
  readonly map: CodeMap;
  /** Where the reference points to the map's value (src 2 and 6): the offset into it in bytes; else null. */
  readonly offset: number | null;
}

/** A map as a program knows it. Two references to one map give the same object. */
export interface CodeMap extends MapDefinition {
  /** Whether the program brings it along: false for pinned and inherited ones, and where that is not known. */
  readonly own: boolean;
  /** Initial contents of a global-data map (`.rodata`, `.data` …), in the object's byte order; null for others. */
  readonly data: Uint8Array | null;
  /** Whether programs cannot write to it and its contents are frozen: `data` is then what the program reads. */
  readonly frozen: boolean;
  /** What an array- or hash-of-maps holds. */
  readonly inner: CodeMap | null;
  /** Whether the maps that it holds are brought along, too: an object declares them, and its loader makes them. */
  readonly ownInner?: boolean;
  /** The programs that an object itself puts into a program array of its own, by their index there. */
  readonly programs?: ReadonlyMap<number, string>;
}

export interface KernelName {
  readonly name: string;
  /** The module that it is in; null for vmlinux, and where that is not known before the load. */
  readonly module: string | null;
  /** BTF id of its declaration in the program's own BTF (a FUNC or VAR), or null. */
  readonly btfId: number | null;
  /** A symbol of a known type gives a pointer to it; one without (`void`) gives a number. */
  readonly typed: boolean;
}

export interface Rewrite {
  /** enum bpf_core_relo_kind (include/uapi/linux/bpf.h): 0 field byte offset … 12 type matches. */
  readonly kind: number;
  /** For people: `struct task_struct.tgid`, or the access string where names are not to be had. */
  readonly what: string;
}
