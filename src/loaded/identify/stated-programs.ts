import { sha256, tagOf } from "../../bpf/insn/digest.js";
import { INSN_SIZE, OP } from "../../bpf/insn/insn.js";
import { attachTypeName, programTypeName } from "../../bpf/object/section.js";
import { StatedObjectForm, StatedRelocator } from "../../bpf/recognition.js";
import type { Kernel } from "../../bpf/relocate.js";
import { tagOnKernel } from "../../bpf/report/kernel-tag.js";
import type { ProgramStatement } from "../../bpf/statement.js";
import { statedKnownMaps } from "./known-maps.js";
import type { KnownProgram } from "./known-program.js";
import type { KnownSource } from "./known-source.js";
import { readable } from "./readable.js";

/** A statement of a configuration. Its signatures do not matter here. */
export interface KnownStatement {
  readonly sha256: string;
  readonly statement: ProgramStatement;
}

/** The programs of statements, as libbpf relocates them. What cannot be read or relocated is not known. */
export function statedPrograms(statements: Iterable<KnownStatement>): KnownSource {
  return function* (kernel) {
    const relocator = new StatedRelocator(kernel);
    for (const each of statements) yield* readable(() => programsOf(each, kernel, relocator)) ?? [];
  };
}

function programsOf({ sha256: file, statement }: KnownStatement, kernel: Kernel, relocator: StatedRelocator) {
  const { program: part } = statement.content;
  if (part.object.byte_order !== "little") return [];
  const object = new StatedObjectForm(statement.content);
  const maps = statedKnownMaps(part);
  return part.programs.flatMap((stated, index): readonly KnownProgram[] => {
    const type = programTypeName(stated.type);
    const forms = readable(() => relocator.relocate(object, index)) ?? [];
    return forms.flatMap(({ insns, btfObjects }): readonly KnownProgram[] => {
      // the fd of a module's BTF differs between loads
      if ([...btfObjects.keys()].some((slot) => insns[slot * INSN_SIZE] === OP.LD_IMM64)) return [];
      const digest = sha256(insns);
      return [
        {
          ...({ source: "statement", file, offset: null, package: null } as const),
          name: stated.name,
          type,
          attachType: attachTypeName(type, stated.expected_attach_type),
          license: part.object.license,
          digest,
          tag: tagOnKernel(kernel.vmlinux, { insns, tag: tagOf(digest) }),
          references: stated.map_references
            .map(({ slot, map, offset }) => ({ slot, map: maps[map]!, offset }))
            .sort((a, b) => a.slot - b.slot),
          insns,
          flags: stated.flags,
          functions: stated.functions.map(({ start, btf_id }) => ({ start, btfId: btf_id })),
        },
      ];
    });
  });
}
