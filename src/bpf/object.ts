import { CountersignError } from "../error.js";
import { Btf } from "./btf.js";
import { BtfExt } from "./btf-ext.js";
import { sha256 } from "./digest.js";
import { effectsOfObject, type Judgement } from "./effects.js";
import { Elf } from "./elf.js";
import type { MapFacts, ObjectFacts, ProgramFacts } from "./facts.js";
import { INSN_SIZE, MAX_INSNS } from "./insn.js";
import { Linker } from "./link.js";
import { ObjectMaps } from "./map.js";
import { factsOfMap } from "./map-memory.js";
import { ObjectProgram } from "./program.js";
import { mapFacts, programFacts } from "./program-facts.js";
import { References } from "./reference.js";
import { isKernelProbe, roleOf } from "./section.js";
import { structOpsMaps, structOpsTargets } from "./struct-ops.js";
import { type ElfFunction, readSymbols } from "./symbols.js";

/** Called for each program with its facts, in order. */
export type Visit = (program: ObjectProgram, facts: ProgramFacts, judgement: Judgement) => void;

/** Maximum number of instructions of all programs of one object together: that of the longest program. */
const MAX_OBJECT_INSNS = MAX_INSNS;

/**
 * The facts about each program of a BPF object file (ELF64, either byte order). Throws ELF_MALFORMED, ELF_UNSUPPORTED,
 * BTF_MALFORMED, INSN_MALFORMED; ELF_NO_PROGRAMS if libbpf would load nothing.
 */
export function factsOfObject(bytes: Uint8Array, visit: Visit = () => {}): ObjectFacts {
  const object = new BpfObject(bytes);
  // Check the total before analysing any function. A single function that is too long has an error of its own.
  let own = 0;
  for (const of of object.functions) own = boundedInsns(own + Math.min(of.size / INSN_SIZE, MAX_INSNS), of);
  let insns = 0;
  const linked = object.functions.map((of): [name: string, program: ObjectProgram] => {
    const program = object.program(of);
    insns = boundedInsns(insns + program.insns.count, of);
    return [of.name, program];
  });
  const judgements = effectsOfObject(linked);
  const programs = linked.map(([name, program], index) => {
    const { insns: bytes, parts } = program.linked;
    const section = parts[0]!.function.section.name;
    const origin = { name, section, license: object.license, insns: bytes, rawInsns: bytes };
    const facts = programFacts(program, origin, judgements[index]!);
    visit(program, facts, judgements[index]!);
    return facts;
  });
  return { sha256: sha256(bytes), byte_order: object.elf.order, programs, maps: object.maps };
}

/** Checks the number of instructions up to and including this program. Throws ELF_UNSUPPORTED if there are too many. */
function boundedInsns(insns: number, { name }: ElfFunction): number {
  if (insns <= MAX_OBJECT_INSNS) return insns;
  throw new CountersignError("ELF_UNSUPPORTED", `its programs have more than ${MAX_OBJECT_INSNS} instructions`, {
    place: `program ${name}`,
    remedy: "check that this is an object that a compiler made",
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
  readonly #linker: Linker;
  readonly #maps: ObjectMaps;
  readonly #structOps: ReadonlyMap<string, string>;

  constructor(bytes: Uint8Array) {
    this.elf = new Elf(bytes);
    const btf = this.elf.section(".BTF");
    const ext = this.elf.section(".BTF.ext");
    this.btf = btf === undefined ? null : new Btf(btf.data);
    this.ext = ext === undefined || this.btf === null ? null : new BtfExt(ext.data, this.btf);
    const { programs, subprograms, data } = readSymbols(this.elf);
    if (programs.length === 0)
      throw new CountersignError("ELF_NO_PROGRAMS", "there is no program in it", {
        remedy: 'put each program into a section of its own, as `SEC("xdp")` does',
      });
    this.functions = programs;
    this.license = licenseOf(this.elf);
    this.#maps = new ObjectMaps(this.elf, this.btf, data);
    this.#structOps = this.btf === null ? new Map() : structOpsTargets(this.elf, this.btf, data);
    const callbacks = this.btf === null ? new Map<string, string>() : exceptionCallbacks(this.btf);
    this.#linker = new Linker(new References(this.elf, this.btf, this.#maps), subprograms, callbacks);
  }

  /** The maps that libbpf would create, in its order. */
  get maps(): readonly MapFacts[] {
    const tables = this.btf === null ? [] : structOpsMaps(this.elf, this.btf).map(factsOfMap);
    return [...this.#maps.all().map(mapFacts), ...tables];
  }

  program(of: ElfFunction): ObjectProgram {
    const role = roleOf(of.section.name);
    const attachTo = role.type === "struct_ops" ? (this.#structOps.get(of.name) ?? null) : role.attachTo;
    // A tail-called program is not attached itself, so its section says nothing about how it runs.
    const attached = isKernelProbe(of.section.name) && !this.#maps.all().some(({ type }) => type === "prog_array");
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
