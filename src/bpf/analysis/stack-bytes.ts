import type { EvidenceCollector } from "../evidence/evidence-collector.js";
import { describeUnwritten } from "../evidence/unwritten-bytes.js";
import type { Code } from "../model/code.js";
import { FrameWriters } from "./frame-writers.js";
import { offsetOf, PARAMETERS, placeBehind, placeInFrame } from "./states/byte-places.js";
import { FIRST_SLOT, type Frames } from "./states/frames.js";
import { FunctionSummaries } from "./states/function-summaries.js";
import { SIGN, slotOfTag, tellsSize } from "./values/call-tags.js";
import { ANY_OFFSET, KIND } from "./values/kinds.js";
import { bitOf, OTHERS } from "./values/numbers.js";
import type { Values } from "./values/values.js";

/** Kinds of memory through which a read has the effect anyway. */
const KERNEL = KIND.KERNEL | KIND.OBJECT;
const FRAME = 512;

/**
 * Reads of stack bytes that nothing has surely written. They hold what the kernel left there: a program with
 * CAP_PERFMON may read them since Linux 6.3 (check_stack_range_initialized, kernel/bpf/verifier.c), and bytes that a
 * helper was to fill and did not count as initialised in every kernel.
 */
export class StackBytes {
  readonly summaries = new FunctionSummaries();
  /** Called with a function that reads more of its callers' frames than was known. */
  onRead: (index: number) => void = () => {};
  readonly #writers: FrameWriters;

  constructor(
    readonly code: Code,
    readonly values: Values,
    readonly frames: Frames,
    readonly findings: EvidenceCollector,
  ) {
    this.#writers = new FrameWriters(code);
  }

  /** An instruction reads `size` bytes at a distance from a pointer; `distance` may be ANY_OFFSET. */
  load(slot: number, pointer: number, distance: number, size: number): void {
    if ((this.values.kinds(pointer) & KIND.STACK) !== 0) this.#read(slot, pointer, distance, size, "reads");
  }

  /** An instruction writes `size` bytes at a distance from a pointer; `distance` may be ANY_OFFSET. */
  store(pointer: number, distance: number, size: number): void {
    const place = this.#placeToWrite(pointer, distance, size);
    if (place >= 0) this.frames.written.write(place, size);
  }

  /**
   * A helper or kfunc reads memory at a pointer: `size` bytes, as a value of the program, or at most `most` bytes.
   */
  lend(slot: number, pointer: number, size: number, most: number, who: string): void {
    const { values } = this;
    if ((values.kinds(pointer) & KIND.STACK) === 0 || most === 0) return;
    const tag = size < 0 ? -1 : values.tag(size);
    if (tag >= 0 && tellsSize(tag)) {
      const place = this.#placeToRead(pointer, 0, 0);
      const written = place < 0 ? 0 : this.frames.written.pending.wroteAsResult(slotOfTag(tag), place);
      if (written > 0) {
        if (most > written) this.#read(slot, pointer, written, most - written, `lets \`${who}\` read`);
        return;
      }
    }
    this.#read(slot, pointer, 0, most, `lets \`${who}\` read`);
  }

  /**
   * The call in this slot wrote at least `size` bytes at a pointer if its result has one of these signs; with
   * AS_RESULT, as many of them as its result says.
   */
  fill(slot: number, pointer: number, size: number, signs: number): void {
    const place = this.#placeToWrite(pointer, 0, size);
    if (place >= 0)
      if (signs === SIGN.ANY) this.frames.written.write(place, size);
      else this.frames.written.writeIf(slot, place, size, signs);
  }

  /** The kernel keeps data of its own in `size` bytes at a pointer, which a program can read later. */
  keep(slot: number, pointer: number, size: number, who: string): void {
    const { values, frames } = this;
    if ((values.kinds(pointer) & (KIND.STACK | KERNEL)) !== KIND.STACK) return;
    const own = values.frame(pointer) === frames.function;
    if (!own) this.findings.note("reads_kernel_memory", slot, `lets \`${who}\` keep its data in a caller's frame`);
    const place = this.#placeToRead(pointer, 0, size);
    if (place >= 0) frames.written.unwrite(place, size);
    else frames.written.unwrite(0, FRAME);
  }

  /** The call in this slot may write to memory at a pointer. Only for evidence. */
  mayFill(slot: number, pointer: number): void {
    const place = this.#placeToWrite(pointer, 0, 0);
    if (place >= 0 && place < FRAME) this.#writers.addCall(this.frames.function, slot, place);
  }

  /** Before a call that tells by its result what it wrote: results of earlier calls in this slot no longer count. */
  renew(slot: number): void {
    const { values } = this;
    const { state, followed, written } = this.frames;
    written.forget(slot);
    this.frames.work.done += followed >> 3;
    for (let at = 0; at < FIRST_SLOT + followed; at++) {
      const tag = values.tag(state[at]!);
      if (tag >= 0 && slotOfTag(tag) === slot) state[at] = values.detached(state[at]!);
    }
  }

  /** A function of the program is called, or a callback runs: reads its callers' frames through these arguments. */
  enter(slot: number, index: number, args: readonly number[]): void {
    const { values, summaries } = this;
    for (let parameter = 1; parameter <= PARAMETERS; parameter++) {
      const pointer = args[parameter - 1];
      if (pointer === undefined || (values.kinds(pointer) & KIND.STACK) === 0) continue;
      const how = `lets \`${this.code.functions[index]!.name}\` read`;
      if (summaries.readsAny(index, parameter)) this.#read(slot, pointer, ANY_OFFSET, 1, how);
      else
        summaries.visitReads(index, parameter, (distance, size) => {
          this.frames.work.done += 1;
          this.#read(slot, pointer, distance, size, how);
        });
    }
  }

  /** The current function returns a value. Returns whether it has surely written less than was known. */
  leave(index: number, value: number): boolean {
    const { values, frames, summaries } = this;
    const tag = values.tag(value);
    const slot = tag >= 0 && tellsSize(tag) ? slotOfTag(tag) : -1;
    return summaries.returns(index, signsOf(values.set(value)), slot, frames.written);
  }

  /** The function that was called with these arguments has returned. Returns whether its result tells what it wrote. */
  left(slot: number, index: number, args: readonly number[]): boolean {
    let tells = false;
    for (let parameter = 1; parameter <= PARAMETERS; parameter++) {
      const pointer = args[parameter - 1]!;
      for (const { distance, size, signs } of this.summaries.written(index, parameter)) {
        const place = this.#placeToWrite(pointer, distance, size);
        this.frames.work.done += 1;
        if (place < 0) continue;
        if (signs === SIGN.ANY) this.frames.written.write(place, size);
        else {
          if (!tells) this.renew(slot);
          tells = true;
          this.frames.written.writeIf(slot, place, size, signs);
        }
      }
    }
    return tells;
  }

  /** The place of a pointer that certainly points there; -1 if it has none. */
  #placeToWrite(pointer: number, distance: number, size: number): number {
    const { values } = this;
    if (distance === ANY_OFFSET) return -1;
    if (values.kinds(pointer) === KIND.STACK && values.frame(pointer) === this.frames.function) {
      const offset = values.offset(pointer);
      return offset === ANY_OFFSET ? -1 : placeInFrame(offset + distance, size);
    }
    return this.#placeBehind(pointer, distance, size);
  }

  /** The place of a pointer, if it points into a frame at all; -1 if that is not known. */
  #placeToRead(pointer: number, distance: number, size: number): number {
    const { values } = this;
    if (distance === ANY_OFFSET) return -1;
    if (values.frame(pointer) === this.frames.function) {
      const offset = values.offset(pointer);
      return offset === ANY_OFFSET ? -1 : placeInFrame(offset + distance, size);
    }
    return this.#placeBehind(pointer, distance, size);
  }

  #placeBehind(pointer: number, distance: number, size: number): number {
    const parameter = this.values.parameter(pointer);
    const from = parameter === 0 ? ANY_OFFSET : this.values.fromParameter(pointer);
    return from === ANY_OFFSET ? -1 : placeBehind(parameter, from + distance, size);
  }

  #read(slot: number, pointer: number, distance: number, size: number, how: string): void {
    const { values, frames, summaries } = this;
    if ((values.kinds(pointer) & KERNEL) !== 0) return;
    const first = this.#placeToRead(pointer, distance, 0);
    const parameter = values.parameter(pointer);
    const own = values.frame(pointer) === frames.function;
    if (own) {
      const from = Math.max(0, first);
      const to = first < 0 ? FRAME : Math.min(FRAME, first + size);
      this.#check(slot, from, to, how);
    } else if (parameter === 0) this.findings.note("reads_kernel_memory", slot, `${how} ${UNKNOWN}`);
    else if (first < 0) {
      if (summaries.addReadOfAny(frames.function, parameter)) this.onRead(frames.function);
    } else {
      const end = placeBehind(parameter + 1, 0, 0);
      let isNew = false;
      for (let at = first; at < Math.min(end, first + size); ) {
        const missing = frames.written.missing(at, Math.min(end, first + size) - at);
        if (missing < 0) break;
        const next = frames.written.bytes.next(missing, Math.min(end, first + size));
        const to = next < 0 ? Math.min(end, first + size) : next;
        if (summaries.addRead(frames.function, missing, to - missing)) isNew = true;
        at = to;
      }
      if (isNew) this.onRead(frames.function);
    }
  }

  /** Reads of own bytes from one place up to another. */
  #check(slot: number, from: number, to: number, how: string): void {
    const { written, function: index } = this.frames;
    const missing = written.missing(from, to - from);
    if (missing < 0) return;
    this.findings.note("reads_kernel_memory", slot, () => {
      const next = written.bytes.next(missing, to);
      const end = next < 0 ? to : next;
      const pending = written.pending.callFor(missing);
      return describeUnwritten(this.code, how, {
        offset: offsetOf(missing),
        size: end - missing,
        call: pending >= 0 ? pending : this.#writers.callFor(index, missing),
        stored: this.#writers.stores(index, missing, end - missing),
        between: missing > from && next >= 0,
      });
    });
  }
}

const UNKNOWN = "bytes of a stack frame that may not be written";

/** The signs of the numbers in a set (numbers.ts). */
function signsOf(set: number): number {
  let signs = 0;
  for (const [bits, sign] of SIGNED) if ((set & bits) !== 0) signs |= sign;
  return signs;
}

const SIGNED: readonly (readonly [bits: number, signs: number])[] = [
  [bitOf(0), SIGN.ZERO],
  [bitOf(-1), SIGN.NEGATIVE],
  [~(bitOf(0) | bitOf(-1) | OTHERS), SIGN.POSITIVE],
  [OTHERS, SIGN.NEGATIVE | SIGN.POSITIVE],
];
