import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EFFECTS } from "../../src/bpf/model/facts.js";
import { CountersignError } from "../../src/error.js";
import { KernelSymbols } from "../../src/loaded/effects/kernel-symbols.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { shareOf } from "../support/share.js";
import {
  atMost,
  EXIT,
  Functions,
  insn,
  kernelTypes,
  namesOf,
  recorded,
  recordedAtMost,
  set,
  wide,
} from "../support/translated.js";

const FIXTURES = join(import.meta.dirname, "../unit/loaded/effects/fixtures");
const programs = readdirSync(FIXTURES).map((name) => recorded(join(FIXTURES, name)));
const seed = seedOf();
console.log(`seed of test/hostile/translated-programs.test.ts: ${seed}`);

describe("translated instructions that no kernel shows", () => {
  it.each<readonly [string, readonly Uint8Array[]]>([
    ["none", []],
    ["half of one", [EXIT.subarray(4)]],
    ["one and a half", [EXIT, EXIT.subarray(4)]],
  ])("are rejected: %s", (_, insns) => {
    expect(() => atMost("xdp", insns)).toThrow(expect.objectContaining({ code: "INSN_MALFORMED" }));
  });

  it.each<readonly [string, Partial<Parameters<typeof atMost>[2]>]>([
    ["functions", { functions: new Uint8Array(7) }],
    ["lines", { lines: new Uint8Array(17) }],
  ])("are rejected with records of %s that are cut off", (_, given) => {
    expect(() => atMost("xdp", [set(0, 2), EXIT], given)).toThrow(expect.objectContaining({ code: "LOAD_MALFORMED" }));
  });

  it.each<readonly [string, readonly Uint8Array[]]>([
    ["a call before the program", [insn(0x85, 0, 1, -9, 1), EXIT]],
    ["a call behind the program", [insn(0x85, 0, 1, 9, 1), EXIT]],
    ["a call of itself in the middle", [set(0, 0), insn(0x85, 0, 1, -2, 1), EXIT]],
    ["a jump behind the program", [insn(0x05, 0, 0, 9), EXIT]],
    ["a register that does not exist", [set(12, 0), EXIT]],
    ["a callback outside", [wide(2, 4, 99, 1), set(0, 0), EXIT]],
    ["an indirect call", [insn(0x8d, 0, 0, 0, 1), EXIT]],
    ["an indirect jump", [insn(0x0d, 1), EXIT]],
    ["half of a literal", [set(0, 0), wide(1, 0, 0).subarray(0, 8)]],
    ["a jump into a literal", [insn(0x05, 0, 0, 1), wide(1, 0, 0), EXIT]],
    ["a literal of an unknown kind", [wide(1, 9, 0), insn(0x7b, 1, 1), set(0, 0), EXIT]],
    ["no end", [set(0, 0)]],
    ["a type that is not known", [set(0, 0), EXIT]],
  ])("may do anything: %s", (what, insns) => {
    const type = what.startsWith("a type") ? "unknown" : "xdp";
    expect(namesOf(atMost(type, insns))).toEqual(EFFECTS);
  });

  it("refer to maps that are not there, which are of others", () => {
    const found = namesOf(atMost("tracepoint", [wide(1, 2, 99, 1 << 30), insn(0x7a, 1, 0, 0, 1), set(0, 1), EXIT]));
    expect(found).toEqual(["writes_shared_map"]);
  });

  it("give effects or a named error, and never fewer effects than before without a reason", () => {
    const next = numbers(seed);
    const types = kernelTypes();
    for (let round = 0; round < shareOf(1500); round++) {
      const program = programs[next(programs.length)]!;
      const bytes = damaged(Buffer.from(program.translated, "base64"), next);
      const functions =
        next(4) === 0 ? damaged(Buffer.from(program.func_info, "base64"), next).toString("base64") : program.func_info;
      const hurt = { ...program, translated: bytes.toString("base64"), func_info: functions };
      try {
        const { effects, evidence, unknown } = recordedAtMost(hurt, { types: next(2) === 0 ? types : null });
        for (const name of EFFECTS)
          expect(
            evidence.some(({ effect }) => effect === name),
            `SEED=${seed}, round ${round}, ${name}`,
          ).toBe(effects[name]);
        if (unknown.length > 0) expect(EFFECTS.every((name) => effects[name])).toBe(true);
      } catch (error) {
        expect(error, `SEED=${seed}, round ${round}`).toBeInstanceOf(CountersignError);
        expect(["INSN_MALFORMED", "LOAD_MALFORMED"]).toContain((error as CountersignError).code);
      }
    }
  });

  it("have a bounded number of reasons", () => {
    const functions = new Functions();
    const calls = Array.from({ length: 3000 }, (_, index) => functions.call(`unknown_${index}`));
    const found = atMost("xdp", [...calls, EXIT], { kallsyms: functions.kallsyms });
    expect(found.unknown.length).toBeLessThanOrEqual(64);
    expect(found.evidence).toHaveLength(EFFECTS.length);
  });
});

describe("a text of symbols that no kernel has", () => {
  it.each([
    ["no line", ""],
    [
      "lines of other forms",
      "\n\nffffffff81000000\nffffffff81000000 T \nffffffff8100000g T name_of\nff T short_address\n",
    ],
    ["no ends", "f".repeat(100_000)],
    ["a name with control characters", "ffffffff81000000 T \u001b[2Jname\n"],
  ])("has none: %s", (_, text) => {
    const symbols = new KernelSymbols(Buffer.from(text));
    expect(symbols.at(0x81000000, 0xffffffff)).toEqual([]);
    expect(symbols.address("name_of")).toBeNull();
  });

  it("has a bounded number of names for an address", () => {
    const line = (_: unknown, index: number) => `ffffffff81000000 T name_${index}\n`;
    const symbols = new KernelSymbols(Buffer.from(Array.from({ length: 10_000 }, line).join("")));
    expect(symbols.at(0x81000000, 0xffffffff)).toHaveLength(32);
  });

  it("is read with any damage", () => {
    const next = numbers(seed);
    for (let round = 0; round < shareOf(500); round++) {
      const program = programs[next(programs.length)]!;
      const kallsyms = damaged(Buffer.from(`${program.kallsyms.join("\n")}\n`), next).toString("latin1");
      const { effects, unknown } = recordedAtMost(program, { kallsyms });
      if (unknown.length > 0) expect(EFFECTS.every((name) => effects[name])).toBe(true);
    }
  });
});
