import { type Insns, OP } from "../insn/insn.js";
import { SEQUENCE } from "../model/code.js";
import type { FieldLoads } from "./kernel-layout.js";

const LOAD_LONG = 0x79;
const IF_ZERO = 0x15;
/** `r0 = r0` */
const NOTHING = 0xbf;

/**
 * Marks sequences of loads that stand for the load of a field of the context, if they begin with the context. A check
 * of the first pointer for NULL becomes an instruction without an effect: the field may be any number anyway. A
 * sequence has one register for all its pointers, and nothing jumps into it, so that the program never has them.
 */
export function markSequences(insns: Insns, fields: readonly FieldLoads[]): Uint8Array {
  const marks = new Uint8Array(insns.count);
  if (fields.length === 0) return marks;
  const targets = jumpTargets(insns);
  for (let slot = 0; slot < insns.count; slot++) {
    if (insns.opcode[slot] === OP.LD_IMM64) slot += 1;
    else if (insns.opcode[slot] === LOAD_LONG)
      for (const loads of fields) {
        const places = placesOf(insns, slot, loads, targets);
        if (places === null) continue;
        for (const [index, place] of places.entries())
          marks[place] = index === 0 ? SEQUENCE.FIRST : index === places.length - 1 ? SEQUENCE.LAST : SEQUENCE.MIDDLE;
        if (places[1]! === slot + 2) ignoreCheck(insns, slot + 1);
        slot = places.at(-1)!;
        break;
      }
  }
  return marks;
}

/** The slots of loads of a field that begin in a slot; null if these instructions are others. */
function placesOf(insns: Insns, first: number, loads: FieldLoads, targets: Uint8Array): number[] | null {
  const { opcode, dst, src, off, count } = insns;
  const register = dst[first]!;
  if (off[first] !== loads[0]) return null;
  const places = [first];
  let slot = first + 1;
  const checks = opcode[slot] === IF_ZERO && dst[slot] === register && insns.imm[slot] === 0 && off[slot] === 1;
  if (checks && loads.length === 2) {
    if (targets[slot] !== 0) return null;
    slot += 1;
  }
  for (let step = 1; step < loads.length; step++, slot++) {
    const isLast = step === loads.length - 1;
    const op = slot < count ? opcode[slot]! : 0;
    const isLoad = isLast ? (op & OP.CLASS) === OP.LDX && (op & OP.MODE) === OP.MEM : op === LOAD_LONG;
    if (!isLoad || src[slot] !== register || dst[slot] !== register || targets[slot] !== 0) return null;
    if (loads[step] !== null && off[slot] !== loads[step]) return null;
    places.push(slot);
  }
  return places;
}

function ignoreCheck({ opcode, dst, src, off, imm }: Insns, slot: number): void {
  opcode[slot] = NOTHING;
  dst[slot] = src[slot] = 0;
  off[slot] = 0;
  imm[slot] = 0;
}

/** By slot, 1 if a jump leads there. */
function jumpTargets({ opcode, off, imm, count }: Insns): Uint8Array {
  const targets = new Uint8Array(count);
  for (let slot = 0; slot < count; slot++) {
    const op = opcode[slot]!;
    const kind = op & OP.CLASS;
    if (op === OP.LD_IMM64) slot += 1;
    else if ((kind === OP.JMP || kind === OP.JMP32) && op !== OP.CALL && op !== OP.EXIT) {
      const target = slot + 1 + (op === OP.JA32 ? imm[slot]! : off[slot]!);
      if (target >= 0 && target < count) targets[target] = 1;
    }
  }
  return targets;
}
