import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import type { BtfExt } from "../btf/btf-ext.js";
import type { Kernel } from "../core/kernel.js";
import { ProgramRelocator } from "../core/program.js";
import type { CoreRelocation } from "../core/relocation.js";
import type { ExternReference, RelocatedProgram } from "../core/unrelocated.js";
import type { Variant } from "../core/variant.js";
import type { Elf } from "../elf/elf.js";
import type { ElfFunction, ObjectSymbols } from "../elf/symbols.js";
import { INSN_SIZE } from "../insn/insn.js";
import { coreRelocationOf } from "../object/core-relo.js";
import { CoreSequence } from "../object/core-sequence.js";
import type { Extern } from "../object/externs.js";
import type { Part } from "../object/link.js";
import type { ObjectProgram } from "../object/program.js";

/** What relocation takes from an object. */
export interface RelocatableObject {
  readonly elf: Elf;
  readonly btf: Btf | null;
  readonly ext: BtfExt | null;
  readonly externs: readonly Extern[];
  /** The programs that libbpf would load, in its order. */
  readonly functions: readonly ElfFunction[];
  readonly symbols: ObjectSymbols;
}

/** What the programs of one object share is computed once for each kernel and variant. */
const relocators = new WeakMap<RelocatableObject, WeakMap<Kernel, Map<Variant, ObjectRelocator>>>();

/** The relocator of an object, which is made once. */
export function relocatorOf(object: RelocatableObject, kernel: Kernel, variant: Variant): ObjectRelocator {
  const byKernel = relocators.get(object) ?? new WeakMap<Kernel, Map<Variant, ObjectRelocator>>();
  relocators.set(object, byKernel);
  const byVariant = byKernel.get(kernel) ?? new Map<Variant, ObjectRelocator>();
  byKernel.set(kernel, byVariant);
  let relocator = byVariant.get(variant);
  if (relocator === undefined) {
    relocator = new ObjectRelocator(object, kernel, variant);
    byVariant.set(variant, relocator);
  }
  return relocator;
}

/** Relocates the programs of one object for one kernel, as one loader does. */
class ObjectRelocator {
  readonly #programs: ProgramRelocator;
  readonly #sequence: CoreSequence | null;
  /** Indexes of externs by their BTF ids. */
  readonly #externs: ReadonlyMap<number, number>;
  /** Null if there is none; undefined before it is known. */
  #failure: CountersignError | null | undefined;

  constructor(
    private readonly object: RelocatableObject,
    kernel: Kernel,
    private readonly variant: Variant,
  ) {
    const { elf, btf, ext, externs, functions, symbols } = object;
    const all = [...symbols.subprograms, ...functions];
    this.#sequence = btf === null || ext === null ? null : new CoreSequence(ext, btf, all);
    const sequence = this.#sequence?.relocations ?? [];
    this.#programs = new ProgramRelocator({ order: elf.order, btf, externs, sequence }, kernel, variant);
    this.#externs = new Map(externs.map(({ btfId }, index) => [btfId, index]));
  }

  relocate({ name }: ElfFunction, program: ObjectProgram): RelocatedProgram {
    if (this.#failure === undefined) this.#failure = this.variant === "cilium" ? null : this.#subprogramFailure();
    if (this.#failure !== null) throw this.#failure;
    const { insns, parts, references } = program.linked;
    const externReferences = [...references].flatMap(([slot, { to, ...reference }]) =>
      "name" in reference
        ? [{ slot, extern: this.#externs.get(reference.name.btfId ?? 0) ?? -1, call: to === "kfunc" }]
        : [],
    );
    return this.#relocate(name, insns, parts, program.coreRelocations(), externReferences);
  }

  #relocate(
    name: string,
    insns: Uint8Array,
    parts: readonly Part[],
    relocations: readonly CoreRelocation[],
    externReferences: readonly ExternReference[],
  ): RelocatedProgram {
    const functions = parts.map(({ function: { name }, start }) => ({ name, start }));
    const placed = this.#sequence?.placed(relocations, parts) ?? relocations;
    return this.#programs.relocate({ name, insns, functions, relocations: placed, externReferences });
  }

  /** libbpf relocates all functions of `.text`, even if no program calls them, and loads nothing if one fails. */
  #subprogramFailure(): CountersignError | null {
    const { btf, ext, symbols } = this.object;
    if (btf === null || ext === null) return null;
    for (const of of symbols.subprograms) {
      const { name, section, offset, size } = of;
      const relocations = ext
        .relocations(section.name, offset, size)
        .map(({ offset: at, records, record }) =>
          coreRelocationOf(Math.floor((at - offset) / INSN_SIZE), records, record, btf),
        );
      if (relocations.length === 0) continue;
      try {
        this.#relocate(
          name,
          section.data.subarray(offset, offset + size),
          [{ function: of, start: 0 }],
          relocations,
          [],
        );
      } catch (error) {
        if (error instanceof CountersignError) return error;
        throw error;
      }
    }
    return null;
  }
}
