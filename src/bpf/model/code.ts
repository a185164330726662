import type { Btf } from "../btf/btf.js";
import type { ByteOrder, Insns } from "../insn/insn.js";
import type { MapDefinition } from "./facts.js";

/**
 * One whole program as input of the analysis: from an object file (program.ts) or from a live load (load.ts).
 * `effectsOf(code)` in effects.ts computes its effects and evidence.
 *
 * An instruction is identified by its slot: its index in `insns`, in units of 8 bytes.
 */
export interface Code {
  /**
   * The linked instructions with the subprograms appended. Offsets of calls and callbacks (src 4) are relative to the
   * next slot, and within range unless a live load has invalid ones. References to maps have src 1, 2, 5 or 6; their
   * imm words may be zero, so use `mapAt`. Calls of kfuncs have src 2 and typed ksyms src 3, from either source; use
   * `kfuncAt` and `ksymAt` for names.
   */
  readonly insns: Insns;
  readonly byteOrder: ByteOrder;
  /** As bpftool spells it: `sched_cls`, `xdp` and so on, or `unknown`. */
  readonly type: string;
  /** As bpftool spells it: `trace_fentry`, `lsm_mac` and so on; null if it is not known or the type has none. */
  readonly expectedAttachType: string | null;
  readonly attachTo: string | null;
  /** Whether the object attaches a kprobe program only to functions of the kernel. A live load does not say. */
  readonly kernelProbe?: boolean;
  /** Sorted by `start`. The first is the program itself and starts at 0. No range is empty. */
  readonly functions: readonly CodeFunction[];
  /** The map that the `ld_imm64` in this slot refers to; null if there is none or, in a live load, it is not known. */
  mapAt(slot: number): MapReference | null;
  /** The kfunc that the call in this slot calls; null if it is not a kfunc call or its name is not known. */
  kfuncAt(slot: number): KernelName | null;
  /** The kernel symbol that the `ld_imm64` in this slot refers to; null if there is none or its name is not known. */
  ksymAt(slot: number): KernelName | null;
  /** The CO-RE relocation of this slot: its immediate and offset are not known before the load. */
  rewrittenAt(slot: number): Rewrite | null;
  /** All slots with CO-RE relocations, ascending. */
  rewrittenSlots(): readonly number[];
  /** `file.c:12` of the source line of this slot; null without `.BTF.ext`. */
  sourceAt(slot: number): string | null;
  /** The BTF of the program itself. */
  readonly btf: Btf | null;
  /** How the verifier has changed the instructions; null if they are those of a load. */
  readonly translation?: Translation | null;
}

/** What a program's instructions do not show after the verifier has translated them. */
export interface Translation {
  /**
   * By the name of a context in the table of program types, the pointers in the kernel's own structure of it, to which
   * accesses have been translated.
   */
  readonly contexts: ReadonlyMap<string, readonly TranslatedPointer[]>;
  /** The slots of calls after which r1 to r5 are as before. */
  readonly keeping: ReadonlySet<number>;
  /**
   * By slot, the place of a load in a sequence that may stand for a load of one field of the context, if it begins with
   * the context: FIRST, MIDDLE or LAST of {@link SEQUENCE}; 0 for none.
   */
  readonly sequences: Uint8Array;
  /** Whether a map of the program may hold pointers to kernel objects: false if its BTF has no tags for them. */
  readonly keepsPointers: boolean;
}

export interface TranslatedPointer {
  readonly name: string;
  /** In bytes, in the kernel's structure. */
  readonly offset: number;
  readonly size: number;
  readonly kind: "packet" | "packet_end" | "socket" | "kernel" | "flow_keys" | "option";
}

export const SEQUENCE = { FIRST: 1, MIDDLE: 2, LAST: 3 } as const;

export interface CodeFunction {
  readonly name: string;
  /** The first slot, and the slot after the last one. */
  readonly start: number;
  readonly end: number;
  /** BTF id of its BTF_KIND_FUNC, or null. */
  readonly btfId: number | null;
  /** Whether it has BTF_FUNC_GLOBAL: the kernel then verifies it separately, for any arguments of its types. */
  readonly global: boolean;
}

export interface MapReference {
  readonly map: CodeMap;
  /** Offset in bytes into the map's value if the reference points to it (src 2 and 6); otherwise null. */
  readonly offset: number | null;
}

/** A map of a program. Two references to the same map give the same object. */
export interface CodeMap extends MapDefinition {
  /** Whether the map is created with the program: false for pinned and inherited maps, and if that is not known. */
  readonly own: boolean;
  /**
   * Initial contents of a map for global data (`.rodata`, `.data` and so on) in the object's byte order; null for
   * others.
   */
  readonly data: Uint8Array | null;
  /** Whether programs cannot write to the map and it is frozen: programs then read exactly `data`. */
  readonly frozen: boolean;
  /** The inner map of an array or hash of maps. */
  readonly inner: CodeMap | null;
  /**
   * Whether the inner maps are also created with the program: the object declares them, and its loader creates them.
   */
  readonly ownInner?: boolean;
  /** The programs that the object puts into its own program array, by index. */
  readonly programs?: ReadonlyMap<number, string>;
}

export interface KernelName {
  readonly name: string;
  /** The module that defines it; null for vmlinux, and if that is not known before the load. */
  readonly module: string | null;
  /** BTF id of its declaration in the program's own BTF (a FUNC or VAR), or null. */
  readonly btfId: number | null;
  /** A typed symbol gives a pointer to a known type; an untyped one (`void`) gives a number. */
  readonly typed: boolean;
}

export interface Rewrite {
  /** enum bpf_core_relo_kind (include/uapi/linux/bpf.h): 0 (field byte offset) to 12 (type matches). */
  readonly kind: number;
  /** For messages: `struct task_struct.tgid`, or the access string if names are not available. */
  readonly what: string;
}
