// @module-tag deep
import "../support/work.js";
import { describe, expect, it } from "vitest";
import { effectsOf } from "../../src/bpf/analysis/effects.js";
import { codeOf, mapOf } from "../../src/bpf/assembly/assembly.js";
import { decodeInsns, type Insns, MAX_INSNS } from "../../src/bpf/insn/insn.js";
import type { Code } from "../../src/bpf/model/code.js";
import { EFFECTS } from "../../src/bpf/model/facts.js";
import { PROGRAM_TYPES } from "../../src/bpf/tables/names.gen.js";
import { numbers, seedOf } from "../support/damage.js";
import { shareOf } from "../support/share.js";
import { worked } from "../support/work.js";

const seed = seedOf();
const ROUNDS = shareOf(5_000);
const maps = {
  own: mapOf("own"),
  pinned: mapOf("pinned", { own: false }),
  outer: mapOf("outer", { type: "hash_of_maps" }),
};

describe(`instructions of nothing but chance (seed ${seed})`, () => {
  it("have facts: what no kernel would take may do anything", () => {
    let wild = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
      const code = invented(next);
      const place = `seed ${seed}, round ${round}`;
      const found = effectsOf(code);
      const changes = found.evidence.some(({ ends_read_only }) => ends_read_only);
      expect(found.effects.read_only, place).toBe(!changes);
      expect(found.effects, place).toEqual(effectsOf(code).effects);
      for (const effect of EFFECTS)
        expect(
          found.evidence.some((each) => each.effect === effect),
          `${place}: ${effect}`,
        ).toBe(found.effects[effect]);
      if (found.effects.calls_bpf) {
        expect(
          EFFECTS.every((effect) => found.effects[effect]),
          place,
        ).toBe(true);
        wild += 1;
      }
    }
    expect(wild).toBeGreaterThan(ROUNDS / 20);
    expect(wild).toBeLessThan(ROUNDS);
  });
});

/** Mostly instructions that exist, with a function or two, and jumps that mostly stay inside. */
function invented(next: (below: number) => number): Code {
  const count = 1 + next(120);
  const bytes = Buffer.alloc(count * 8);
  for (let slot = 0; slot < count; slot++) {
    const at = slot * 8;
    const opcode = next(60) === 0 ? next(256) : OPCODES[next(OPCODES.length)]!;
    bytes[at] = opcode;
    bytes[at + 1] = next(opcode === 0x18 || next(8) > 0 ? 10 : 16) | (opcode === 0x85 ? 0 : next(11) << 4);
    bytes.writeInt16LE(next(3) === 0 ? next(128) - 64 : next(12) - 8 * next(3), at + 2);
    bytes.writeInt32LE(next(5) === 0 ? next(0xffffffff) | 0 : next(230) - 16, at + 4);
    if (opcode === 0x18 && slot + 1 < count) {
      bytes[at + 1] = (bytes[at + 1]! & 15) | (next(8) << 4);
      bytes.fill(0, at + 8, at + 16);
      slot += 1;
    }
  }
  bytes.fill(0, (count - 1) * 8);
  bytes[(count - 1) * 8] = 0x95;
  const insns = decodeInsns(bytes);
  const split = next(3) === 0 && count > 4 ? 1 + next(count - 2) : count;
  const functions = [{ name: "f0", start: 0, end: split, btfId: null, global: true }];
  if (split < count) functions.push({ name: "f1", start: split, end: count, btfId: null, global: next(2) === 0 });
  const named = Object.values(maps);
  const rewritten = next(4) === 0 ? [next(count), count + 5] : [];
  return {
    insns,
    byteOrder: next(10) === 0 ? "big" : "little",
    type: PROGRAM_TYPES[next(PROGRAM_TYPES.length)]!,
    expectedAttachType: null,
    attachTo: null,
    functions,
    mapAt: (slot) =>
      slot % 5 === 0 ? null : { map: named[slot % named.length]!, offset: slot % 2 === 0 ? null : slot },
    kfuncAt: (slot) => (slot % 2 === 0 ? null : { name: "bpf_obj_new_impl", module: null, btfId: null, typed: true }),
    ksymAt: () => null,
    rewrittenAt: () => null,
    rewrittenSlots: () => rewritten,
    sourceAt: () => null,
    btf: null,
  };
}

const OPCODES = [
  0x07, 0x0f, 0xb7, 0xbf, 0x17, 0x1f, 0x57, 0x67, 0xc7, 0x77, 0x87, 0xd4, 0x04, 0xb4, 0xbc, 0x18, 0x18, 0x85, 0x85,
  0x85, 0x95, 0x05, 0x15, 0x1d, 0x2d, 0x55, 0xa5, 0xc5, 0x16, 0xe5, 0x61, 0x69, 0x71, 0x79, 0x79, 0x81, 0x62, 0x72,
  0x7a, 0x63, 0x73, 0x7b, 0x7b, 0xc3, 0xdb, 0x20, 0x48,
] as const;

/**
 * The first program of each list is as long as the kernel allows, the others a tenth of that, unless all are complete.
 */
const lengthOf = (index: number): number => (index === 0 ? MAX_INSNS : shareOf(MAX_INSNS));
type Long = readonly [what: string, make: (most: number) => Code];
const ofLength = (programs: readonly Long[]) =>
  programs.map(([what, make], index) => [what, lengthOf(index), make] as const);

describe("a program of a million instructions", () => {
  /**
   * Blocks of code for each instruction: where all of it can be followed, and where the analysis gives up on the way.
   */
  const FOLLOWED = 200;
  const GIVEN_UP = 1500;
  /** A unit over and over between a beginning and an end, as often as it fits; `vary` makes each another one. */
  const long = (
    most: number,
    first: string,
    unit: string,
    vary: (insns: Insns, slot: number, nth: number) => void = () => {},
  ): Code => {
    const piece = (text: string) => codeOf(text, { type: "kprobe", maps });
    const [begin, middle, end] = [piece(first), piece(unit), piece("r0 = 0; exit")];
    const size = middle.insns.count;
    const units = Math.floor((most - begin.insns.count - end.insns.count) / size);
    const count = begin.insns.count + units * size + end.insns.count;
    const column = <T extends "opcode" | "dst" | "src" | "off" | "imm">(name: T, empty: Insns[T]): Insns[T] => {
      empty.set(begin.insns[name]);
      for (let index = 0; index < units; index++) empty.set(middle.insns[name], begin.insns.count + index * size);
      empty.set(end.insns[name], count - end.insns.count);
      return empty;
    };
    const insns = {
      count,
      opcode: column("opcode", new Uint8Array(count)),
      dst: column("dst", new Uint8Array(count)),
      src: column("src", new Uint8Array(count)),
      off: column("off", new Int16Array(count)),
      imm: column("imm", new Int32Array(count)),
    };
    for (let index = 0; index < units; index++) vary(insns, begin.insns.count + index * size, index);
    const reference = { map: maps.own, offset: null };
    const functions = [{ name: "long", start: 0, end: count, btfId: null, global: true }];
    return { ...begin, insns, functions, mapAt: () => reference };
  };

  it.each(
    ofLength([
      [
        "with a constant of its own in each",
        (most) => long(most, "r0 = 0", "r1 = 0", ({ imm }, slot, nth) => imm.fill(nth, slot, slot + 1)),
      ],
      [
        "that looks maps up again and again",
        (most) => long(most, "*(u32 *)(r10 - 4) = 0", "r2 = r10; r2 += -4; r1 = map own; call bpf_map_lookup_elem"),
      ],
      [
        "of small loops",
        (most) =>
          long(most, "r0 = 0", "again: r0 += 1; r1 = r0; if r1 < 40 goto again", ({ imm }, slot, nth) =>
            imm.fill(nth % 40, slot + 2, slot + 3),
          ),
      ],
      [
        "that scatters constants over its frame",
        (most) =>
          long(
            most,
            "r0 = 0; *(u64 *)(r10 - 512) = 0",
            "r1 = 0; *(u64 *)(r10 - 8) = r1; r3 = *(u64 *)(r10 - 8)",
            ({ imm, off }, slot, nth) => {
              imm[slot] = nth;
              off[slot + 1] = -8 * (1 + (nth % 64));
              off[slot + 2] = -8 * (1 + ((nth * 7) % 64));
            },
          ),
      ],
    ]),
  )("%s is followed to its end, with a bounded amount of work for each of %d instructions", (_, most, make) => {
    const code = make(most);
    expect(code.insns.count).toBeGreaterThan(most - 100);
    const { result: found, blocks } = worked(() => effectsOf(code));
    expect(found.effects.read_only).toBe(true);
    expect(blocks / most).toBeLessThan(FOLLOWED);
  });

  it.each(
    ofLength([
      [
        "with a branch for every other one and a full frame",
        (most) => long(most, "*(u64 *)(r10 - 512) = 0; r0 = 0", "if r0 == 1 goto next; next: r0 += 1"),
      ],
      [
        "that writes anywhere in its frame",
        (most) =>
          long(
            most,
            "*(u64 *)(r10 - 512) = 0; call bpf_get_prandom_u32; r2 = r10; r2 += r0; r3 = r1",
            "*(u64 *)(r2 + 0) = r0; *(u64 *)(r2 + 0) = r3",
          ),
      ],
      [
        "that is one loop of branches",
        (most) =>
          long(
            most,
            "r0 = 0; *(u64 *)(r10 - 512) = 0; top: r0 += 1; if r0 > 9 goto top; r0 += 1",
            "if r0 == 1 goto next; next: r1 += r0",
          ),
      ],
    ]),
  )("%s ends with as little work for %d instructions, at worst in anything, with the reason", (_, most, make) => {
    const code = make(most);
    const { result: found, blocks } = worked(() => effectsOf(code));
    expect(blocks / most).toBeLessThan(GIVEN_UP);
    if (!found.effects.read_only)
      expect(found.evidence[0]).toMatchObject({
        insn: null,
        because: expect.stringContaining("too large or too complex"),
      });
  });
});

describe("a function that many others hand their frames to", () => {
  it.each([
    ["loads and stores", "r2 = *(u64 *)(r1 + 0); *(u64 *)(r1 + 0) = r2"],
    ["loads and stores anywhere", "r2 = *(u64 *)(r1 + 0); r3 = r1; r3 += r2; *(u64 *)(r3 + 0) = r2"],
    [
      "branches with pointers to them",
      "r3 = r1; r2 = *(u64 *)(r1 + 0); if r2 == NTH goto lNTH; r3 = r10; lNTH: *(u64 *)(r10 - 8) = r3",
    ],
    ["moves the pointer", "r2 = *(u64 *)(r1 + 0); if r2 == NTH goto lNTH; r1 += 8; lNTH: r4 = r1"],
  ])("%s ends with a bounded amount of work for each instruction", (_, unit) => {
    const callers = Array.from({ length: 31 }, (_, index) => `f${index}`);
    const units = Array.from({ length: 5000 }, (_, nth) => unit.replaceAll("NTH", String(nth))).join("; ");
    const text = `${callers.map((name) => `call ${name}`).join("; ")}; r0 = 0; exit;
      ${callers.map((name, index) => `fn ${name}: *(u64 *)(r10 - ${8 * (index + 2)}) = ${index}; r1 = r10; r1 += -${8 * (index + 2)}; call put; exit`).join("; ")};
      fn put: *(u64 *)(r10 - 8) = 0; ${units}; r0 = 0; exit`;
    const code = codeOf(text, { type: "kprobe" });
    const { blocks } = worked(() => effectsOf(code));
    expect(blocks / code.insns.count).toBeLessThan(5_000);
  });
});

describe("functions that do not fit the instructions", () => {
  it.each([
    [
      "leave a gap",
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [
      "overlap",
      [
        [0, 2],
        [1, 3],
      ],
    ],
    ["end too far", [[0, 4]]],
    ["end too soon", [[0, 2]]],
    ["are none", []],
    [
      "are empty",
      [
        [0, 0],
        [0, 3],
      ],
    ],
  ] as const)("may do anything where they %s", (_, ranges) => {
    const code = codeOf("r0 = 0; r0 = 0; exit", { type: "xdp" });
    const functions = ranges.map(([start, end], index) => ({
      name: `f${index}`,
      start,
      end,
      btfId: null,
      global: false,
    }));
    expect(effectsOf({ ...code, functions }).effects.calls_bpf).toBe(true);
  });
});
