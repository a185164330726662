import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Code } from "../../src/bpf/code.js";
import { effectsOf } from "../../src/bpf/effects.js";
import { BpfObject } from "../../src/bpf/object.js";
import { numbers, seedOf } from "../support/damage.js";
import { gained, missed, mutantsOf, someHarmlessOf } from "../support/mutants.js";

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
  it("are made of several programs, in at least 40 ways, at least 2,000", () => {
    const mutants = programs.flatMap(([, code]) => mutantsOf(code, numbers(seed)));
    expect(programs.length).toBeGreaterThanOrEqual(4);
    expect(new Set(mutants.map(({ act }) => act.name)).size).toBeGreaterThanOrEqual(40);
    expect(mutants.length).toBeGreaterThanOrEqual(2_000);
  });

  it.each(programs)("%s is never called free of a forbidden act that was put into it", (_, code) => {
    const wrong = mutantsOf(code, numbers(seed)).flatMap((mutant) => {
      const misses = missed(mutant.act, effectsOf(mutant.code).effects);
      return misses.length === 0 ? [] : [`${mutant.name}: ${misses.join(" ")}`];
    });
    expect(wrong).toEqual([]);
  });

  it.each(programs)("%s is not called capable of anything for it, which would prove nothing", (_, code) => {
    const wild = mutantsOf(code, numbers(seed)).filter(
      ({ act, code: mutant }) => !act.effects.includes("calls_bpf") && effectsOf(mutant).effects.calls_bpf,
    );
    expect(wild.map(({ name }) => name)).toEqual([]);
  });

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
