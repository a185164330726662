import type { EvidenceCollector } from "../evidence/evidence-collector.js";
import { firstWide, LD_SRC, OP } from "../insn/insn.js";
import type { Code } from "../model/code.js";
import { FOREIGN, type Maps } from "./maps.js";
import { type Flow, functionAt } from "./states/flow.js";
import { ANY_OFFSET, ANYTHING, GIVEN_MEMORY, KIND } from "./values/kinds.js";
import type { Scratch } from "./values/scratch.js";
import type { Values } from "./values/values.js";

/** The values of all `ld_imm64` of a program, read once: numbers, maps and their values, kernel symbols, callbacks. */
export class Literals {
  /** By half of the slot, since each takes two slots; empty if no instruction is an `ld_imm64`. */
  readonly #loaded: Int32Array;

  constructor(
    readonly code: Code,
    readonly values: Values,
    readonly maps: Maps,
    readonly findings: EvidenceCollector,
    readonly flow: Flow,
    /** From rewritten-slots.ts. */
    readonly rewrittenSlots: Int32Array | null,
    scratch: Scratch,
  ) {
    const { opcode, count } = code.insns;
    const first = firstWide(code.insns);
    this.#loaded = scratch.takeAny(first === count ? 0 : (count + 1) >> 1);
    for (let slot = first; slot < count; slot++)
      if (opcode[slot] === OP.LD_IMM64) this.#loaded[slot >> 1] = this.#read(slot);
  }

  /** The value that the `ld_imm64` in this slot loads. */
  load(slot: number): number {
    if (this.code.insns.src[slot] === LD_SRC.BTF_ID) {
      const name = this.code.ksymAt(slot)?.name;
      const which = name === undefined ? "a kernel symbol" : `kernel symbol \`${name}\``;
      this.findings.note("reads_kernel_memory", slot, `takes the address of ${which}`);
    }
    return this.#loaded[slot >> 1]!;
  }

  #read(slot: number): number {
    const { imm, src } = this.code.insns;
    const { values, maps } = this;
    switch (src[slot]) {
      case LD_SRC.NUMBER:
        // The address of a typeless symbol is not known before the load; 0 if it is weak and missing.
        if (this.rewrittenSlots !== null && this.rewrittenSlots[slot] !== 0) return values.any;
        if (this.code.ksymAt(slot) !== null) return values.any;
        return values.constant(imm[slot]!, imm[slot + 1]!);
      case LD_SRC.MAP_FD:
      case LD_SRC.MAP_IDX: {
        const reference = this.code.mapAt(slot);
        return values.pointer(KIND.MAP, reference === null ? FOREIGN : maps.bit(reference.map));
      }
      case LD_SRC.MAP_VALUE:
      case LD_SRC.MAP_IDX_VALUE: {
        const reference = this.code.mapAt(slot);
        if (reference === null) return values.pointer(KIND.MAP_VALUE, FOREIGN);
        return values.pointer(KIND.MAP_VALUE, maps.bit(reference.map), reference.offset ?? ANY_OFFSET);
      }
      case LD_SRC.BTF_ID:
        return values.pointer(GIVEN_MEMORY | KIND.NUMBER);
      case LD_SRC.FUNC: {
        const index = functionAt(this.flow, slot + 1 + imm[slot]!);
        if (index !== -1) return values.pointer(KIND.FUNCTION, 0, index);
        break;
      }
    }
    this.findings.anything(slot, "loads an unknown value");
    return values.pointer(ANYTHING, -1);
  }
}
