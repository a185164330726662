import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import { essentialName } from "../btf/essential-name.js";
import { INSN_SIZE, OP } from "../insn/insn.js";
import { ciliumTypesAreCompatible } from "./cilium-compatible.js";
import { ciliumAccess, ciliumFixup, type Fixup, isMiss, missingFixup } from "./cilium-fixup.js";
import { inCiliumOrder } from "./cilium-order.js";
import { coreError } from "./core-error.js";
import type { Kernel, KernelType } from "./kernel.js";
import { type LoadedInsns, placeOf } from "./libbpf-relocator.js";
import { Patcher } from "./patch.js";
import { RELO } from "./relo-kind.js";
import type { CoreRelocation } from "./relocation.js";
import { Steps } from "./steps.js";
import type { ModuleReference, UnrelocatedObject, UnrelocatedProgram } from "./unrelocated.js";

/**
 * Relocates the programs of one object for one kernel as cilium/ebpf 0.11 does. It differs from libbpf: it takes the
 * candidate with the fewest misses of all relocations of a type, searches types in vmlinux only, makes no load wider or
 * narrower, and has no weak symbols.
 */
export class CiliumRelocator {
  readonly #steps = new Steps();
  readonly #groups = new Map<string, readonly Fixup[] | CountersignError>();

  constructor(
    readonly object: UnrelocatedObject,
    readonly kernel: Kernel,
  ) {}

  relocate(program: UnrelocatedProgram): LoadedInsns {
    const little = this.object.order === "little";
    this.#refuseVariables();
    const reordered = inCiliumOrder(program, little);
    const slots = reordered?.slots ?? null;
    const insns = reordered?.insns ?? new Uint8Array(program.insns);
    const patcher = new Patcher(insns, little);
    const slotOf = (slot: number) => slots?.[slot] ?? slot;
    const poisoned = this.#applyRelocations(program, patcher, slotOf);
    return { insns, modules: this.#applyKfuncs(program, patcher, slotOf), poisoned, slots };
  }

  #refuseVariables(): void {
    const variable = this.object.externs.find(({ kind }) => kind === "ksym");
    if (variable !== undefined)
      throw coreError("CORE_UNSUPPORTED", "cilium/ebpf loads no object with kernel variables").within(
        `extern ${variable.name}`,
      );
  }

  #applyRelocations(program: UnrelocatedProgram, patcher: Patcher, slotOf: (slot: number) => number): number[] {
    const { btf } = this.object;
    const poisoned: number[] = [];
    const byType = new Map<number, CoreRelocation[]>();
    for (const relocation of program.relocations) {
      if (btf === null || relocation.slot >= program.insns.length / INSN_SIZE)
        throw coreError("CORE_MALFORMED", "has a relocation outside of the program, or without BTF");
      const others = byType.get(relocation.typeId);
      if (others === undefined) byType.set(relocation.typeId, [relocation]);
      else others.push(relocation);
    }
    for (const group of byType.values()) {
      const fixups = this.#fixups(group, btf!);
      for (const [index, relocation] of group.entries())
        try {
          const slot = slotOf(relocation.slot);
          if (apply(patcher, slot, fixups[index]!)) poisoned.push(slot);
        } catch (error) {
          throw error instanceof CountersignError ? error.within(placeOf(this.object, relocation)) : error;
        }
    }
    return poisoned;
  }

  /** The fixups of all relocations of a program about one local type. */
  #fixups(group: readonly CoreRelocation[], btf: Btf): readonly Fixup[] {
    const key = JSON.stringify([group[0]!.typeId, group.map(({ kind, access }) => [kind, access])]);
    let found = this.#groups.get(key);
    if (found === undefined) {
      try {
        found = this.#computeFixups(group, btf);
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error;
        found = error;
      }
      this.#groups.set(key, found);
    }
    if (found instanceof CountersignError) throw found.within(placeOf(this.object, group[0]!));
    return found;
  }

  #computeFixups(group: readonly CoreRelocation[], btf: Btf): readonly Fixup[] {
    const remote = group.filter(({ kind }) => kind !== RELO.TYPE_ID_LOCAL);
    const name = btf.name(group[0]!.typeId);
    if (remote.length > 0 && name === "") throw coreError("CORE_MALFORMED", "its type has no name");
    const best = remote.length === 0 ? [] : this.#best(remote, btf, name);
    let next = 0;
    return group.map((relocation) => (relocation.kind === RELO.TYPE_ID_LOCAL ? localId(relocation) : best[next++]!));
  }

  /**
   * The fixups for that type of this name, of any kind, which gives the fewest misses (coreCalculateFixups). Throws
   * CORE_UNSUPPORTED for a 32-bit kernel, for which cilium/ebpf makes a program that reads the wrong bytes.
   */
  #best(group: readonly CoreRelocation[], btf: Btf, name: string): readonly Fixup[] {
    this.kernel.require64Bits();
    const { vmlinux } = this.kernel;
    const steps = this.#steps.begin();
    let best = group.map(({ kind }) => missingFixup(kind));
    let [bestMisses, isFound] = [group.length, false];
    for (const id of vmlinux.candidates(essentialName(name))) {
      steps.take();
      const fixups = group.map((relocation) => ciliumFixup(relocation, btf, { btf: vmlinux, id }, steps));
      const misses = fixups.filter((fixup, index) => isMiss(group[index]!.kind, fixup)).length;
      if (misses > bestMisses) continue;
      if (misses < bestMisses) [best, bestMisses, isFound] = [fixups, misses, true];
      else if (isFound && best.some(({ from, to }, index) => from !== fixups[index]!.from || to !== fixups[index]!.to))
        throw coreError("CORE_AMBIGUOUS", `several types \`${name}\` of the kernel fit equally well`);
    }
    return best;
  }

  #applyKfuncs(
    { externReferences }: UnrelocatedProgram,
    patcher: Patcher,
    slotOf: (slot: number) => number,
  ): readonly ModuleReference[] {
    const modules: ModuleReference[] = [];
    const calls = externReferences.map(({ slot, ...reference }) => ({ slot: slotOf(slot), ...reference }));
    for (const { slot, extern, call } of calls.sort((a, b) => a.slot - b.slot)) {
      const { id, module } = this.#kfunc(extern, call, slot);
      if (module !== null) modules.push({ slot, module, index: modules.length + 1 });
      patcher.kfunc(slot, id, module === null ? 0 : modules.length);
    }
    return modules;
  }

  #kfunc(index: number, call: boolean, slot: number): KernelType {
    const extern = this.object.externs[index];
    const place = `instruction ${slot}`;
    if (extern === undefined || !call || extern.weak || this.object.btf === null)
      throw coreError("CORE_UNSUPPORTED", "cilium/ebpf neither knows weak kfuncs nor takes their address").within(
        place,
      );
    const found = this.kernel.find("func", extern.name);
    if (found === null) throw coreError("CORE_UNRESOLVED", `the kernel has no kfunc \`${extern.name}\``).within(place);
    const local = { btf: this.object.btf, id: extern.typeId };
    if (!ciliumTypesAreCompatible(local, { btf: found.btf, id: found.btf.target(found.id) }, new Steps().begin()))
      throw coreError("CORE_UNRESOLVED", `the kernel's \`${extern.name}\` has another type`).within(place);
    return found;
  }
}

/** cilium/ebpf keeps the type id of the object's BTF, although the BTF that it loads has other ids. */
function localId({ typeId, access }: CoreRelocation): Fixup {
  const path = ciliumAccess(access);
  if (path.length > 1 || path[0] !== 0) throw coreError("CORE_MALFORMED", "a type has no fields to access");
  return { from: typeId, to: typeId, poison: false, checked: true };
}

const MAX_IMM = 0x7fff_ffff;

/** Applies a fixup (COREFixup.Apply). Returns whether it made the instruction an invalid call. */
function apply(patcher: Patcher, slot: number, { from, to, poison, checked }: Fixup): boolean {
  const opcode = patcher.opcode(slot);
  if (poison && opcode === OP.LD_IMM64)
    throw coreError("CORE_UNSUPPORTED", "cilium/ebpf puts one slot into the place of two, so that jumps go wrong");
  const isAlu = (opcode & OP.CLASS) === OP.ALU || (opcode & OP.CLASS) === OP.ALU64;
  if (isAlu && !poison && to > MAX_IMM) throw coreError("CORE_UNSUPPORTED", `value ${to} is larger than an immediate`);
  const sizes = { fromSize: 0, toSize: 0, fixedSize: false };
  return patcher.apply(slot, { poison, from: BigInt(from), to: BigInt(to), checked, ...sizes }) > 0;
}
