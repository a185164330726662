import { CountersignError } from "../error.js";
import { effectsOf } from "./analysis/effects.js";
import { programFacts } from "./analysis/program-facts.js";
import { Scratch } from "./analysis/values/scratch.js";
import { Btf } from "./btf/btf.js";
import { zeroMapReferences } from "./insn/digest.js";
import { INSN_SIZE } from "./insn/insn.js";
import { LiveProgram, type LoadFds, liveRecords } from "./live-program.js";
import type { ProgramFacts } from "./model/facts.js";
import { attachTypeName, programTypeName } from "./object/section.js";

/**
 * A copy of a BPF_PROG_LOAD with all memory that its pointers refer to, in the byte order of this (little-endian)
 * machine.
 */
export interface Load {
  /** `union bpf_attr` with the size that the caller gave. */
  readonly attr: Uint8Array;
  readonly insns: Uint8Array;
  readonly license: string;
  /** The BTF of prog_btf_fd; null if there is none. */
  readonly btf: Uint8Array | null;
  readonly funcInfo: Uint8Array;
  readonly lineInfo: Uint8Array;
  /** Empty if the kernel does not apply them. */
  readonly coreRelos: Uint8Array;
  readonly fds: LoadFds;
  /** The running kernel's BTF, which maps ids to names; null if there is none. */
  readonly kernel: KernelTypes | null;
}

/** The part of Btf that is used for the running kernel. */
export type KernelTypes = Pick<Btf, "count" | "kind" | "name" | "member">;

/**
 * The facts about a program that is about to be loaded: those of its object file, except for what relocations change.
 * Throws LOAD_MALFORMED, INSN_MALFORMED and BTF_MALFORMED for loads that the kernel would reject too.
 */
export function factsOfLoad(load: Load): ProgramFacts {
  const scratch = Scratch.begin();
  try {
    return factsWithin(load, scratch);
  } finally {
    scratch.end();
  }
}

function factsWithin(load: Load, scratch: Scratch): ProgramFacts {
  const attr = new Attr(load.attr);
  if (attr.u32(ATTR.insnCount) * INSN_SIZE !== load.insns.length)
    throw new CountersignError("LOAD_MALFORMED", `${load.insns.length} bytes are not its instructions`, {
      place: "bpf_attr",
      remedy: "load the program again",
    });
  const btf = load.btf === null ? null : new Btf(load.btf, "the program's BTF");
  const name = attr.text(ATTR.name, NAME_SIZE);
  const type = programTypeName(attr.u32(ATTR.type));
  const functions = attr.u32(ATTR.funcInfoCount);
  const lines = attr.u32(ATTR.lineInfoCount);
  // before Linux 7.3 the kernel ignores core_relos without records of functions or lines, and the load has no copy
  const ignored = functions === 0 && lines === 0 && load.coreRelos.length === 0;
  const relocations = ignored ? 0 : attr.u32(ATTR.coreReloCount);
  const code = new LiveProgram({
    name,
    insns: load.insns,
    type,
    // For struct_ops, this field is the index of the member.
    expectedAttachType: type === "struct_ops" ? null : attachTypeName(type, attr.u32(ATTR.expectedAttachType)),
    attachTo: attachTarget(attr, type, load.kernel),
    btf,
    kernel: load.kernel,
    functions: liveRecords(load.funcInfo, attr.u32(ATTR.funcInfoSize), functions, "functions"),
    lines: liveRecords(load.lineInfo, attr.u32(ATTR.lineInfoSize), lines, "lines"),
    relocations: liveRecords(load.coreRelos, attr.u32(ATTR.coreReloSize), relocations, "relocations"),
    fds: load.fds,
    scratch,
  });
  const origin = {
    name: code.functions[0]?.name ?? name,
    section: null,
    license: load.license,
    insns: zeroMapReferences(load.insns, "little"),
    rawInsns: load.insns,
  };
  return programFacts(code, origin, effectsOf(code, scratch));
}

/** Offsets in `union bpf_attr` for BPF_PROG_LOAD (include/uapi/linux/bpf.h). */
const ATTR = {
  type: 0,
  insnCount: 4,
  name: 48,
  expectedAttachType: 68,
  funcInfoSize: 76,
  funcInfoCount: 88,
  lineInfoSize: 92,
  lineInfoCount: 104,
  attachBtfId: 108,
  attachFd: 112,
  coreReloCount: 116,
  coreReloSize: 136,
} as const;
/** BPF_OBJ_NAME_LEN */
const NAME_SIZE = 16;

/** A bpf_attr that is shorter than the kernel's reads as zero beyond its end (CHECK_ATTR, kernel/bpf/syscall.c). */
class Attr {
  constructor(private readonly bytes: Uint8Array) {}

  u32(at: number): number {
    if (at + 4 > this.bytes.length) return this.#partly(at);
    const { bytes } = this;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  text(at: number, size: number): string {
    const bytes = this.bytes.subarray(at, at + size);
    const end = bytes.indexOf(0);
    if (end === 0 || bytes.length === 0) return "";
    return Buffer.from(end === -1 ? bytes : bytes.subarray(0, end)).toString("utf8");
  }

  #partly(at: number): number {
    let value = 0;
    for (let index = at; index < this.bytes.length; index++) value |= this.bytes[index]! << (8 * (index - at));
    return value >>> 0;
  }
}

/** Prefixes that the kernel's BTF adds to the names of attach targets. */
const PREFIX = /^(bpf_lsm_|btf_trace_|bpf_iter_)/;

/** The name for attach_btf_id, as in a section name; null if the target is another program or in a module. */
function attachTarget(attr: Attr, type: string, kernel: KernelTypes | null): string | null {
  const id = attr.u32(ATTR.attachBtfId);
  if (id === 0 || kernel === null || attr.u32(ATTR.attachFd) !== 0 || id >= kernel.count) return null;
  if (type !== "struct_ops") return kernel.name(id).replace(PREFIX, "") || null;
  const member = kernel.member(id, attr.u32(ATTR.expectedAttachType));
  return member === undefined ? null : `${kernel.name(id)}.${member.name}`;
}
