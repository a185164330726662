import { Btf } from "../../../src/bpf/btf/btf.js";
import type { Variant } from "../../../src/bpf/core/variant.js";
import { BpfObject } from "../../../src/bpf/object.js";
import { Kallsyms, Kernel, type Relocated, relocate } from "../../../src/bpf/relocate.js";
import { CountersignError } from "../../../src/error.js";
import type { InstalledObject } from "../../support/real-objects.js";
import type { KernelDescription } from "./kernel-folder.js";
import type { RecordedLoad, Recording } from "./recording.js";
import { isSameReason, reasonIn, WORDINGS, type Wording } from "./wording.js";

/** How the relocator's result for a program compares with libbpf's. */
export type Outcome =
  /** The same instructions, references to modules and attach target. */
  | "identical"
  /** Neither loads it, for the same reason. */
  | "refused"
  /** The attach target does not exist for either; with another one, where one can be given, they are identical. */
  | "target"
  | "different";

export interface Comparison {
  readonly recording: Recording;
  readonly outcome: Outcome;
  /** Of a difference what differs; of a refusal the relocator's reason. */
  readonly detail: string;
}

/** Compares recordings of libbpf with the relocator's results for the same kernel. */
export class Comparer {
  readonly #kernel: Kernel;
  readonly #config: string;
  readonly #wording: Wording;
  readonly #objects: ReadonlyMap<string, BpfObject | CountersignError>;

  constructor(
    kernel: KernelDescription,
    objects: readonly InstalledObject[],
    readonly variant: Variant,
  ) {
    const vmlinux = new Btf(kernel.vmlinux, "vmlinux");
    const modules = kernel.modules.map(({ name, btf }) => ({ name, btf: new Btf(btf, name, vmlinux) }));
    this.#kernel = new Kernel(vmlinux, modules, new Kallsyms(Buffer.from(kernel.kallsyms)));
    this.#wording = WORDINGS[variant];
    this.#config = `\n${Buffer.from(kernel.config)}`;
    this.#objects = new Map(objects.map(({ name, bytes }) => [name, orError(() => new BpfObject(bytes))]));
  }

  compare(recording: Recording): Comparison {
    const { load, refusal } = recording;
    const different = (detail: string): Comparison => ({ recording, outcome: "different", detail });
    const result = this.#relocate(recording);
    if (result instanceof CountersignError) {
      const detail = `${result.code}: ${result.message}`;
      if (refusal === null)
        return this.#isBroken(recording)
          ? { recording, outcome: "refused", detail }
          : different(`libbpf loads it, and we say ${detail}`);
      if (!isSameReason(refusal, result.code, this.#wording))
        return different(`libbpf says ${refusal.log[0]}, and we say ${detail}`);
      return { recording, outcome: "refused", detail };
    }
    if (refusal === null) {
      const found = differenceOf(load!, result, true);
      return found === null ? { recording, outcome: "identical", detail: "" } : different(found);
    }
    const first = reasonIn(refusal, this.#wording);
    const other = this.#otherReason(recording, first);
    if (other !== null) return { recording, outcome: "refused", detail: other };
    const { targets, type } = this.#wording;
    if (![...targets, ...type].some((pattern) => pattern.test(first)))
      return different(`libbpf says ${first}, and we relocate it`);
    const isForTarget = targets.some((pattern) => pattern.test(first));
    if (isForTarget && (result.attachTarget === null || result.attachTarget.found !== null))
      return different(`libbpf says ${first}, and we find ${JSON.stringify(result.attachTarget)}`);
    const found = load === null ? null : differenceOf(load, result, false);
    return found === null ? { recording, outcome: "target", detail: first } : different(found);
  }

  /** A reason that has nothing to do with relocation, if the object or the kernel's configuration confirms it. */
  #otherReason({ object: name, program: of }: Recording, first: string): string | null {
    const object = this.#objects.get(name) as BpfObject;
    const program = object.program(object.functions.find((each) => each.name === of)!);
    const { option: pattern, unsupported, noType, unused } = this.#wording;
    const option = pattern.exec(first)?.[1] ?? null;
    const isExtern = object.externs.some((each) => each.kind === "kconfig" && !each.weak && each.name === option);
    if (isExtern && !this.#config.includes(`\n${option}=`)) return `the configuration has no ${option}`;
    if (program.type === "unknown" && noType.test(first)) return "the section has no program type";
    if (program.type === "struct_ops" && program.attachTo === null && unused.test(first)) return "no table has it";
    return unsupported.some((each) => each.test(first)) ? "the loader cannot load it on any kernel" : null;
  }

  /** Whether a loader makes fewer instructions of a program than it has, so that its jumps go wrong. */
  #isBroken({ object: name, program: of, load }: Recording): boolean {
    const object = this.#objects.get(name) as BpfObject;
    const { insns } = object.program(object.functions.find((each) => each.name === of)!).linked;
    return load !== null && load.insns.length < insns.length;
  }

  #relocate({ object: name, program }: Recording): Relocated | CountersignError {
    const object = this.#objects.get(name)!;
    if (object instanceof CountersignError) return object;
    const of = object.functions.find((each) => each.name === program);
    if (of === undefined) throw new Error(`${name}: we find no program ${program}`);
    return orError(() => relocate(object, of, this.#kernel, this.variant));
  }
}

function orError<Value>(compute: () => Value): Value | CountersignError {
  try {
    return compute();
  } catch (error) {
    if (error instanceof CountersignError) return error;
    throw error;
  }
}

const INSN_SIZE = 8;

/** What differs between what libbpf passes to bpf(2) and what the relocator computes; null if nothing does. */
function differenceOf(load: RecordedLoad, result: Relocated, withTarget: boolean): string | null {
  const [theirs, ours] = [Buffer.from(load.insns), Buffer.from(result.insns)];
  if (theirs.length !== ours.length) return `${theirs.length / INSN_SIZE} instructions, not ${ours.length / INSN_SIZE}`;
  for (let at = 0; at < ours.length; at += INSN_SIZE) {
    const [one, other] = [theirs, ours].map((insns) => insns.toString("hex", at, at + INSN_SIZE));
    if (one !== other) return `instruction ${at / INSN_SIZE}: libbpf has ${one}, and we have ${other}`;
  }
  const modules = JSON.stringify(result.modules);
  const expected = JSON.stringify(modulesOf(load));
  if (modules !== expected) return `references to modules: libbpf has ${expected}, and we have ${modules}`;
  const target = withTarget ? targetDifference(load, result) : null;
  return target;
}

/** The references to BTF of modules in the form of the relocator's. */
function modulesOf({ insns, fdArray, btfs }: RecordedLoad): Relocated["modules"] {
  const view = Buffer.from(insns);
  const calls = [];
  for (let slot = 0; slot < view.length / INSN_SIZE; slot++) {
    const at = slot * INSN_SIZE;
    if (view[at] === LD_IMM64) slot += 1;
    else if (view[at] === CALL && view[at + 1]! >> 4 === KFUNC && view.readInt16LE(at + 2) !== 0) {
      const index = view.readInt16LE(at + 2);
      calls.push({ slot, module: fdArray[index]!, index });
    }
  }
  const variables = btfs
    .filter(([, btf]) => btf !== "vmlinux")
    .map(([slot, module]) => ({ slot, module, index: null }));
  return [...calls, ...variables].sort((a, b) => a.slot - b.slot);
}

const LD_IMM64 = 0x18;
const CALL = 0x85;
const KFUNC = 2;
const EXT = 28;
const STRUCT_OPS = 27;

function targetDifference(
  { type, attachType, attachBtfId, attachBtf }: RecordedLoad,
  result: Relocated,
): string | null {
  if (type === EXT) return result.attachTarget?.inProgram === true ? null : "no target in a program";
  const found = result.attachTarget?.found ?? null;
  const [id, btf] = [found?.id ?? 0, found?.module ?? "vmlinux"];
  const member = type === STRUCT_OPS ? attachType : null;
  if (id === attachBtfId && btf === attachBtf && member === (found?.member ?? null)) return null;
  return `attach target: libbpf has ${attachBtfId} of ${attachBtf}, ${member}; we have ${JSON.stringify(found)}`;
}
