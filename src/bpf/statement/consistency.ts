import { CALL_SRC, INSN_SIZE, LD_SRC, OP } from "../insn/insn.js";
import type {
  ProgramPart,
  StatedMap,
  StatedObject,
  StatedProgram,
  StatementContent,
  StatementRules,
} from "./content.js";
import { isOpening } from "./openings.js";
import { malformed } from "./shape.js";

/**
 * Rejects statements that have the right form and contradict themselves: indexes of maps and externs that do not exist,
 * slots outside of the instructions, references at instructions that have none, and instructions whose reference is not
 * stated. Throws STATEMENT_MALFORMED.
 */
export function refuseContradictions({ program, rules }: StatementContent): void {
  refuseBadObject(program.object);
  if (program.programs.length === 0) throw malformed("is empty", "program.programs");
  refuseSameNames(program.programs, "program.programs");
  for (const [index, stated] of program.programs.entries())
    refuseBadProgram(stated, program.object, `program.programs[${index}]`);
  refuseBadRules(rules, program);
}

function refuseBadObject({ externs, maps, sections }: StatedObject): void {
  refuseSameNames(maps, "program.object.maps");
  refuseSameNames(sections, "program.object.sections");
  for (const [index, { variables }] of sections.entries())
    refuseSameNames(variables, `program.object.sections[${index}].variables`);
  for (const [index, { kind, offset }] of externs.entries())
    if ((kind === "kconfig") !== (offset !== null))
      throw malformed("does not fit the kind of extern", `program.object.externs[${index}].offset`);
  for (const [index, map] of maps.entries()) refuseBadMap(map, `program.object.maps[${index}]`);
}

/** Names must be unique: rules and settings refer to maps and variables by name, and the gate records maps by name. */
function refuseSameNames(rows: readonly { readonly name: string }[], place: string): void {
  const names = new Set<string>();
  for (const [index, { name }] of rows.entries())
    if (names.size === names.add(name).size) throw malformed(`is the second \`${name}\``, `${place}[${index}]`);
}

function refuseBadMap({ kind, data, value_size, inner }: StatedMap, place: string): void {
  if ((kind === "rodata") !== (data !== null)) throw malformed("does not fit the kind of map", `${place}.data`);
  if (data !== null && Buffer.byteLength(data, "base64") !== value_size)
    throw malformed(`is not of ${value_size} bytes, as the map's value`, `${place}.data`);
  if (inner !== null && (kind !== "definition" || inner.kind !== "definition"))
    throw malformed("does not fit the kind of map", `${place}.inner`);
}

function refuseBadProgram(program: StatedProgram, { maps, externs, byte_order }: StatedObject, place: string): void {
  const insns = Buffer.from(program.insns, "base64");
  const count = insns.length / INSN_SIZE;
  if (!Number.isInteger(count) || count === 0) throw malformed("is not whole instructions", `${place}.insns`);
  const [first] = program.functions;
  if (first?.start !== 0 || first.name !== program.name)
    throw malformed("does not begin with the program itself", `${place}.functions`);
  const starts = program.functions.map(({ start }) => ({ slot: start }));
  for (const [name, rows] of [
    ["functions", starts],
    ["relocations", program.relocations],
    ["map_references", program.map_references],
    ["extern_references", program.extern_references],
  ] as const)
    refuseDisorder(rows, count, `${place}.${name}`);
  const mapSlots = new Map<number, boolean>();
  for (const [index, { slot, map, offset }] of program.map_references.entries()) {
    if (map >= maps.length) throw malformed(`there is no map ${map}`, `${place}.map_references[${index}]`);
    mapSlots.set(slot, offset !== null);
  }
  const externSlots = new Set<number>();
  for (const [index, { slot, extern }] of program.extern_references.entries()) {
    if (extern >= externs.length || externs[extern]!.kind === "kconfig")
      throw malformed(`there is no kernel symbol ${extern}`, `${place}.extern_references[${index}]`);
    externSlots.add(slot);
  }
  refuseUnstated(insns, byte_order === "little", mapSlots, externSlots, place);
}

function refuseDisorder(rows: readonly { readonly slot: number }[], count: number, place: string): void {
  let last = -1;
  for (const [index, { slot }] of rows.entries()) {
    if (slot <= last) throw malformed("is not in ascending order", `${place}[${index}]`);
    if (slot >= count) throw malformed(`is beyond the ${count} instructions`, `${place}[${index}]`);
    last = slot;
  }
}

/** Meanings of `src` in an `ld_imm64` for which the loader has to fill in something. */
const FILLED_IN: ReadonlySet<number> = new Set([
  ...[LD_SRC.MAP_FD, LD_SRC.MAP_VALUE, LD_SRC.BTF_ID, LD_SRC.MAP_IDX, LD_SRC.MAP_IDX_VALUE],
]);

/** `maps` has the slots of map references, and whether each is to a value. */
function refuseUnstated(
  insns: Uint8Array,
  little: boolean,
  maps: ReadonlyMap<number, boolean>,
  externs: ReadonlySet<number>,
  place: string,
): void {
  let stated = 0;
  for (let at = 0; at < insns.length; at += INSN_SIZE) {
    const slot = at / INSN_SIZE;
    const opcode = insns[at];
    if (opcode !== OP.LD_IMM64 && opcode !== OP.CALL) continue;
    const src = little ? insns[at + 1]! >> 4 : insns[at + 1]! & 15;
    const toValue = maps.get(slot);
    const isExtern = externs.has(slot);
    if (toValue !== undefined || isExtern) {
      stated += 1;
      if (toValue !== undefined && isExtern)
        throw malformed("refers to a map and to a kernel symbol", instructionAt(place, slot));
      if (!fits(opcode, src, toValue, isExtern))
        throw malformed("is not the reference that is stated", instructionAt(place, slot));
    } else if (opcode === OP.LD_IMM64 ? FILLED_IN.has(src) : src === CALL_SRC.KFUNC)
      throw malformed("refers to something that is not stated", instructionAt(place, slot));
    if (opcode !== OP.LD_IMM64) continue;
    at += INSN_SIZE;
    if (at >= insns.length) throw malformed("is an incomplete ld_imm64", instructionAt(place, slot));
  }
  if (stated !== maps.size + externs.size) throw malformed("has references at instructions that have none", place);
}

function fits(opcode: number, src: number, toValue: boolean | undefined, isExtern: boolean): boolean {
  if (opcode === OP.CALL) return isExtern && src === CALL_SRC.KFUNC;
  if (isExtern) return src === LD_SRC.BTF_ID || src === LD_SRC.NUMBER;
  return src === (toValue === true ? LD_SRC.MAP_VALUE : LD_SRC.MAP_FD);
}

const instructionAt = (place: string, slot: number) => `${place}.insns: instruction ${slot}`;

function refuseBadRules({ fixed, open }: StatementRules, program: ProgramPart): void {
  const key = ({ name, kind }: StatementRules["fixed"][number]) => `${name} ${kind}`;
  for (const [index, rule] of fixed.entries())
    if (index > 0 && key(fixed[index - 1]!) >= key(rule))
      throw malformed("is not in ascending order", `rules.fixed[${index}]`);
  for (const [index, opening] of open.entries()) {
    if (index > 0 && open[index - 1]! >= opening) throw malformed("is not in ascending order", `rules.open[${index}]`);
    if (!isOpening(opening, program)) throw malformed(`\`${opening}\` opens nothing`, `rules.open[${index}]`);
  }
}
