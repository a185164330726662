import { addressBytes, lowBytes, withAddress, withoutAddress } from "../values/addresses.js";
import { ANY_FRAME, ANY_NUMBER, ANY_OFFSET, ANYTHING, KIND } from "../values/kinds.js";
import type { Scratch } from "../values/scratch.js";
import { ALL_BYTES, UPPER_BYTES, type Values } from "../values/values.js";
import { AUXILIARY, FRAME_SLOTS } from "./flow.js";
import type { Work } from "./work.js";
import { WrittenBytes } from "./written-bytes.js";

/** Index of the number of the set of written bytes in a state, after the registers, and of the first stack slot. */
export const WRITTEN = 11;
export const FIRST_SLOT = 12;
/** The last is the auxiliary register's. */
const STATE_SIZE = AUXILIARY + 1;

/**
 * The stack. The current function's own frame is part of the state that flows through the function. Accesses to frames
 * of other functions, through pointers that were passed, are collected for the whole program: `written` by other
 * functions, and `stored` by the owner for others to read. The verifier rejects recursion, so each function has one
 * frame.
 */
export class Frames {
  /** The current state: registers, a word for states.ts, then stack slots from the top of the frame down. */
  readonly state: Int32Array;
  /** The current function, and the number of slots of its frame that the state tracks. */
  function = 0;
  followed = 0;
  /** Which bytes the current function has surely written. */
  readonly written: WrittenBytes;

  readonly #values: Values;
  readonly #bigEndian: boolean;
  readonly #alone: boolean;
  readonly #stored: Int32Array;
  readonly #written: Int32Array;
  /** Values written by other functions: anywhere in a function's frame; anywhere in any frame. */
  readonly #somewhere: Int32Array;
  #anywhere = -1;
  #touched = false;
  /**
   * Called with the function whose frame another function has written (or ANY_FRAME); with one whose frame has changed
   * and is read by others; and with one whose frame is read by another function.
   */
  onWritten: (frame: number) => void = () => {};
  onStored: (frame: number) => void = () => {};
  onRead: (frame: number) => void = () => {};

  constructor(
    values: Values,
    functions: number,
    bigEndian: boolean,
    readonly work: Work,
    scratch: Scratch,
  ) {
    this.state = scratch.take(STATE_SIZE);
    this.written = new WrittenBytes(work);
    this.#values = values;
    this.#bigEndian = bigEndian;
    this.#alone = functions === 1;
    this.#stored = scratch.take(this.#alone ? 0 : functions * FRAME_SLOTS).fill(-1);
    this.#written = scratch.take(functions * FRAME_SLOTS).fill(-1);
    this.#somewhere = scratch.take(functions).fill(-1);
  }

  /** The registers from `first` to r5 may hold any number. By assignments: a call of fill() takes longer. */
  clobber(first: number): void {
    const { state } = this;
    const { any } = this.#values;
    for (let register = first; register <= 5; register++) state[register] = any;
  }

  /** A load of `size` bytes at an offset from a frame's end. */
  load(frame: number, offset: number, size: number): number {
    if (frame >= 0) return this.#loadFrom(frame, offset, size);
    const values = this.#values;
    const places = values.frameSets.places(frame, offset);
    if (places === null) return values.pointer(ANYTHING, -1);
    return places
      .map(([each, place]) => this.#loadFrom(each, place, size))
      .reduce((joined, value) => values.join(joined, value));
  }

  #loadFrom(frame: number, offset: number, size: number): number {
    if (offset === ANY_OFFSET || offset >= 0 || offset < -8 * FRAME_SLOTS) return this.#loadSomewhere(frame);
    const slot = (-offset - 1) >> 3;
    const value = this.#get(frame, slot);
    const within = offset + (slot + 1) * 8;
    if (within === 0 && size === 8) return value;
    // A load across two slots, or of a part of one, gives no pointer.
    if (within + size <= 8) return this.#part(value, within, size);
    return withAddress(this.#values, this.#values.any, this.#hasAddress(frame, offset, size) ? ALL_BYTES : 0);
  }

  /**
   * A store of `size` bytes at an offset from a frame's end. With `unsure`, the store may go elsewhere, so the old
   * value stays possible.
   */
  store(frame: number, offset: number, size: number, value: number, unsure = false): void {
    if (frame >= 0) {
      this.#storeTo(frame, offset, size, value, unsure);
      return;
    }
    const values = this.#values;
    const places = values.frameSets.places(frame, offset);
    if (places === null) {
      const joined = values.join(this.#anywhere < 0 ? values.any : this.#anywhere, values.detached(value));
      if (joined === this.#anywhere) return;
      this.#anywhere = joined;
      this.#touched = true;
      this.onWritten(ANY_FRAME);
      return;
    }
    for (const [each, place] of places) this.#storeTo(each, place, size, value, true);
  }

  #storeTo(frame: number, offset: number, size: number, value: number, unsure: boolean): void {
    const values = this.#values;
    if (offset === ANY_OFFSET || offset >= 0 || offset < -8 * FRAME_SLOTS) {
      this.#storeSomewhere(frame, value);
      return;
    }
    const slot = (-offset - 1) >> 3;
    const within = offset + (slot + 1) * 8;
    if (within === 0 && size === 8) this.#putAt(frame, slot, value, unsure);
    else if (within + size <= 8)
      this.#putAt(frame, slot, this.#patch(this.#get(frame, slot), within, size, value), unsure);
    else {
      const bytes = addressBytes(values, value) & lowBytes(size);
      for (let part = slot; part >= Math.max(0, slot - 1); part--) {
        const kept = this.#addressBytes(frame, part) & ~this.#covered(part, offset, size);
        this.#putAt(frame, part, withAddress(values, values.any, bytes === 0 ? kept : ALL_BYTES), unsure);
      }
    }
  }

  /** With `unsure`, the old value stays possible. */
  #putAt(frame: number, slot: number, value: number, unsure: boolean): void {
    this.#put(frame, slot, unsure ? this.#values.join(this.#get(frame, slot), value) : value);
  }

  /** Another function may write numbers from an offset up to the end of the frame. */
  scribble(frame: number, offset: number): void {
    if (frame >= 0) {
      this.#scribbleOn(frame, offset);
      return;
    }
    const places = this.#values.frameSets.places(frame, offset);
    if (places === null) this.store(frame, offset, 8, this.#values.any, true);
    else for (const [each, place] of places) this.#scribbleOn(each, place);
  }

  #scribbleOn(frame: number, offset: number): void {
    if (offset === ANY_OFFSET || offset >= 0 || offset < -8 * FRAME_SLOTS) {
      this.#storeSomewhere(frame, this.#values.any);
      return;
    }
    this.work.done += (-offset - 1) >> 4;
    const values = this.#values;
    const { any } = values;
    const { state, followed } = this;
    // In a program of one function, whose frame nothing else writes, most slots hold any number already.
    const alone = this.#alone && !this.#touched;
    for (let slot = (-offset - 1) >> 3; slot >= 0; slot--)
      if (!alone || slot >= followed || state[FIRST_SLOT + slot] !== any)
        this.#put(frame, slot, values.join(this.#get(frame, slot), any));
  }

  /** Whether one of `size` bytes at an offset of a frame may be of an address. */
  hasAddress(frame: number, offset: number, size: number): boolean {
    if (frame >= 0) return this.#hasAddress(frame, offset, size);
    const places = this.#values.frameSets.places(frame, offset);
    return places === null || places.some(([each, place]) => this.#hasAddress(each, place, size));
  }

  #hasAddress(frame: number, offset: number, size: number): boolean {
    if (offset === ANY_OFFSET || offset >= 0 || offset < -8 * FRAME_SLOTS)
      return addressBytes(this.#values, this.#loadSomewhere(frame)) !== 0;
    const last = Math.max(0, (-offset - size) >> 3);
    this.work.done += (((-offset - 1) >> 3) - last) >> 1;
    for (let slot = (-offset - 1) >> 3; slot >= last; slot--)
      if ((this.#addressBytes(frame, slot) & this.#covered(slot, offset, size)) !== 0) return true;
    return false;
  }

  #addressBytes(frame: number, slot: number): number {
    return addressBytes(this.#values, this.#get(frame, slot));
  }

  /** The bytes of a slot, as those of a register, that `size` bytes at an offset cover. */
  #covered(slot: number, offset: number, size: number): number {
    const within = offset + (slot + 1) * 8;
    const first = Math.max(0, within);
    const end = Math.min(8, within + size);
    if (end <= first) return 0;
    return lowBytes(end - first) << (this.#bigEndian ? 8 - end : first);
  }

  /** The byte at an offset of a frame; -1 if it is not known. */
  byteAt(frame: number, offset: number): number {
    if (frame < 0 || offset >= 0 || offset < -8 * FRAME_SLOTS) return -1;
    const slot = (-offset - 1) >> 3;
    const value = this.#get(frame, slot);
    if (this.#values.kinds(value) !== KIND.NUMBER) return -1;
    const within = offset + (slot + 1) * 8;
    const byte = this.#bigEndian ? 7 - within : within;
    if ((this.#values.mask(value) & (1 << byte)) === 0) return -1;
    return ((byte < 4 ? this.#values.lo(value) : this.#values.hi(value)) >>> (8 * (byte & 3))) & 0xff;
  }

  #get(frame: number, slot: number): number {
    const values = this.#values;
    const own = frame === this.function;
    let value: number;
    if (own) value = slot < this.followed ? this.state[FIRST_SLOT + slot]! : values.any;
    else {
      this.onRead(frame);
      const stored = this.#stored[frame * FRAME_SLOTS + slot]!;
      value = stored < 0 ? values.any : values.join(stored, values.any);
    }
    if (!this.#touched) return value;
    const written = this.#written[frame * FRAME_SLOTS + slot]!;
    if (written >= 0) value = values.join(value, written);
    const somewhere = this.#somewhere[frame]!;
    if (somewhere >= 0) value = values.join(value, somewhere);
    return this.#anywhere < 0 ? value : values.join(value, this.#anywhere);
  }

  #put(frame: number, slot: number, value: number): void {
    if (frame !== this.function || slot >= this.followed) {
      this.#writeForeign(frame, slot, value);
      return;
    }
    this.state[FIRST_SLOT + slot] = value;
    if (this.#alone) return;
    const at = frame * FRAME_SLOTS + slot;
    const before = this.#stored[at]!;
    const detached = this.#values.detached(value);
    const stored = before < 0 ? detached : this.#values.join(before, detached);
    if (stored === before) return;
    this.#stored[at] = stored;
    this.onStored(frame);
  }

  #writeForeign(frame: number, slot: number, value: number): void {
    const at = frame * FRAME_SLOTS + slot;
    const before = this.#written[at]!;
    const detached = this.#values.detached(value);
    const written = before < 0 ? detached : this.#values.join(before, detached);
    if (written === before) return;
    this.#written[at] = written;
    this.#touched = true;
    this.onWritten(frame);
  }

  #loadSomewhere(frame: number): number {
    const values = this.#values;
    let value = values.any;
    this.work.done += FRAME_SLOTS >> 1;
    for (let slot = 0; slot < FRAME_SLOTS; slot++) value = values.join(value, this.#get(frame, slot));
    return value;
  }

  #storeSomewhere(frame: number, value: number): void {
    const values = this.#values;
    const either = values.join(values.detached(value), values.any);
    this.work.done += this.followed >> 1;
    if (frame === this.function)
      for (let slot = 0; slot < this.followed; slot++)
        this.#put(frame, slot, values.join(this.#get(frame, slot), either));
    const before = this.#somewhere[frame]!;
    const joined = before < 0 ? either : values.join(before, either);
    if (joined === before) return;
    this.#somewhere[frame] = joined;
    this.#touched = true;
    this.onWritten(frame);
  }

  /** A part of a slot as a number. `within` counts from the slot's lowest address. */
  #part(value: number, within: number, size: number): number {
    const values = this.#values;
    const shift = this.#bigEndian ? 8 - within - size : within;
    if (values.kinds(value) !== KIND.NUMBER) {
      const number = withoutAddress(values, value);
      const part = number === value ? values.any32 : this.#part(number, within, size);
      return withAddress(values, part, (addressBytes(values, value) >> shift) & lowBytes(size));
    }
    const wanted = lowBytes(size) << shift;
    if ((values.mask(value) & wanted) !== wanted) {
      if (size !== 4 || (shift !== 0 && shift !== 4)) return values.any32;
      return values.number(0, 0, UPPER_BYTES, shift === 0 ? values.set(value) : values.highSet(value));
    }
    // Four bytes in the middle of a slot are from both words.
    if ((shift & 3) + size > 4) return values.any32;
    const bits = (shift < 4 ? values.lo(value) : values.hi(value)) >>> (8 * (shift & 3));
    return values.constant(size === 4 ? bits | 0 : bits & ((1 << (8 * size)) - 1), 0);
  }

  /** The value of a slot after some of its bytes are overwritten. A pointer does not survive that. */
  #patch(before: number, within: number, size: number, value: number): number {
    const values = this.#values;
    const shift = this.#bigEndian ? 8 - within - size : within;
    const covered = lowBytes(size) << shift;
    if ((values.kinds(before) | values.kinds(value)) === KIND.NUMBER) return this.#patched(before, shift, size, value);
    const bytes = (addressBytes(values, before) & ~covered) | ((addressBytes(values, value) & lowBytes(size)) << shift);
    const number = this.#patched(withoutAddress(values, before), shift, size, withoutAddress(values, value));
    return withAddress(values, number, bytes);
  }

  #patched(before: number, shift: number, size: number, value: number): number {
    const values = this.#values;
    const covered = lowBytes(size) << shift;
    const kept = values.kinds(before) === KIND.NUMBER ? values.mask(before) & ~covered : 0;
    const inLow = shift < 4;
    const inHigh = shift + size > 4;
    const set = inLow ? (shift === 0 && size === 4 ? values.set(value) : ANY_NUMBER) : values.set(before);
    const high = inHigh ? (shift === 4 && size === 4 ? values.set(value) : ANY_NUMBER) : values.highSet(before);
    const low = (1 << size) - 1;
    const known = values.kinds(value) === KIND.NUMBER && (values.mask(value) & low) === low && !(inLow && inHigh);
    if (!known) return values.number(values.lo(before), values.hi(before), kept, set, high);
    const bits = size === 4 ? -1 : ((1 << (8 * size)) - 1) << (8 * (shift & 3));
    const moved = (values.lo(value) << (8 * (shift & 3))) & bits;
    const lo = inLow ? (values.lo(before) & ~bits) | moved : values.lo(before);
    const hi = inHigh ? (values.hi(before) & ~bits) | moved : values.hi(before);
    return values.number(lo, hi, covered | kept, set, high);
  }
}
