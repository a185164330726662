import type { ElfFunction } from "../../bpf/elf/symbols.js";
import type { ObjectProgram } from "../../bpf/object/program.js";
import { sectionNumbers } from "../../bpf/object/section.js";
import type { BpfObject } from "../../bpf/object.js";
import type { StatedObject, StatedProgram } from "../../bpf/statement.js";
import { CountersignError } from "../../error.js";
import { ATTACH, EXTERN, PROGRAM } from "./image-layout.js";
import { type ImageWriter, putFields, putRange, type Range } from "./image-writer.js";

const INSN_SIZE = 8;
/** BTF_KIND_FUNC, BTF_KIND_TYPEDEF and BTF_KIND_VAR of linux/btf.h. */
const KIND = { func: 12, typedef: 8, var: 14 } as const;

/** How the loader attaches the programs of a section, and what the kernel's BTF calls their target. */
interface AttachRow {
  readonly attach: keyof typeof ATTACH;
  readonly prefix: string;
  readonly kind: number;
}

const LSM = { prefix: "bpf_lsm_", kind: KIND.func } as const;
const ATTACH_ROWS: Readonly<Record<string, AttachRow>> = {
  lsm_cgroup: { attach: "cgroup", ...LSM },
  lsm: { attach: "link", ...LSM },
  "lsm.s": { attach: "link", ...LSM },
  cgroup: { attach: "cgroup", prefix: "", kind: 0 },
  fentry: { attach: "link", prefix: "", kind: KIND.func },
  fexit: { attach: "link", prefix: "", kind: KIND.func },
  tp_btf: { attach: "link", prefix: "btf_trace_", kind: KIND.typedef },
  syscall: { attach: "none", prefix: "", kind: 0 },
};

/** Writes struct image_program of each program. Throws ELF_UNSUPPORTED for what the loader does not attach. */
export function writePrograms(
  object: BpfObject,
  stated: { readonly object: StatedObject; readonly programs: readonly StatedProgram[] },
  writer: ImageWriter,
  withLines: boolean,
): Range {
  const structs = stated.programs.map((program) => {
    const of = object.functions.find(({ name }) => name === program.name)!;
    return programStruct(object, of, program, stated.object, writer, withLines);
  });
  return writer.add(Buffer.concat(structs));
}

function programStruct(
  object: BpfObject,
  of: ElfFunction,
  program: StatedProgram,
  stated: StatedObject,
  writer: ImageWriter,
  withLines: boolean,
): Buffer {
  const { section, name } = program;
  const [kind = ""] = section.split("/");
  const row = ATTACH_ROWS[kind];
  if (row === undefined || sectionNumbers(section) === null)
    throw unsupported(name, `section \`${section}\` is not one that a guard may have`);
  const target = program.attach_target === null ? "" : `${row.prefix}${program.attach_target}`;
  const struct = Buffer.alloc(PROGRAM.size);
  struct.write(name.slice(0, 15), 0, "latin1");
  putName(struct, PROGRAM.section, section, name);
  putName(struct, PROGRAM.target, target, name);
  putFields(struct, PROGRAM.fields, {
    type: program.type,
    expected_attach_type: program.expected_attach_type,
    flags: program.flags,
    attach: ATTACH[row.attach],
    target_kind: target === "" ? 0 : row.kind,
  });
  const linked = object.program(of);
  const { ranges } = PROGRAM;
  const insns = Buffer.from(program.insns, "base64");
  putRange(struct, ranges.insns, writer.add(insns));
  const functions = program.functions.flatMap(({ start, btf_id: id }) => (id === null ? [] : [start, id]));
  putRange(struct, ranges.func_info, writer.words(program.functions[0]?.btf_id == null ? [] : functions));
  putRange(struct, ranges.line_info, writer.words(withLines ? lineWords(linked, object) : []));
  putRange(struct, ranges.core_relos, writer.words(relocationWords(linked, object)));
  const references = program.map_references.flatMap(({ slot, map, offset }) => [slot, map, offset ?? 0]);
  putRange(struct, ranges.map_refs, writer.words(references));
  putRange(struct, ranges.externs, writer.add(externStructs(program, stated, insns)));
  return struct;
}

/** struct bpf_core_relo: the kernel reads `insn_off` in bytes from the start of the program. */
function relocationWords({ linked }: ObjectProgram, { ext }: BpfObject): number[] {
  if (ext === null) return [];
  return linked.parts.flatMap(({ function: { section, offset: from, size }, start }) =>
    ext.relocations(section.name, from, size).flatMap(({ offset, records, record }) => {
      const [type = 0, access = 0, kind = 0] = [1, 2, 3].map((field) => records.field(record, field));
      return [start * INSN_SIZE + offset - from, type, access, kind];
    }),
  );
}

/** struct bpf_line_info: `insn_off` in slots. */
function lineWords({ linked }: ObjectProgram, { ext }: BpfObject): number[] {
  return linked.parts.flatMap(({ function: { section, offset: from, size }, start }) =>
    (ext?.of("lines", section.name) ?? []).flatMap((records) =>
      Array.from({ length: records.count }, (_, record) => record)
        .filter((record) => records.offset(record) >= from && records.offset(record) < from + size)
        .flatMap((record) => [
          start + (records.offset(record) - from) / INSN_SIZE,
          ...[1, 2, 3].map((field) => records.field(record, field)),
        ]),
    ),
  );
}

const CALL = 0x85;

function externStructs(program: StatedProgram, stated: StatedObject, insns: Uint8Array): Buffer {
  return Buffer.concat(
    program.extern_references.map(({ slot, extern: index }) => {
      const extern = stated.externs[index]!;
      if (extern.type_id === 0) throw unsupported(program.name, `kernel symbol \`${extern.name}\` has no type`);
      const struct = Buffer.alloc(EXTERN.size);
      putName(struct, 0, extern.name, program.name);
      const kind = extern.kind === "kfunc" ? KIND.func : KIND.var;
      const call = insns[slot * INSN_SIZE] === CALL;
      for (const [word, value] of [slot, kind, Number(extern.weak), Number(call)].entries())
        struct.writeUInt32LE(value, EXTERN.name + 4 * word);
      return struct;
    }),
  );
}

function putName(struct: Buffer, at: number, name: string, program: string): void {
  if (name.length >= PROGRAM.name) throw unsupported(program, `name \`${name}\` is longer than ${PROGRAM.name - 1}`);
  struct.write(name, at, "latin1");
}

function unsupported(program: string, message: string): CountersignError {
  return new CountersignError("ELF_UNSUPPORTED", message, {
    place: `program ${program}`,
    remedy: "build the guard again from src/seal/guard",
  });
}
