import { OP } from "../insn/insn.js";
import type { Code } from "../model/code.js";
import { placeInFrame } from "./states/byte-places.js";
import { ByteSet } from "./states/byte-set.js";

const FRAME_POINTER = 10;
/** Number of bytes, by the size bits of the opcode (shifted down): W, H, B, DW. */
const SIZES = [4, 2, 1, 8];
/** Maximum number of calls of a function that are remembered. */
const MOST_CALLS = 32;

/** What may write to the frames of a program's functions. Only for evidence: it knows constant offsets from r10. */
export class FrameWriters {
  /** Calls that may fill a function's frame from a place on. */
  readonly #calls = new Map<number, { readonly slot: number; readonly place: number }[]>();
  /** What the instructions of a function store, read once for each function. */
  readonly #stored = new Map<number, ByteSet>();

  constructor(readonly code: Code) {}

  addCall(index: number, slot: number, place: number): void {
    const calls = this.#calls.get(index);
    if (calls === undefined) this.#calls.set(index, [{ slot, place }]);
    else if (calls.length < MOST_CALLS && !calls.some((call) => call.slot === slot)) calls.push({ slot, place });
  }

  /** The call whose buffer begins next before a place; -1 if there is none. */
  callFor(index: number, place: number): number {
    let found = { slot: -1, place: -1 };
    for (const call of this.#calls.get(index) ?? []) if (call.place <= place && call.place > found.place) found = call;
    return found.slot;
  }

  /** Whether an instruction of the function stores to one of these places. */
  stores(index: number, place: number, size: number): boolean {
    let stored = this.#stored.get(index);
    if (stored === undefined) {
      stored = this.#storesOf(index);
      this.#stored.set(index, stored);
    }
    return stored.next(place, place + size) >= 0;
  }

  #storesOf(index: number): ByteSet {
    const { opcode, dst, off } = this.code.insns;
    const { start, end } = this.code.functions[index]!;
    const stored = new ByteSet();
    for (let slot = start; slot < end; slot++) {
      const op = opcode[slot]!;
      if (op === OP.LD_IMM64) slot += 1;
      else if (((op & OP.CLASS) === OP.ST || (op & OP.CLASS) === OP.STX) && dst[slot] === FRAME_POINTER) {
        const size = SIZES[(op & OP.SIZE) >> 3]!;
        const place = placeInFrame(off[slot]!, size);
        if (place >= 0) stored.add(place, size);
      }
    }
    return stored;
  }
}
