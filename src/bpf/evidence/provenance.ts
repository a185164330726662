import { disassemble } from "../insn/disassembly.js";
import { CALL_SRC, LD_SRC, OP } from "../insn/insn.js";
import type { Code, CodeFunction } from "../model/code.js";

/** How many instructions back, and over how many steps, the origin of a pointer is searched. */
const FARTHEST = 4096;
const MOST_STEPS = 8;
const FRAME_POINTER = 10;

/**
 * Explains to people how a program reaches an instruction: the functions that lead to it, and the origin of the pointer
 * that it uses. The search goes backwards in the order of the instructions, which is only one of the possible paths.
 */
export class Provenance {
  readonly #code: Code;
  #callers: Map<CodeFunction, number> | undefined;

  constructor(code: Code) {
    this.#code = code;
  }

  /** `, in `parse` called at 12`, `, the pointer from 3 `r2 = …` by 5, 9`; empty if there is nothing to add. */
  to(slot: number): string {
    return `${this.#origin(slot)}${this.#functions(slot)}`;
  }

  #functions(slot: number): string {
    const words: string[] = [];
    let at = slot;
    for (let step = 0; step < MOST_STEPS; step++) {
      const inside = this.#functionAt(at);
      const from = inside === undefined ? undefined : this.#callersOf().get(inside);
      if (inside === undefined || from === undefined) break;
      words.push(
        `, in \`${inside.name}\` ${this.#code.insns.opcode[from] === OP.CALL ? "called" : "handed over"} at ${from}`,
      );
      at = from;
    }
    return words.join("");
  }

  /** The steps of a pointer, latest first, up to the load or call that it comes from. */
  #origin(slot: number): string {
    const steps = this.#steps(slot);
    const [origin, ...by] = steps.reverse();
    if (origin === undefined) return "";
    const way = by.length === 0 ? "" : ` by ${by.join(", ")}`;
    return `, the pointer from ${origin} \`${disassemble(this.#code.insns, origin)}\`${way}`;
  }

  #steps(slot: number): number[] {
    const { opcode, dst, src, off } = this.#code.insns;
    let register = pointerOf(opcode[slot]!, dst[slot]!, src[slot]!);
    const steps: number[] = [];
    if (register === null || register === FRAME_POINTER) return steps;
    /** Stack offset whose store is searched instead of a register; null for a register. */
    let cell: number | null = null;
    let start = this.#functionAt(slot)?.start ?? 0;
    for (let at = slot - 1, left = FARTHEST; left > 0 && steps.length < MOST_STEPS; at--, left--) {
      if (at < start) {
        const inside = this.#functionAt(start);
        const from = cell === null && register >= 1 && register <= 5 ? this.#calledFrom(inside) : undefined;
        if (from === undefined) break;
        steps.push(from);
        at = from;
        start = this.#functionAt(from)?.start ?? 0;
        continue;
      }
      const op = opcode[at]!;
      const kind = op & OP.CLASS;
      if (cell !== null) {
        if (kind !== OP.STX || dst[at] !== FRAME_POINTER || off[at] !== cell) continue;
        steps.push(at);
        register = src[at]!;
        cell = null;
      } else if (op === OP.CALL) {
        if (register > 5) continue;
        if (register === 0) steps.push(at);
        break;
      } else if (dst[at] !== register || kind === OP.ST || kind === OP.STX || kind === OP.JMP || kind === OP.JMP32)
        continue;
      else if (op === MOVE) {
        steps.push(at);
        register = src[at]!;
        if (register === FRAME_POINTER) break;
      } else if (kind === OP.LDX && src[at] === FRAME_POINTER) {
        steps.push(at);
        cell = off[at]!;
      } else if (kind === OP.LDX || kind === OP.LD) {
        steps.push(at);
        break;
      } else if ((op & OP.CODE) === MOVE_CODE) break;
    }
    return steps;
  }

  #calledFrom(inside: CodeFunction | undefined): number | undefined {
    const from = inside === undefined ? undefined : this.#callersOf().get(inside);
    return from !== undefined && this.#code.insns.opcode[from] === OP.CALL ? from : undefined;
  }

  #functionAt(slot: number): CodeFunction | undefined {
    const { functions } = this.#code;
    let low = 0;
    let high = functions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (functions[middle]!.start <= slot) low = middle + 1;
      else high = middle;
    }
    const found = functions[low - 1];
    return found !== undefined && slot < found.end ? found : undefined;
  }

  /** The first slot at which each function is called or passed as a callback. */
  #callersOf(): Map<CodeFunction, number> {
    if (this.#callers !== undefined) return this.#callers;
    const { insns, functions } = this.#code;
    const starts = new Map(functions.map((each) => [each.start, each]));
    const callers = new Map<CodeFunction, number>();
    if (functions.length > 1)
      for (let slot = 0; slot < insns.count; slot++) {
        const op = insns.opcode[slot];
        const source = insns.src[slot];
        const refers =
          (op === OP.CALL && source === CALL_SRC.SUBPROGRAM) || (op === OP.LD_IMM64 && source === LD_SRC.FUNC);
        const target = refers ? starts.get(slot + 1 + insns.imm[slot]!) : undefined;
        if (target !== undefined && target.start > 0 && !callers.has(target)) callers.set(target, slot);
        if (op === OP.LD_IMM64) slot += 1;
      }
    this.#callers = callers;
    return callers;
  }
}

/** Opcode of a 64-bit register move, and operation code of any move. */
const MOVE = 0xbf;
const MOVE_CODE = 0xb0;

/** The register through which an instruction reads or writes memory; null if it does neither. */
function pointerOf(opcode: number, dst: number, src: number): number | null {
  const kind = opcode & OP.CLASS;
  if (kind === OP.ST || kind === OP.STX) return dst;
  return kind === OP.LDX ? src : null;
}
