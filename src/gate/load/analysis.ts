import type { Btf } from "../../bpf/btf.js";
import type { CodeMap } from "../../bpf/code.js";
import type { ProgramFacts } from "../../bpf/facts.js";
import { factsOfLoad, type KernelTypes, type Load } from "../../bpf/load.js";
import { type Failure, failureOf } from "../../engine/failure.js";

/** A load to be analysed, as plain data, which crosses threads. */
export interface Analysis extends Omit<Load, "fds" | "kernel"> {
  /** By the task's fd (`fd 5`) or by index into fd_array (`index 0`). */
  readonly maps: ReadonlyMap<string, CodeMap>;
  /** What it names of the kernel's BTF; null where nothing is known of that. */
  readonly kernel: NamedTypes | null;
}

/** Who analyses a load, in this thread or in another one. */
export interface Analyst {
  /** Whether that was done in an earlier turn of the call. */
  readonly hasAnalysed: boolean;
  analyse(analysis: Analysis): Analysed;
}

/** What came of it: facts, or why there are none. */
export type Analysed = { readonly facts: ProgramFacts } | { readonly failure: Failure };

export function analyse({ maps, kernel, ...load }: Analysis): Analysed {
  const fds = {
    mapByFd: (fd: number) => maps.get(`fd ${fd}`) ?? null,
    mapByIndex: (index: number) => maps.get(`index ${index}`) ?? null,
  };
  try {
    return { facts: factsOfLoad({ ...load, fds, kernel: kernel === null ? null : kernelTypes(kernel) }) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

/** Types of the kernel by their ids: only those that one load names, since the BTF has several megabytes. */
interface NamedTypes {
  readonly count: number;
  readonly types: ReadonlyMap<number, { readonly kind: ReturnType<Btf["kind"]>; readonly name: string }>;
  /** The member of the struct that a struct_ops program is for. */
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

/** What a program attaches to, by bpf_attr. */
interface Target {
  readonly attachBtfId: number;
  /** Of a struct_ops program the index of its member. */
  readonly expectedAttachType: number;
}

/** What a load names of the kernel's BTF: functions that it calls, variables, and what it attaches to. */
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
