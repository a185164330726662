// @module-tag deep
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { effectsOf } from "../../src/bpf/analysis/effects.js";
import type { Code } from "../../src/bpf/model/code.js";
import { BpfObject } from "../../src/bpf/object.js";
import { numbers, seedOf } from "../support/damage.js";
import { gained, missed, mutantsOf, someHarmlessOf } from "../support/mutants.js";
import { drawing, SHARE } from "../support/share.js";

const seed = seedOf();

/** The read-only programs of the examples: each forbidden act is put into each in each way. */
const examples = fileURLToPath(new URL("../../examples/", import.meta.url));
const programs = readdirSync(examples)
  .filter((file) => file.endsWith(".o"))
  .flatMap((file): [name: string, code: Code][] => {
    const object = new BpfObject(readFileSync(`${examples}${file}`));
    return object.functions.map((of) => [`${file} ${of.name}`, object.program(of)]);
  })
  .filter(([, code]) => code.byteOrder === "little" && effectsOf(code).effects.read_only);

describe(`mutants of the read-only examples (seed ${seed})`, () => {
  const all = programs.map(([name, code]) => [name, mutantsOf(code, numbers(seed))] as const);

  it("are made of several programs, in at least 40 ways, at least 2,000", () => {
    const mutants = all.flatMap(([, mutants]) => mutants);
    expect(programs.length).toBeGreaterThanOrEqual(4);
    expect(new Set(mutants.map(({ act }) => act.name)).size).toBeGreaterThanOrEqual(40);
    expect(mutants.length).toBeGreaterThanOrEqual(2_000);
  });

  it.each(all)(
    `%s has the effects of a forbidden act that was put into it, and not just any (${SHARE})`,
    (_, mutants) => {
      const results = drawing()(mutants).map(({ name, act, code: mutant }) => {
        const { effects } = effectsOf(mutant);
        return { name, missed: missed(act, effects), wild: effects.calls_bpf && !act.effects.includes("calls_bpf") };
      });
      expect(results.filter((result) => result.missed.length > 0)).toEqual([]);
      // a program that is called capable of anything has all effects, which would prove nothing
      expect(results.filter(({ wild }) => wild)).toEqual([]);
    },
  );

  it("hardly ever lose read_only by a harmless change", () => {
    const next = numbers(seed);
    const changed = programs.flatMap(([name, code]) => {
      const before = effectsOf(code).effects;
      return someHarmlessOf(code, 300, next).map((mutant) => {
        const after = effectsOf(mutant.code).effects;
        return { name: `${name}: ${mutant.name}`, lost: !after.read_only, gained: gained(before, after) };
      });
    });
    expect(changed.filter(({ lost }) => lost).length / changed.length).toBeLessThanOrEqual(0.01);
    expect(changed.filter((each) => each.gained.length > 0)).toEqual([]);
  });
});
