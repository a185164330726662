import type { Btf } from "../btf/btf.js";
import { type ByteOrder, CALL_SRC, decodeInsns, type Insns, LD_SRC, OP } from "../insn/insn.js";
import type { Code, CodeFunction, KernelName, MapReference } from "../model/code.js";
import type { ObjectProgram } from "../object/program.js";
import type { Relocated } from "./relocated.js";

/**
 * A program as a loader passes it to one kernel, as input of the analysis: values from relocations are constants, and
 * branches that this kernel does not take are known as such. Names of kfuncs and typed symbols are those of the object.
 */
export class RelocatedCode implements Code {
  readonly insns: Insns;
  readonly byteOrder: ByteOrder;
  readonly type: string;
  readonly expectedAttachType: string | null;
  readonly attachTo: string | null;
  readonly kernelProbe: boolean;
  readonly functions: readonly CodeFunction[];
  readonly btf: Btf | null;
  /** Names of modules by the slots that refer to them. */
  readonly #modules: ReadonlyMap<number, string>;
  /** The slot in the object's program of each slot; null if they are the same. */
  readonly #origins: Uint32Array | null;

  constructor(
    private readonly program: ObjectProgram,
    relocated: Relocated,
  ) {
    const { byteOrder, type, expectedAttachType, attachTo, kernelProbe, functions, btf } = program;
    const { slots } = relocated;
    this.insns = decodeInsns(relocated.insns, byteOrder);
    this.byteOrder = byteOrder;
    this.type = type;
    this.expectedAttachType = expectedAttachType;
    this.attachTo = attachTo;
    this.kernelProbe = kernelProbe;
    this.functions = slots === null ? functions : functionsAt(functions, slots);
    this.#origins = slots === null ? null : inverseOf(slots);
    this.btf = btf;
    this.#modules = new Map(relocated.modules.map(({ slot, module }) => [slot, module]));
  }

  mapAt(slot: number): MapReference | null {
    return this.insns.opcode[slot] === OP.LD_IMM64 ? this.program.mapAt(this.#origin(slot)) : null;
  }

  /** A weak kfunc that the kernel lacks is no longer called. */
  kfuncAt(slot: number): KernelName | null {
    const { opcode, src } = this.insns;
    const called = opcode[slot] === OP.CALL && src[slot] === CALL_SRC.KFUNC;
    return called ? this.#named(slot, this.program.kfuncAt(this.#origin(slot))) : null;
  }

  /** A weak symbol that the kernel lacks is the number 0, and a typeless one its address. */
  ksymAt(slot: number): KernelName | null {
    const { opcode, src } = this.insns;
    const typed = opcode[slot] === OP.LD_IMM64 && src[slot] === LD_SRC.BTF_ID;
    return typed ? this.#named(slot, this.program.ksymAt(this.#origin(slot))) : null;
  }

  rewrittenAt(): null {
    return null;
  }

  rewrittenSlots(): readonly number[] {
    return [];
  }

  sourceAt(slot: number): string | null {
    return this.program.sourceAt(this.#origin(slot));
  }

  /** What an instruction referred to before relocation: `field struct task_struct.tgid`, or the name of a kfunc. */
  describe(slot: number): string {
    const origin = this.#origin(slot);
    // An `ld_imm64` is replaced by two calls.
    const rewrite = this.program.rewrittenAt(origin) ?? this.program.rewrittenAt(origin - 1);
    if (rewrite !== null) return `\`${rewrite.what}\``;
    const kfunc = this.program.kfuncAt(origin);
    return kfunc === null ? "such map" : `kfunc \`${kfunc.name}\``;
  }

  #origin(slot: number): number {
    return this.#origins?.[slot] ?? slot;
  }

  #named(slot: number, name: KernelName | null): KernelName | null {
    return name === null ? null : { ...name, module: this.#modules.get(slot) ?? null };
  }
}

/** cilium/ebpf can put functions into another order; the program itself stays first. */
function functionsAt(functions: readonly CodeFunction[], slots: Uint32Array): readonly CodeFunction[] {
  const moved = functions.map((each) => {
    const start = slots[each.start]!;
    return { ...each, start, end: start + each.end - each.start };
  });
  return moved.sort((a, b) => a.start - b.start);
}

function inverseOf(slots: Uint32Array): Uint32Array {
  const origins = new Uint32Array(slots.length);
  for (const [origin, slot] of slots.entries()) origins[slot] = origin;
  return origins;
}
