import { CountersignError } from "../../error.js";
import { INSN_SIZE, LD_SRC } from "../insn/insn.js";
import { coreError } from "./core-error.js";
import { type ResolvedExtern, resolveExterns } from "./externs.js";
import type { Kernel } from "./kernel.js";
import { Patcher } from "./patch.js";
import { type CoreRelocation, describeRelocation } from "./relocation.js";
import type { Resolution } from "./resolution.js";
import { type LeftOver, Resolver } from "./resolver.js";
import { Steps } from "./steps.js";
import type { FunctionRelocation, ModuleReference, UnrelocatedObject, UnrelocatedProgram } from "./unrelocated.js";
import type { LibbpfVariant } from "./variant.js";

/** What a loader makes of the instructions of a program. */
export interface LoadedInsns {
  readonly insns: Uint8Array;
  readonly modules: readonly ModuleReference[];
  readonly poisoned: readonly number[];
  readonly slots: Uint32Array | null;
}

/** Relocates the programs of one object for one kernel as libbpf does. */
export class LibbpfRelocator {
  readonly #steps: Steps;
  readonly #resolver: Resolver | null;
  /** Null if the object cannot be loaded as a whole; undefined before it is known. */
  #sequence: readonly Resolution[] | null | undefined;
  #externs: readonly ResolvedExtern[] | CountersignError | undefined;

  constructor(
    readonly object: UnrelocatedObject,
    readonly kernel: Kernel,
    variant: LibbpfVariant,
  ) {
    this.#steps = new Steps(object.maxSteps);
    this.#resolver = object.btf === null ? null : new Resolver(object.btf, kernel, variant, this.#steps);
  }

  get #isLittle(): boolean {
    return this.object.order === "little";
  }

  /** The number of steps that all relocations took. */
  get steps(): number {
    return this.#steps.taken;
  }

  relocate(program: UnrelocatedProgram): LoadedInsns {
    // A copy: slice() of a Buffer is a view.
    const insns = new Uint8Array(program.insns);
    const patcher = new Patcher(insns, this.#isLittle);
    const poisoned = new Set<number>();
    this.#applyRelocations(program, patcher, poisoned);
    const modules = this.#applyExterns(program, patcher, poisoned);
    return { insns, modules, poisoned: [...poisoned], slots: null };
  }

  #applyRelocations({ insns, relocations }: UnrelocatedProgram, patcher: Patcher, poisoned: Set<number>): void {
    const leftOver: LeftOver = new Map();
    for (const relocation of relocations) {
      const { slot } = relocation;
      try {
        if (this.#resolver === null) throw coreError("CORE_MALFORMED", "has a relocation, and the object has no BTF");
        if (slot >= insns.length / INSN_SIZE) throw coreError("CORE_MALFORMED", "is outside of the program");
        const count = patcher.apply(slot, this.#resolve(this.#resolver, relocation, leftOver));
        for (let next = slot; next < slot + count; next++) poisoned.add(next);
      } catch (error) {
        throw error instanceof CountersignError ? error.within(placeOf(this.object, relocation)) : error;
      }
    }
  }

  #resolve(resolver: Resolver, relocation: CoreRelocation, leftOver: LeftOver): Resolution {
    const { position } = relocation;
    const { sequence = [] } = this.object;
    if (this.#sequence === undefined) this.#sequence = resolveAll(resolver, sequence, this.#isLittle);
    const found = position === undefined ? undefined : this.#sequence?.[position];
    return found ?? resolver.resolve(relocation, leftOver);
  }

  #applyExterns(program: UnrelocatedProgram, patcher: Patcher, poisoned: Set<number>): readonly ModuleReference[] {
    const externs = this.#resolvedExterns();
    const modules: ModuleReference[] = [];
    for (const { slot, extern, call } of program.externReferences) {
      const found = externs[extern];
      if (found === undefined || found.to === "kconfig")
        throw coreError("CORE_MALFORMED", "refers to no symbol of the kernel").within(`instruction ${slot}`);
      if (found.to === "unknown")
        throw coreError(
          "CORE_NEEDS_KALLSYMS",
          `kernel symbol \`${this.object.externs[extern]!.name}\` has an address that changes at each boot`,
        ).within(`instruction ${slot}`);
      if (call) {
        if (found.to === "type") patcher.kfunc(slot, found.id, found.index);
        else {
          patcher.missingKfunc(slot, extern);
          poisoned.add(slot);
        }
      } else if (found.to === "type") patcher.symbol(slot, LD_SRC.BTF_ID, BigInt(found.id));
      else patcher.symbol(slot, LD_SRC.NUMBER, found.to === "address" ? found.address : 0n);
      if (found.to === "type" && found.module !== null)
        modules.push({ slot, module: found.module, index: call ? found.index : null });
    }
    return modules;
  }

  #resolvedExterns(): readonly ResolvedExtern[] {
    if (this.#externs === undefined)
      try {
        this.#externs = resolveExterns(this.object.externs, this.object.btf, this.kernel, this.#steps);
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error;
        this.#externs = error;
      }
    if (this.#externs instanceof CountersignError) throw this.#externs;
    return this.#externs;
  }
}

/**
 * Resolves the relocations of a whole object. Returns null if one fails, or if its instruction cannot be changed: the
 * object then loads only if the loader leaves out programs, so each program is relocated as if it were loaded alone.
 */
function resolveAll(
  resolver: Resolver,
  relocations: readonly FunctionRelocation[],
  isLittle: boolean,
): readonly Resolution[] | null {
  const leftOver: LeftOver = new Map();
  const patchers = new Map<Uint8Array, Patcher>();
  try {
    return relocations.map((relocation) => {
      const { insns, slot } = relocation;
      const resolution = resolver.resolve(relocation, leftOver);
      const patcher = patchers.get(insns) ?? new Patcher(new Uint8Array(insns), isLittle);
      patchers.set(insns, patcher);
      patcher.apply(slot, resolution);
      return resolution;
    });
  } catch (error) {
    if (error instanceof CountersignError) return null;
    throw error;
  }
}

/** `instruction 12: struct task_struct.tgid`. */
export function placeOf({ btf }: UnrelocatedObject, relocation: CoreRelocation): string {
  const place = `instruction ${relocation.slot}`;
  try {
    return btf === null ? place : `${place}: ${describeRelocation(btf, relocation)}`;
  } catch {
    return place; // the BTF is malformed, so the relocation cannot be described
  }
}
