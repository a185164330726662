import type { Btf } from "../../../bpf/btf/btf.js";
import type { CodeMap } from "../../../bpf/model/code.js";
import type { ProgramFacts } from "../../../bpf/model/facts.js";
import { factsOfLoad, type KernelTypes, type Load } from "../../../bpf/prog-load.js";
import { type Failure, failureOf } from "../../../engine/threads/failure.js";

/** A load to analyse, as plain data that can be posted to another thread. */
export interface Analysis extends Omit<Load, "fds" | "kernel"> {
  /** Maps by the task's fd (`fd 5`) or by index into fd_array (`index 0`). */
  readonly maps: ReadonlyMap<string, CodeMap>;
  /** The types of the kernel's BTF that the load names; null if it names none or the kernel's BTF is not available. */
  readonly kernel: NamedTypes | null;
}

/** Runs the analysis of a load, in this thread or in another one. */
export interface Analyst {
  /** Whether the analysis was made in an earlier turn of the call. */
  readonly hasAnalysed: boolean;
  analyse(analysis: Analysis): Analysed;
}

/** The result of an analysis: facts, or the reason why it failed. */
export type Analysed = { readonly facts: ProgramFacts } | { readonly failure: Failure };

export function analyse(analysis: Analysis): Analysed {
  const { attr, insns, license, btf, funcInfo, lineInfo, coreRelos, maps, kernel } = analysis;
  const fds = {
    mapByFd: (fd: number) => maps.get(`fd ${fd}`) ?? null,
    mapByIndex: (index: number) => maps.get(`index ${index}`) ?? null,
  };
  try {
    const types = kernel === null ? null : kernelTypes(kernel);
    return { facts: factsOfLoad({ attr, insns, license, btf, funcInfo, lineInfo, coreRelos, fds, kernel: types }) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

/**
 * Types of the kernel by BTF id. It holds only the types that one load names, because the whole BTF has several
 * megabytes.
 */
interface NamedTypes {
  readonly count: number;
  readonly types: ReadonlyMap<number, { readonly kind: ReturnType<Btf["kind"]>; readonly name: string }>;
  /** The struct member that a struct_ops program implements. */
  readonly member: ReturnType<Btf["member"]>;
}

function kernelTypes({ count, types, member }: NamedTypes): KernelTypes {
  return {
    count,
    kind: (id) => types.get(id)?.kind ?? "void",
    name: (id) => types.get(id)?.name ?? "",
    member: () => member,
  };
}

const CALL = 0x85;
const LD_IMM64 = 0x18;
const KFUNC = 2;
const BTF_ID = 3;

/** The fields of bpf_attr that name what a program attaches to. */
interface Target {
  readonly attachBtfId: number;
  /** For a struct_ops program: the index of the struct member. */
  readonly expectedAttachType: number;
}

/**
 * Returns the types of the kernel's BTF that a load names: functions that it calls, variables, and its attach target.
 */
export function namedTypes(insns: Uint8Array, { attachBtfId, expectedAttachType }: Target, btf: Btf): NamedTypes {
  const types = new Map<number, { kind: ReturnType<Btf["kind"]>; name: string }>();
  const add = (id: number) => {
    if (id > 0 && id < btf.count && !types.has(id)) types.set(id, { kind: btf.kind(id), name: btf.name(id) });
  };
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  for (let at = 0; at + 8 <= insns.byteLength; at += 8) {
    const opcode = insns[at];
    if (opcode !== CALL && opcode !== LD_IMM64) continue;
    if (insns[at + 1]! >> 4 === (opcode === CALL ? KFUNC : BTF_ID)) add(view.getInt32(at + 4, true));
    if (opcode === LD_IMM64) at += 8;
  }
  add(attachBtfId);
  const member = attachBtfId < btf.count ? btf.member(attachBtfId, expectedAttachType) : undefined;
  return { count: btf.count, types, member };
}
