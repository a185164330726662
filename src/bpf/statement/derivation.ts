import { CountersignError } from "../../error.js";
import type { ElfFunction } from "../elf/symbols.js";
import { sha256 } from "../insn/digest.js";
import { INSN_SIZE } from "../insn/insn.js";
import { type Extern, externsOf } from "../object/externs.js";
import type { ObjectProgram } from "../object/program.js";
import { sectionNumbers } from "../object/section.js";
import type {
  ProgramPart,
  StatedExtern,
  StatedExternReference,
  StatedMapReference,
  StatedProgram,
  StatedRelocation,
} from "./content.js";
import { type ObjectMapList, statedMaps } from "./object-maps.js";
import { statedSections } from "./object-sections.js";
import type { StatementSource } from "./source.js";

/**
 * The program part of a statement: of all programs of an object, or of those named. `bytes` are the object file. Throws
 * USAGE for a name that no program has, and ELF_UNSUPPORTED and ELF_MALFORMED for an object that libbpf cannot load.
 */
export function deriveProgramPart(
  bytes: Uint8Array,
  source: StatementSource,
  names: readonly string[] | null,
): ProgramPart {
  const { elf, btf, license } = source;
  const maps = statedMaps(source);
  const externs = externsOf(elf, btf);
  const externIndexes = new Map(externs.map(({ btfId }, index) => [btfId, index]));
  const part: ProgramPart = {
    object: {
      sha256: sha256(bytes),
      byte_order: elf.order,
      license,
      btf: elf.section(".BTF") === undefined ? null : base64(elf.section(".BTF")!.data),
      sections: statedSections(source),
      hidden_functions: hiddenFunctions(source),
      externs: externs.map(statedExtern),
      maps: maps.maps,
    },
    programs: chosen(source.functions, names).map((program) =>
      new Derivation(source, maps, externIndexes, program).stated(),
    ),
  };
  refuseUnreadableNames(part);
  return part;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

function chosen(functions: readonly ElfFunction[], names: readonly string[] | null): readonly ElfFunction[] {
  if (names === null) return functions;
  const unknown = names.find((name) => functions.every((program) => program.name !== name));
  if (unknown !== undefined)
    throw new CountersignError("USAGE", `there is no program \`${unknown}\` in it`, {
      remedy: `name one of ${functions.map(({ name }) => name).join(", ")}`,
    });
  return functions.filter(({ name }) => names.includes(name));
}

/** Functions of `.text` of which libbpf makes the linkage static, as it does if there is more than one function. */
function hiddenFunctions({ symbols, functions }: StatementSource): string[] {
  if (symbols.subprograms.length + functions.length < 2) return [];
  return symbols.subprograms.filter(({ hidden }) => hidden).map(({ name }) => name);
}

function statedExtern({ name, kind, btfId, typeId, weak, offset }: Extern): StatedExtern {
  return { name, kind, btf_id: btfId, type_id: typeId, weak, offset: kind === "kconfig" ? offset : null };
}

/** Names that are not UTF-8 are read with U+FFFD, which would make different names equal. */
function refuseUnreadableNames(part: ProgramPart): void {
  if (!JSON.stringify(part).includes("\ufffd")) return;
  throw new CountersignError("ELF_UNSUPPORTED", "a name in it is not UTF-8", {
    remedy: "build the object again with names in ASCII",
  });
}

/** Program types for which PROG_LOAD names what the program attaches to: tracing, struct_ops, ext and lsm. */
const ATTACHED_AT_LOAD: ReadonlySet<number> = new Set([26, 27, 28, 29]);
const STRUCT_OPS = 27;

/** One program of an object becomes a stated one. */
class Derivation {
  readonly #code: ObjectProgram;

  constructor(
    private readonly source: StatementSource,
    private readonly maps: ObjectMapList,
    /** Index of each extern, by the BTF id of its declaration. */
    private readonly externs: ReadonlyMap<number, number>,
    private readonly program: ElfFunction,
  ) {
    this.#code = source.program(program);
  }

  stated(): StatedProgram {
    const section = this.program.section.name;
    const numbers = sectionNumbers(section) ?? { type: 0, expectedAttachType: 0, flags: 0, target: null };
    return {
      name: this.program.name,
      section,
      type: numbers.type,
      expected_attach_type: numbers.expectedAttachType,
      attach_target: this.#attachTarget(numbers.type, numbers.target),
      flags: numbers.flags,
      insns: base64(this.#code.linked.insns),
      functions: this.#code.functions.map(({ name, start, btfId, global }) => ({ name, start, btf_id: btfId, global })),
      relocations: this.#relocations(),
      map_references: this.#mapReferences(),
      extern_references: this.#externReferences(),
    };
  }

  #attachTarget(type: number, target: string | null): string | null {
    if (type === STRUCT_OPS) return this.source.structOpsTargets.get(this.program.name) ?? null;
    return ATTACHED_AT_LOAD.has(type) ? target : null;
  }

  #relocations(): StatedRelocation[] {
    const { ext, btf } = this.source;
    if (ext === null || btf === null) return [];
    return this.#code.linked.parts.flatMap(({ function: { section, offset: from, size }, start }) =>
      ext.relocations(section.name, from, size).map(({ offset, records, record }) => ({
        slot: start + Math.floor((offset - from) / INSN_SIZE),
        type_id: records.field(record, 1),
        access: btf.string(records.field(record, 2)),
        kind: records.field(record, 3),
      })),
    );
  }

  #mapReferences(): StatedMapReference[] {
    return this.#inOrder().flatMap(([slot, reference]) => {
      if (reference.to !== "map") return [];
      const { map, offset } = reference.reference;
      const index = this.maps.indexes.get(map);
      if (index === undefined) throw this.#unresolved(slot, `map \`${map.name}\``);
      return [{ slot, map: index, offset }];
    });
  }

  #externReferences(): StatedExternReference[] {
    return this.#inOrder().flatMap(([slot, reference]) => {
      if (reference.to !== "kfunc" && reference.to !== "ksym") return [];
      const { btfId } = reference.name;
      const extern = btfId === null ? undefined : this.externs.get(btfId);
      if (extern === undefined)
        throw this.#unresolved(slot, `\`${reference.name.name}\`, which its BTF does not describe`);
      return [{ slot, extern }];
    });
  }

  #inOrder() {
    return [...this.#code.linked.references].sort(([a], [b]) => a - b);
  }

  #unresolved(slot: number, what: string): CountersignError {
    return new CountersignError("ELF_UNSUPPORTED", `instruction ${slot} refers to ${what}`, {
      place: `program ${this.program.name}`,
      remedy: "build the object with `-g`, and check that libbpf loads it",
    });
  }
}
