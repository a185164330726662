import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Frames } from "../../../../src/bpf/analysis/states/frames.js";
import { Work } from "../../../../src/bpf/analysis/states/work.js";
import { ANY_FRAME, ANY_OFFSET, KIND } from "../../../../src/bpf/analysis/values/kinds.js";
import { Scratch } from "../../../../src/bpf/analysis/values/scratch.js";
import { Values } from "../../../../src/bpf/analysis/values/values.js";
import { either, holds } from "../../../support/known-numbers.js";

const SLOTS = 4;
const SIZE = SLOTS * 8;

function frameOf(functions = 1, bigEndian = false): { values: Values; frames: Frames } {
  const values = new Values(100, new Scratch());
  const frames = new Frames(values, functions, bigEndian, new Work(100), new Scratch());
  frames.followed = SLOTS;
  frames.state.fill(values.any);
  return { values, frames };
}

const store = fc.record({
  size: fc.constantFrom(1, 2, 4, 8),
  at: fc.integer({ min: 0, max: SIZE - 1 }),
  numbers: fc.array(fc.bigInt({ min: -3n, max: 300n }), { minLength: 1, maxLength: 2 }),
  aligned: fc.boolean(),
});

describe("a frame", () => {
  it.each([
    ["little", false],
    ["big", true],
  ])("with its bytes in %s order gives back what was stored, wherever it is cut", (_, bigEndian) => {
    fc.assert(
      fc.property(fc.array(store, { minLength: 1, maxLength: 12 }), (stores) => {
        const { values, frames } = frameOf(1, bigEndian);
        const memory = new DataView(new ArrayBuffer(SIZE));
        const known = new Uint8Array(SIZE);
        for (const { size, at: where, numbers, aligned } of stores) {
          const at = Math.min(aligned ? where - (where % size) : where, SIZE - size);
          const stored = numbers[0]!;
          frames.store(0, at - SIZE, size, either(values, numbers));
          for (let byte = 0; byte < size; byte++) {
            const shift = BigInt(8 * (bigEndian ? size - 1 - byte : byte));
            memory.setUint8(at + byte, Number((BigInt.asUintN(64, stored) >> shift) & 0xffn));
            known[at + byte] = 1;
          }
        }
        for (const size of [1, 2, 4, 8])
          for (let at = 0; at + size <= SIZE; at++) {
            if (!known.subarray(at, at + size).every((each) => each === 1)) continue;
            const loaded = frames.load(0, at - SIZE, size);
            let concrete = 0n;
            for (let byte = 0; byte < size; byte++)
              concrete |= BigInt(memory.getUint8(at + byte)) << BigInt(8 * (bigEndian ? size - 1 - byte : byte));
            if (!holds(values, loaded, BigInt.asIntN(64, concrete))) return false;
          }
        return true;
      }),
      { numRuns: 300 },
    );
  });

  it("keeps a pointer that is stored and loaded whole", () => {
    const { values, frames } = frameOf();
    const packet = values.pointer(KIND.PACKET);
    frames.store(0, -16, 8, packet);
    expect(frames.load(0, -16, 8)).toBe(packet);
    expect(values.kinds(frames.load(0, -12, 4))).toBe(KIND.NUMBER | KIND.ADDRESS);
    frames.store(0, -13, 1, values.constant(0));
    expect(values.kinds(frames.load(0, -16, 8))).toBe(KIND.NUMBER | KIND.ADDRESS);
  });

  it("may hold a pointer in any slot, once it was stored at an offset that is not known", () => {
    const { values, frames } = frameOf();
    frames.store(0, -8, 8, values.constant(2));
    frames.store(0, ANY_OFFSET, 8, values.pointer(KIND.PACKET));
    for (const at of [-8, -16, -24, -200])
      expect(values.kinds(frames.load(0, at, 8)) & KIND.PACKET, String(at)).toBe(KIND.PACKET);
    expect(values.isConstant(frames.load(0, -8, 8))).toBe(false);
  });

  it("holds what another function stored in it beside what it stored itself", () => {
    const { values, frames } = frameOf(2);
    frames.store(0, -8, 8, values.constant(2));
    const told: number[] = [];
    frames.onWritten = (frame) => told.push(frame);
    frames.function = 1;
    frames.store(0, -8, 8, values.constant(1));
    expect(told).toEqual([0]);
    frames.function = 0;
    expect(values.set(frames.load(0, -8, 8))).toBe(0b110);
  });

  it("shows another function what its owner stored, and tells when that grows", () => {
    const { values, frames } = frameOf(2);
    const context = values.pointer(KIND.CTX, 0, 0);
    frames.store(0, -8, 8, context);
    frames.function = 1;
    expect(values.kinds(frames.load(0, -8, 8)) & KIND.CTX).toBe(KIND.CTX);
    const told: number[] = [];
    frames.onStored = (frame) => told.push(frame);
    frames.function = 0;
    frames.store(0, -8, 8, context);
    frames.store(0, -8, 8, values.pointer(KIND.PACKET));
    expect(told).toEqual([0]);
  });

  it("may hold anything that went through a pointer to a frame that is not known", () => {
    const { values, frames } = frameOf(2);
    frames.store(0, -8, 8, values.constant(2));
    frames.store(ANY_FRAME, ANY_OFFSET, 8, values.pointer(KIND.PACKET));
    expect(values.kinds(frames.load(0, -8, 8)) & KIND.PACKET).toBe(KIND.PACKET);
  });

  it("forgets numbers, but no pointers, from where a helper writes on", () => {
    const { values, frames } = frameOf();
    frames.store(0, -24, 8, values.constant(1));
    frames.store(0, -16, 8, values.constant(2));
    frames.store(0, -8, 8, values.pointer(KIND.CTX, 0, 0));
    frames.scribble(0, -16);
    expect(values.isConstant(frames.load(0, -24, 8))).toBe(true);
    expect(frames.load(0, -16, 8)).toBe(values.any);
    expect(values.kinds(frames.load(0, -8, 8))).toBe(KIND.CTX | KIND.NUMBER);
  });

  it("reads bytes of numbers that are known, in either order", () => {
    for (const bigEndian of [false, true]) {
      const { values, frames } = frameOf(1, bigEndian);
      frames.store(0, -8, 4, values.constant(0x64636261));
      const text = [-8, -7, -6, -5].map((at) => String.fromCharCode(frames.byteAt(0, at))).join("");
      expect(text).toBe(bigEndian ? "dcba" : "abcd");
      expect(frames.byteAt(0, -4)).toBe(-1);
    }
  });
});

describe("a pointer into one of several frames", () => {
  const FUNCTIONS = 40;
  const OWN = 20;
  const slot = fc.integer({ min: 1, max: SLOTS });
  const frames = fc.shuffledSubarray(
    Array.from({ length: FUNCTIONS }, (_, frame) => frame),
    { minLength: 1 },
  );
  const places = fc
    .tuple(frames, fc.array(slot, { minLength: 2 * FUNCTIONS, maxLength: 2 * FUNCTIONS }), fc.boolean())
    .map(([some, slots, twice]) =>
      [...some, ...(twice ? some : [])].map((frame, index) => ({ frame, slot: slots[index]! })),
    );
  const act = fc.record({
    places,
    chosen: fc.nat(),
    moved: fc.integer({ min: -8, max: 8 }),
    size: fc.constantFrom(1, 2, 4, 8),
    number: fc.bigInt({ min: -3n, max: 300n }),
    kind: fc.constantFrom("store", "scribble", "own"),
  });

  it("stores to, clears and reads any of them", { tags: ["deep"] }, () => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 10 }), (acts) => {
        const { values, frames } = frameOf(FUNCTIONS);
        frames.function = OWN;
        const memory = new DataView(new ArrayBuffer(SIZE));
        for (let slot = 1; slot <= SLOTS; slot++) frames.store(OWN, -8 * slot, 8, values.constant(0));
        const write = (at: number, size: number, number: bigint) => {
          for (let byte = 0; byte < size; byte++)
            if (at + byte >= 0 && at + byte < SIZE)
              memory.setUint8(at + byte, Number((BigInt.asUintN(64, number) >> BigInt(8 * byte)) & 0xffn));
        };
        for (const { places, chosen, moved, size, number, kind } of acts) {
          const pointer = places
            .map(({ frame, slot }) => values.pointer(KIND.STACK, 0, -8 * slot, frame))
            .reduce((a, b) => values.join(a, b));
          const offset = values.offset(pointer) === ANY_OFFSET ? ANY_OFFSET : values.offset(pointer) + moved;
          const { frame, slot } = places[chosen % places.length]!;
          const at = SIZE - 8 * slot + moved;
          if (kind === "own") {
            const own = Math.min(Math.max(at, 0), SIZE - size);
            frames.store(OWN, own - SIZE, size, values.constant(Number(number)));
            write(own, size, number);
          } else if (at < 0 || at + size > SIZE) continue;
          else if (kind === "store") {
            frames.store(values.frame(pointer), offset, size, values.constant(Number(number)));
            if (frame === OWN) write(at, size, number);
          } else {
            frames.scribble(values.frame(pointer), offset);
            if (frame === OWN) for (let from = at; from < SIZE; from++) write(from, 1, number + BigInt(from));
          }
          if (kind !== "own" && frame === OWN && at + 8 <= SIZE) {
            const loaded = frames.load(values.frame(pointer), offset, 8);
            if (!holds(values, loaded, memory.getBigInt64(at, true))) return false;
          }
        }
        for (let at = 0; at + 8 <= SIZE; at++)
          if (!holds(values, frames.load(OWN, at - SIZE, 8), memory.getBigInt64(at, true))) return false;
        return true;
      }),
      { numRuns: 500 },
    );
  });

  it("shares its offset with another kind of pointer only where that is the same in each", () => {
    const { values } = frameOf(3);
    const first = values.join(values.pointer(KIND.STACK, 0, -8, 2), values.pointer(KIND.MAP_VALUE, 1, -8));
    expect(values.offset(first)).toBe(-8);
    expect(values.offset(values.join(first, values.pointer(KIND.STACK, 0, -16, 1)))).toBe(ANY_OFFSET);
    const both = values.join(values.pointer(KIND.STACK, 0, -8, 2), values.pointer(KIND.STACK, 0, -16, 1));
    expect(values.offset(both)).not.toBe(ANY_OFFSET);
    expect(values.join(both, values.pointer(KIND.STACK, 0, -8, 2))).toBe(both);
    expect(values.join(values.pointer(KIND.STACK, 0, -16, 1), values.pointer(KIND.STACK, 0, -8, 2))).toBe(both);
  });
});
