import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import { type Access, localAccess } from "./access.js";
import { coreError } from "./core-error.js";
import type { Kernel, KernelType } from "./kernel.js";
import { kernelAccess } from "./kernel-access.js";
import { RELO } from "./relo-kind.js";
import type { What } from "./relocation.js";
import { type Resolution, resolutionOf } from "./resolution.js";
import type { Steps } from "./steps.js";
import { relocationValue, type Value } from "./value.js";
import type { LibbpfVariant } from "./variant.js";

/** What one relocation finds in the kernel, before candidates are compared. */
interface Finding {
  readonly local: Access;
  readonly ours: Value | null;
  readonly matches: readonly Match[];
  /** Whether the kernel has at most one candidate, whether or not it matches. */
  readonly isUnique: boolean;
}

/** A candidate that has what the relocation refers to. */
interface Match {
  readonly type: KernelType;
  readonly bit: number;
  readonly resolution: Resolution;
}

/** For each local type, by id, the candidates that matched all earlier relocations of it. */
export type LeftOver = Map<number, ReadonlySet<KernelType>>;

/** Resolves the CO-RE relocations of one object for one kernel. Equal relocations are resolved once. */
export class Resolver {
  readonly #findings = new Map<string, Finding | CountersignError>();

  constructor(
    readonly btf: Btf,
    readonly kernel: Kernel,
    readonly variant: LibbpfVariant,
    private readonly steps: Steps,
  ) {}

  /**
   * Computes the change of an instruction (bpf_core_calc_relo_insn). All candidates that match must agree; candidates
   * that do not match are skipped by later relocations of the same local type. Throws CORE_AMBIGUOUS and others.
   */
  resolve(what: What, leftOver: LeftOver): Resolution {
    const { local, ours, matches, isUnique } = this.#finding(what);
    if (what.kind === RELO.TYPE_ID_LOCAL) return unchanged(what.typeId);
    const allowed = leftOver.get(what.typeId);
    const matching = allowed === undefined ? matches : matches.filter(({ type }) => allowed.has(type));
    const [first, ...others] = matching;
    if (first === undefined) return resolutionOf(local, ours, null, relocationValue(what.kind, null, this.variant));
    for (const other of others) requireAgreement(first, other);
    if (!isUnique) leftOver.set(what.typeId, new Set(matching.map(({ type }) => type)));
    return first.resolution;
  }

  #finding(what: What): Finding {
    const key = `${what.typeId} ${what.kind} ${what.access}`;
    let found = this.#findings.get(key);
    if (found === undefined) {
      try {
        found = this.#find(what);
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error;
        found = error;
      }
      this.#findings.set(key, found);
    }
    if (found instanceof CountersignError) throw found;
    return found;
  }

  #find(what: What): Finding {
    const { btf, kernel, variant } = this;
    const { typeId, kind } = what;
    const local = localAccess(btf, what);
    if (kind === RELO.TYPE_ID_LOCAL) return { local, ours: null, matches: [], isUnique: true };
    const name = btf.name(typeId);
    if (name === "")
      throw coreError("CORE_MALFORMED", `type ${typeId} has no name by which the kernel's could be found`);
    const ours = relocationValue(kind, local, variant);
    const steps = this.steps.begin();
    const candidates = kernel.candidates(btf.kind(typeId), name);
    const matches = candidates.flatMap((type): Match[] => {
      steps.take();
      const access = kernelAccess(local, kind, type.btf, type.id, steps);
      if (access === null) return [];
      const its = relocationValue(kind, access, variant);
      return [{ type, bit: access.bit, resolution: resolutionOf(local, ours, access, its) }];
    });
    return { local, ours, isUnique: candidates.length <= 1, matches };
  }
}

/** The id of a local type. The instruction is not checked: linking the object can have renumbered its types. */
function unchanged(typeId: number): Resolution {
  const value = BigInt(typeId);
  return { poison: false, from: value, to: value, checked: false, fromSize: 0, toSize: 0, fixedSize: false };
}

function requireAgreement(first: Match, other: Match): void {
  if (first.bit !== other.bit) throw ambiguous(first.type, `at bit ${first.bit}`, other.type, `at bit ${other.bit}`);
  const [one, two] = [first.resolution, other.resolution];
  if (one.poison !== two.poison || one.to !== two.to) throw ambiguous(first.type, `${one.to}`, other.type, `${two.to}`);
}

function ambiguous(first: KernelType, one: string, other: KernelType, two: string): CountersignError {
  return coreError("CORE_AMBIGUOUS", `${titleOf(first)} gives ${one}, and ${titleOf(other)} gives ${two}`);
}

/** Such as `struct foo` (type 42 of module nf_tables). */
function titleOf({ btf, id, module }: KernelType): string {
  const of = module === null ? "vmlinux" : `module ${module}`;
  return `\`${btf.kind(id)} ${btf.name(id)}\` (type ${id} of ${of})`;
}
