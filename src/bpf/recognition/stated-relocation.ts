import { CountersignError } from "../../error.js";
import { findAttachTarget } from "../core/attach-target.js";
import type { Kernel } from "../core/kernel.js";
import { ProgramRelocator } from "../core/program.js";
import type { RelocatedProgram, UnrelocatedProgram } from "../core/unrelocated.js";
import { VARIANTS, type Variant } from "../core/variant.js";
import { INSN_SIZE, OP } from "../insn/insn.js";
import { attachTypeName, programTypeName } from "../object/section.js";
import type { StatedProgram } from "../statement/content.js";
import { btfOf } from "../statement/settings.js";
import type { RelocatedForm, StatedObjectForm } from "./stated-program.js";

/**
 * The loaders whose loads can match. Others make BTF of their own, and cilium/ebpf does so for each program: the BTF
 * that a statement covers is what libbpf makes.
 */
const LOADERS = VARIANTS.filter((variant) => variant.startsWith("libbpf"));

/**
 * Maximum number of steps of the relocations of one object for one loader: 10 times what the largest of libbpf-tools
 * takes. Whoever writes a statement chooses its types, and the decision thread cannot do anything else meanwhile. Of
 * 200,000 steps that match types with the kernel's own, which are the slowest, it takes 130 ms.
 */
const MAX_STEPS = 200_000;

/**
 * Relocates the programs of statements for one kernel, as each version of libbpf does. Each program is recomputed as a
 * whole; what the versions agree on is one form.
 */
export class StatedRelocator {
  readonly #relocators = new WeakMap<StatedObjectForm, Map<Variant, ProgramRelocator>>();

  /** The programs that the relocators of an object have relocated. */
  readonly #relocated = new WeakMap<StatedObjectForm, Set<number>>();

  #steps = 0;

  constructor(private readonly kernel: Kernel) {}

  /** The number of steps that all relocations took so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Throws the error of the first version if none can load the program on this kernel. */
  readonly relocate = (object: StatedObjectForm, index: number): readonly RelocatedForm[] => {
    this.#begin(object, index);
    const program = object.content.program.programs[index]!;
    const target = this.#targetOf(program);
    const unrelocated = unrelocatedOf(program);
    const forms = new Map<string, RelocatedForm>();
    let first: CountersignError | null = null;
    for (const loader of LOADERS)
      try {
        const { insns, digest, modules } = this.#counted(this.#relocatorOf(object, loader), unrelocated);
        const btfObjects = new Map(modules.map(({ slot, module }) => [slot, module]));
        const key = `${digest} ${JSON.stringify(modules)}`;
        if (!forms.has(key)) forms.set(key, { insns, btfObjects, ...target });
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error;
        first ??= error;
      }
    if (forms.size === 0 && first !== null) throw first;
    return [...forms.values()];
  };

  #counted(relocator: ProgramRelocator, program: UnrelocatedProgram): RelocatedProgram {
    const before = relocator.steps;
    try {
      return relocator.relocate(program);
    } finally {
      this.#steps += relocator.steps - before;
    }
  }

  /**
   * The relocators of an object have one limit of steps for all its programs. A program is relocated again with new
   * ones: otherwise, the limit would be reached sooner or later.
   */
  #begin(object: StatedObjectForm, index: number): void {
    const relocated = this.#relocated.get(object);
    if (relocated !== undefined && !relocated.has(index)) relocated.add(index);
    else {
      this.#relocated.set(object, new Set([index]));
      this.#relocators.delete(object);
    }
  }

  #targetOf({ type, expected_attach_type, attach_target: attachTo }: StatedProgram) {
    const name = programTypeName(type);
    const expectedAttachType = attachTypeName(name, expected_attach_type);
    const target = findAttachTarget({ type: name, expectedAttachType, attachTo }, this.kernel);
    const found = target?.found ?? null;
    return {
      attach: found === null ? null : { btfId: found.id, object: found.module ?? "vmlinux" },
      isMissing: target !== null && found === null && !target.inProgram,
      memberIndex: found?.member ?? null,
    };
  }

  #relocatorOf(object: StatedObjectForm, variant: Variant): ProgramRelocator {
    let byVariant = this.#relocators.get(object);
    if (byVariant === undefined) {
      byVariant = new Map();
      this.#relocators.set(object, byVariant);
    }
    let relocator = byVariant.get(variant);
    if (relocator === undefined) {
      const { object: stated } = object.content.program;
      const externs = stated.externs.map(({ name, kind, type_id: typeId, weak }) => ({ name, kind, typeId, weak }));
      const unrelocated = { order: stated.byte_order, btf: btfOf(stated), externs, maxSteps: MAX_STEPS };
      relocator = new ProgramRelocator(unrelocated, this.kernel, variant);
      byVariant.set(variant, relocator);
    }
    return relocator;
  }
}

function unrelocatedOf({ name, insns: base64, functions, ...stated }: StatedProgram): UnrelocatedProgram {
  const insns = Buffer.from(base64, "base64");
  return {
    ...{ name, insns, functions },
    relocations: stated.relocations.map(({ slot, type_id: typeId, access, kind }) => ({ slot, typeId, access, kind })),
    externReferences: stated.extern_references.map(({ slot, extern }) => ({
      ...{ slot, extern },
      call: insns[slot * INSN_SIZE] === OP.CALL,
    })),
  };
}
