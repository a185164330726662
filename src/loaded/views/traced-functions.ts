import type { LinkReport, ProgramReport } from "../model/objects.js";
import type { KernelTypes } from "./kernel-types.js";

/**
 * Links with the names of the functions that their programs trace or replace: `target_name`, of the kernel or of the
 * program with the id `target_program`. Both are null if they are not known. A program that replaces another one's
 * function has no attach type, which the kernel shows as 0, the number of one.
 */
export function withTracedFunctions(
  links: readonly LinkReport[],
  programs: readonly ProgramReport[],
  types: KernelTypes,
): readonly LinkReport[] {
  const byId = new Map(programs.map((program) => [program.id, program]));
  return links.map((link): LinkReport => {
    const program = byId.get(link.program ?? 0);
    if (link.type !== "tracing" || program === undefined) return link;
    const { target_obj_id: object, target_btf_id: type, attach_type } = link.target;
    const attachType = program.type === "ext" ? null : (attach_type ?? null);
    const ofProgram = program.loadedFor === null || program.loadedFor.btfObject === 0;
    // the kernel shows the id of a program in the place of that of a BTF object
    const target = ofProgram && typeof object === "number" ? (byId.get(object) ?? null) : null;
    const btfObject = ofProgram ? (target?.btfId ?? null) : object;
    const isKnown = typeof btfObject === "number" && typeof type === "number";
    const name = isKnown ? types.name({ btfObject, btfId: type }) : null;
    const found = { target_name: name, target_program: target?.id ?? null };
    return { ...link, target: { ...link.target, attach_type: attachType, ...found } };
  });
}
