import { sha256, zeroMapReferences } from "../bpf/digest.js";
import { decodeInsns } from "../bpf/insn.js";
import { programFacts } from "../bpf/program-facts.js";
import { ATTACH_TYPES, MAP_TYPES, PROGRAM_TYPES } from "../bpf/tables/names.gen.js";
import type { MapSubject, ProgramSubject } from "../hooks/subject.js";
import { type Attr, CREATE, LOAD } from "./attr.js";
import type { LiveLoad } from "./load.js";
import { firstValue, isFrozen, type KernelMap } from "./sys/bpf.js";

/** A live load as policies see it, or why its facts cannot be made. */
export function liveProgram(load: LiveLoad): ProgramSubject | string {
  const insns = decodeInsns(load.insns, "little");
  const facts = programFacts(
    {
      insns,
      byteOrder: "little",
      type: PROGRAM_TYPES[load.given.u32(LOAD.progType)] ?? "unknown",
      expectedAttachType: ATTACH_TYPES[load.given.u32(LOAD.expectedAttachType)] ?? null,
      attachTo: null,
      functions: [{ name: load.given.name(LOAD.progName), start: 0, end: insns.count, btfId: null, global: true }],
      mapAt: () => null,
      kfuncAt: () => null,
      ksymAt: () => null,
      rewrittenAt: () => null,
      rewrittenSlots: () => [],
      sourceAt: () => null,
      btf: null,
    },
    {
      name: load.given.name(LOAD.progName),
      section: null,
      license: load.license,
      insns: zeroMapReferences(load.insns, "little"),
      rawInsns: load.insns,
    },
  );
  return { ...facts, signature: null, kernel_signature: load.kernelSignature, object: null };
}

/** A map that is about to be created. Its digest is of the attr that asks for it, fds and pointers aside. */
export function createdMap(given: Attr): MapSubject {
  const facts = {
    name: given.name(CREATE.mapName),
    type: MAP_TYPES[given.u32(CREATE.mapType)] ?? "unknown",
    key_size: given.u32(CREATE.keySize),
    value_size: given.u32(CREATE.valueSize),
    max_entries: given.u32(CREATE.maxEntries),
    flags: given.u32(CREATE.mapFlags),
    contents: null,
  };
  return { ...facts, digest: digestOf(facts), access: null };
}

/** A map that is there, as the kernel reports it. */
export function liveMap(info: KernelMap, fd: number, access: string): MapSubject {
  const facts = {
    name: info.name,
    type: MAP_TYPES[info.type] ?? "unknown",
    key_size: info.keySize,
    value_size: info.valueSize,
    max_entries: info.maxEntries,
    flags: info.flags,
    contents: contentsOf(info, fd),
  };
  return { ...facts, digest: digestOf(facts), access };
}

/** BPF_F_RDONLY_PROG of linux/bpf.h, and BPF_MAP_TYPE_ARRAY: what libbpf makes of .rodata. */
const RDONLY_PROG = 1 << 7;
const ARRAY = 2;

/** SHA-256 of what neither programs nor user space can change any more; null for any other map. */
function contentsOf(info: KernelMap, fd: number): string | null {
  if (info.type !== ARRAY || info.maxEntries !== 1 || !(info.flags & RDONLY_PROG) || !isFrozen(fd)) return null;
  const value = firstValue(fd, info.valueSize);
  return value === null ? null : sha256(value);
}

function digestOf(facts: object): string {
  return sha256(Buffer.from(JSON.stringify(facts)));
}
