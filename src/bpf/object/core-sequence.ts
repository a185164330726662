import type { Btf } from "../btf/btf.js";
import type { BtfExt } from "../btf/btf-ext.js";
import type { CoreRelocation } from "../core/relocation.js";
import type { FunctionRelocation } from "../core/unrelocated.js";
import type { ElfFunction } from "../elf/symbols.js";
import { INSN_SIZE } from "../insn/insn.js";
import { coreRelocationOf } from "./core-relo.js";
import type { Part } from "./link.js";

/**
 * The CO-RE relocations of all functions that libbpf relocates, in its order: that of `.BTF.ext`. An earlier one can
 * decide which types a later one may refer to.
 */
export class CoreSequence {
  readonly relocations: readonly FunctionRelocation[];
  /** Places in `relocations` by section and slot. */
  readonly #positions = new Map<string, Map<number, number>>();

  constructor(ext: BtfExt, btf: Btf, functions: readonly ElfFunction[]) {
    const found: FunctionRelocation[] = [];
    const bySection = new Map<string, ElfFunction[]>();
    for (const of of functions) {
      const others = bySection.get(of.section.name);
      if (others === undefined) bySection.set(of.section.name, [of]);
      else others.push(of);
    }
    for (const section of ext.sections("relocations")) {
      // libbpf loads what is in a section `?…` only on request.
      if (section.startsWith("?")) continue;
      const positions = new Map<number, number>();
      this.#positions.set(section, positions);
      for (const { section: of, offset: start, size } of bySection.get(section) ?? []) {
        const insns = of.data.subarray(start, start + size);
        for (const { offset, records, record } of ext.relocations(section, start, size)) {
          positions.set(Math.floor(offset / INSN_SIZE), found.length);
          const slot = Math.floor((offset - start) / INSN_SIZE);
          found.push({ ...coreRelocationOf(slot, records, record, btf), insns });
        }
      }
    }
    this.relocations = found;
  }

  /** Adds to the relocations of a linked program, in ascending order, their places in the sequence. */
  placed(relocations: readonly CoreRelocation[], parts: readonly Part[]): readonly CoreRelocation[] {
    let at = 0;
    return relocations.map((relocation) => {
      while ((parts[at + 1]?.start ?? Number.POSITIVE_INFINITY) <= relocation.slot) at += 1;
      const { function: part, start } = parts[at]!;
      const slot = part.offset / INSN_SIZE + relocation.slot - start;
      const position = this.#positions.get(part.section.name)?.get(slot);
      return position === undefined ? relocation : { ...relocation, position };
    });
  }
}
