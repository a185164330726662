import { CountersignError } from "../error.js";
import { effectsOfObject, type Judgement } from "./analysis/effects.js";
import { programFacts } from "./analysis/program-facts.js";
import { Btf } from "./btf/btf.js";
import { BtfExt } from "./btf/btf-ext.js";
import { Elf } from "./elf/elf.js";
import { TOO_LARGE } from "./elf/remedies.js";
import { type ElfFunction, type ObjectSymbols, readSymbols } from "./elf/symbols.js";
import { sha256 } from "./insn/digest.js";
import { INSN_SIZE, MAX_INSNS } from "./insn/insn.js";
import type { Code } from "./model/code.js";
import type { MapFacts, ObjectFacts, ProgramFacts } from "./model/facts.js";
import { factsOfMap } from "./model/map-memory.js";
import { type Extern, externsOf } from "./object/externs.js";
import { Linker } from "./object/link.js";
import { ObjectMaps } from "./object/map.js";
import { ObjectProgram } from "./object/program.js";
import { References } from "./object/reference.js";
import { isKernelProbe, roleOf } from "./object/section.js";
import { structOpsMaps, structOpsTargets } from "./object/struct-ops.js";

/** Called for each program with its facts, in order. `relocated` is null if the facts are from the object alone. */
export type Visit = (
  program: ObjectProgram,
  facts: ProgramFacts,
  judgement: Judgement,
  relocated: RelocatedFor | null,
) => void;

/** A program as a loader passes it to a kernel. */
export interface RelocatedFor {
  readonly code: Code;
  /** With zeroed map references. */
  readonly insns: Uint8Array;
  /** False if the digest changes with each load, since instructions hold the fd of a module's BTF. */
  readonly isDigestConstant: boolean;
}

/** A program of an object, by its symbol, with the functions that it calls. */
export type LinkedProgram = readonly [of: ElfFunction, program: ObjectProgram];

/** Relocates the programs of an object, in their order; null for one whose instructions on the kernel are not known. */
export type Relocator = (object: BpfObject, programs: readonly LinkedProgram[]) => readonly (RelocatedFor | null)[];

/** Maximum number of instructions of all programs of one object together: that of the longest program. */
const MAX_OBJECT_INSNS = MAX_INSNS;

/**
 * The facts about each program of a BPF object file (ELF64, either byte order). With `relocate` they are those on a
 * kernel. Throws ELF_MALFORMED, ELF_UNSUPPORTED, BTF_MALFORMED, INSN_MALFORMED; ELF_NO_PROGRAMS if libbpf would load
 * nothing.
 */
export function factsOfObject(bytes: Uint8Array, visit: Visit = () => {}, relocate: Relocator = () => []): ObjectFacts {
  const object = new BpfObject(bytes);
  const programsOf = linkedPrograms(object);
  const onKernel = relocate(object, programsOf);
  const linked = programsOf.map(([of, program], index) => {
    const relocated = onKernel[index] ?? null;
    return { name: of.name, program, relocated, code: relocated?.code ?? program };
  });
  const judgements = effectsOfObject(linked.map(({ name, code }) => [name, code] as const));
  const programs = linked.map(({ name, program, relocated, code }, index) => {
    const section = program.linked.parts[0]!.function.section.name;
    const insns = relocated?.insns ?? program.linked.insns;
    const facts = programFacts(
      code,
      { name, section, license: object.license, insns, rawInsns: insns },
      judgements[index]!,
    );
    visit(program, facts, judgements[index]!, relocated);
    return facts;
  });
  return { sha256: object.sha256, byte_order: object.elf.order, programs, maps: object.maps };
}

/**
 * The programs of an object, linked, in libbpf's order. Throws ELF_MALFORMED, and ELF_UNSUPPORTED if they have too many
 * instructions together.
 */
export function linkedPrograms(object: BpfObject): readonly LinkedProgram[] {
  // Check the total before linking any function. A single function that is too long has an error of its own.
  let own = 0;
  for (const of of object.functions) own = boundedInsns(own + Math.min(of.size / INSN_SIZE, MAX_INSNS), of);
  let insns = 0;
  return object.functions.map((of) => {
    const program = object.program(of);
    insns = boundedInsns(insns + program.linked.insns.length / INSN_SIZE, of);
    return [of, program];
  });
}

/** Checks the number of instructions up to and including this program. Throws ELF_UNSUPPORTED if there are too many. */
function boundedInsns(insns: number, { name }: ElfFunction): number {
  if (insns <= MAX_OBJECT_INSNS) return insns;
  throw new CountersignError("ELF_UNSUPPORTED", `its programs have more than ${MAX_OBJECT_INSNS} instructions`, {
    place: `program ${name}`,
    remedy: TOO_LARGE,
  });
}

/** A parsed BPF object file. Its programs are linked on demand. */
export class BpfObject {
  readonly elf: Elf;
  readonly btf: Btf | null;
  readonly ext: BtfExt | null;
  /** The programs that libbpf would load, in its order. */
  readonly functions: readonly ElfFunction[];
  /** Empty if there is none. */
  readonly license: string;
  readonly symbols: ObjectSymbols;
  readonly objectMaps: ObjectMaps;
  /** `struct.member` of each struct_ops program, by its name. */
  readonly structOpsTargets: ReadonlyMap<string, string>;
  readonly #linker: Linker;
  #externs: readonly Extern[] | undefined;
  #sha256: string | undefined;

  constructor(readonly bytes: Uint8Array) {
    this.elf = new Elf(bytes);
    const btf = this.elf.section(".BTF");
    const ext = this.elf.section(".BTF.ext");
    this.btf = btf === undefined ? null : new Btf(btf.data);
    this.ext = ext === undefined || this.btf === null ? null : new BtfExt(ext.data, this.btf);
    this.symbols = readSymbols(this.elf);
    const { programs, subprograms, data } = this.symbols;
    if (programs.length === 0)
      throw new CountersignError("ELF_NO_PROGRAMS", "there is no program in it", {
        remedy: 'put each program into a section of its own, as `SEC("xdp")` does',
      });
    this.functions = programs;
    this.license = licenseOf(this.elf);
    this.objectMaps = new ObjectMaps(this.elf, this.btf, data);
    this.structOpsTargets = this.btf === null ? new Map() : structOpsTargets(this.elf, this.btf, data);
    const callbacks = this.btf === null ? new Map<string, string>() : exceptionCallbacks(this.btf);
    this.#linker = new Linker(new References(this.elf, this.btf, this.objectMaps), subprograms, callbacks);
  }

  /** Of its bytes. */
  get sha256(): string {
    this.#sha256 ??= sha256(this.bytes);
    return this.#sha256;
  }

  /** The maps that libbpf would create, in its order. */
  get maps(): readonly MapFacts[] {
    const tables = this.btf === null ? [] : structOpsMaps(this.elf, this.btf).map(factsOfMap);
    return [...this.objectMaps.all().map(factsOfMap), ...tables];
  }

  /** What the object expects of the kernel by name, in libbpf's order. Throws BTF_MALFORMED. */
  get externs(): readonly Extern[] {
    this.#externs ??= externsOf(this.elf, this.btf);
    return this.#externs;
  }

  program(of: ElfFunction): ObjectProgram {
    const role = roleOf(of.section.name);
    const attachTo = role.type === "struct_ops" ? (this.structOpsTargets.get(of.name) ?? null) : role.attachTo;
    // A tail-called program is not attached itself, so its section says nothing about how it runs.
    const attached = isKernelProbe(of.section.name) && !this.objectMaps.all().some(({ type }) => type === "prog_array");
    return new ObjectProgram(
      this.#linker.link(of),
      this.elf.order,
      this.btf,
      this.ext,
      { ...role, attachTo },
      attached,
    );
  }
}

const CALLBACK_TAG = "exception_callback:";

/** The exception callback of each program, which a decl tag in BTF names (libbpf's bpf_prog_assign_exc_cb). */
function exceptionCallbacks(btf: Btf): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const tag of btf.all("decl_tag")) {
    const name = btf.name(tag);
    const of = btf.target(tag);
    if (!name.startsWith(CALLBACK_TAG) || btf.component(tag) !== -1 || btf.kind(of) !== "func") continue;
    const program = btf.name(of);
    if (found.has(program))
      throw new CountersignError("BTF_MALFORMED", "has more than one exception callback", {
        place: `program ${program}`,
        remedy: "build the object again",
      });
    found.set(program, name.slice(CALLBACK_TAG.length));
  }
  return found;
}

/** The licence: at most 63 bytes of section `license`, up to the first NUL, as libbpf reads it. */
function licenseOf(elf: Elf): string {
  const data = elf.section("license")?.data.subarray(0, 63) ?? new Uint8Array(0);
  const end = data.indexOf(0);
  return Buffer.from(end === -1 ? data : data.subarray(0, end)).toString("utf8");
}
