import { Btf } from "../../src/bpf/btf/btf.js";
import { Kallsyms } from "../../src/bpf/core/kallsyms.js";
import { Kernel } from "../../src/bpf/core/kernel.js";
import { ProgramRelocator } from "../../src/bpf/core/program.js";
import type { RelocatedProgram, UnrelocatedProgram } from "../../src/bpf/core/unrelocated.js";
import { VARIANTS, type Variant } from "../../src/bpf/core/variant.js";
import { sha256 } from "../../src/bpf/insn/digest.js";
import { BpfObject } from "../../src/bpf/object.js";
import { relocate } from "../../src/bpf/relocate.js";
import { CORE_BTF, CORE_EXTERNS, CORE_KALLSYMS, coreProgram, relocatedSlots } from "../support/core-sources.js";
import { damaged } from "../support/damage.js";
import { sectionData } from "../support/elf-patch.js";
import { example } from "../support/examples.js";
import { type FuzzTarget, outcome } from "./target.js";

type Next = (below: number) => number;

/** The parts of which one is damaged in a round. */
interface Parts {
  local: Buffer;
  vmlinux: Buffer;
  module: Buffer;
  kallsyms: Buffer;
  program: UnrelocatedProgram;
}

const WAYS: readonly ((parts: Parts, next: Next) => void)[] = [
  (parts, next) => {
    parts.local = damaged(parts.local, next);
  },
  (parts, next) => {
    parts.vmlinux = damaged(parts.vmlinux, next);
  },
  (parts, next) => {
    parts.module = damaged(parts.module, next);
  },
  (parts, next) => {
    parts.local = words(parts.local, next);
  },
  (parts, next) => {
    parts.vmlinux = words(parts.vmlinux, next);
  },
  (parts, next) => {
    parts.kallsyms = damaged(parts.kallsyms, next);
  },
  (parts, next) => {
    parts.program = otherRelocations(parts.program, next);
  },
  (parts, next) => {
    const insns = parts.program.insns.slice();
    for (let changes = 1 + next(4); changes > 0; changes--) insns[next(insns.length)] = next(256);
    parts.program = { ...parts.program, insns };
  },
];

/** Small numbers into words, so that types refer to each other and to themselves. */
function words(bytes: Buffer, next: Next): Buffer {
  const changed = Buffer.from(bytes);
  if (changed.length < 64) return changed;
  for (let changes = 1 + next(4); changes > 0; changes--)
    changed.writeUInt32LE(next(4) === 0 ? next(0x10000) : next(32), 24 + 4 * next((changed.length - 28) >> 2));
  return changed;
}

function otherRelocations(program: UnrelocatedProgram, next: Next): UnrelocatedProgram {
  const relocations = program.relocations.map((relocation) => ({
    ...relocation,
    ...(next(3) === 0 ? { typeId: next(40) } : {}),
    ...(next(3) === 0 ? { kind: next(14) } : {}),
    ...(next(3) === 0 ? { access: Array.from({ length: 1 + next(4) }, () => next(10)).join(":") } : {}),
    ...(next(9) === 0 ? { slot: next(60) } : {}),
  }));
  return { ...program, relocations };
}

/** What holds for every relocation. Throws an error that is a finding. */
function check(program: UnrelocatedProgram, relocated: RelocatedProgram): void {
  const { insns, digest, slots } = relocated;
  const allowed = relocatedSlots(program);
  if (insns.length !== program.insns.length) throw new Error("the program has another length");
  if (digest !== sha256(insns)) throw new Error("the digest is not that of the instructions");
  for (let slot = 0; slots === null && slot < insns.length / 8; slot++) {
    const [from, to] = [program.insns, insns].map((all) => Buffer.from(all.subarray(8 * slot, 8 * slot + 8)));
    if (!from!.equals(to!) && !allowed.has(slot)) throw new Error(`instruction ${slot} changed without a relocation`);
  }
}

function relocateParts({ local, vmlinux, module, kallsyms, program }: Parts, variant: Variant): void {
  const base = new Btf(vmlinux, "vmlinux");
  const kernel = new Kernel(base, [{ name: "module", btf: new Btf(module, "module", base) }], new Kallsyms(kallsyms));
  // cilium/ebpf has neither variables nor weak functions
  const externs = variant === "cilium" ? CORE_EXTERNS.filter(({ kind }) => kind === "kfunc") : CORE_EXTERNS;
  const externReferences = variant === "cilium" ? [] : program.externReferences;
  const object = { order: "little", btf: new Btf(local), externs } as const;
  const given = { ...program, externReferences };
  check(given, new ProgramRelocator(object, kernel, variant).relocate(given));
}

const base = new Btf(CORE_BTF.vmlinux, "vmlinux");
const whole = new Kernel(base);
const OBJECTS = ["switch-watch", "exec-guard", "calm-tcp", "rate-limit"];
const SECTIONS = [".BTF", ".BTF.ext", ".symtab", ".strtab", ".text"];

function damagedObject(next: Next): Uint8Array {
  const file = example(OBJECTS[next(OBJECTS.length)]!);
  if (next(4) === 0) return damaged(file, next);
  const names = new BpfObject(file).elf.sections.map(({ name }) => name);
  const section = SECTIONS.filter((name) => names.includes(name));
  const data = sectionData(file, section[next(section.length)]!);
  data.set(damaged(data, next).subarray(0, data.length));
  return file;
}

/** Objects, the BTF of objects, kernels and modules, and relocations; for each loader. */
export const target: FuzzTarget = {
  rounds: 60_000,
  round(next) {
    const variant = VARIANTS[next(VARIANTS.length)]!;
    if (next(4) === 0) {
      const file = damagedObject(next);
      return outcome(() => {
        const object = new BpfObject(file);
        for (const of of object.functions) relocate(object, of, whole, variant);
      });
    }
    const parts: Parts = { ...CORE_BTF, kallsyms: CORE_KALLSYMS, program: coreProgram() };
    for (let ways = 1 + next(2); ways > 0; ways--) WAYS[next(WAYS.length)]!(parts, next);
    return outcome(() => relocateParts(parts, variant));
  },
};
