import { describe, expect, it } from "vitest";
import { BpfObject } from "../../src/bpf/object.js";
import { factsOfLoad, type Load } from "../../src/bpf/prog-load.js";
import { CountersignError } from "../../src/error.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { example } from "../support/examples.js";
import { liveLoad } from "../support/live-load.js";
import { shareOf } from "../support/share.js";

const NONE = new Uint8Array(0);

function load(given: Partial<Load> = {}): Load {
  const object = new BpfObject(example("rate-limit"));
  return { ...liveLoad(object, object.program(object.functions[0]!)), ...given };
}

function attr(...words: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = Buffer.from(load().attr);
  for (const [at, value] of words) bytes.writeUInt32LE(value, at);
  return bytes;
}

describe("a live load that lies", () => {
  it.each<[string, string, Partial<Load>]>([
    ["has no instructions", "INSN_MALFORMED", { insns: NONE, attr: attr([4, 0]) }],
    ["has fewer instructions than it says", "LOAD_MALFORMED", { attr: attr([4, 83]) }],
    ["has half an instruction", "LOAD_MALFORMED", { insns: load().insns.subarray(4) }],
    ["has more function records than it brings", "LOAD_MALFORMED", { attr: attr([88, 0xffffffff]) }],
    ["has function records of no size", "LOAD_MALFORMED", { attr: attr([76, 0]) }],
    ["has more line records than it brings", "LOAD_MALFORMED", { lineInfo: NONE }],
    ["has more relocations than it brings", "LOAD_MALFORMED", { attr: attr([116, 9], [136, 16]) }],
    ["has BTF that is none", "BTF_MALFORMED", { btf: Buffer.from("not BTF at all, but long enough to be it") }],
  ])("%s: %s", (_, code, lie) => {
    expect(() => factsOfLoad(load(lie))).toThrow(expect.objectContaining({ code }));
  });

  it("calls what is not there, and still gets facts", () => {
    for (const target of [-1_000_000, -1, 0, 81, 82, 1_000_000, 0x7fffffff, -0x80000000]) {
      const insns = load().insns.slice();
      new DataView(insns.buffer).setInt32(21 * 8 + 4, target, true);
      expect(factsOfLoad(load({ insns })).insn_cnt).toBe(82);
    }
  });
});

describe("live loads with damage", () => {
  it("give facts or a named error", { tags: ["deep"] }, () => {
    const seed = seedOf();
    const next = numbers(seed);
    const whole = load();
    const parts = ["attr", "insns", "btf", "funcInfo", "lineInfo", "coreRelos"] as const;
    for (let round = 0; round < shareOf(4000); round++) {
      const part = parts[next(parts.length)]!;
      const hurt = { ...whole, [part]: damaged(whole[part] ?? NONE, next) };
      // the attr goes with the instructions, so that not all damage ends at their count
      if (part === "insns") hurt.attr = attr([4, Math.floor(hurt.insns.length / 8)]);
      try {
        factsOfLoad(hurt);
      } catch (error) {
        expect(error, `SEED=${seed}, round ${round}, ${part}`).toBeInstanceOf(CountersignError);
      }
    }
  });
});
