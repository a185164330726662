import { beforeAll, describe, expect, it } from "vitest";
import { effectsOf } from "../../src/bpf/analysis/effects.js";
import type { Code } from "../../src/bpf/model/code.js";
import { BpfObject } from "../../src/bpf/object.js";
import { numbers, seedOf } from "../support/damage.js";
import { gained, missed, someHarmlessOf, someMutantsOf } from "../support/mutants.js";
import { embeddedObjects, objectFiles } from "../support/real-objects.js";

const seed = seedOf();
/** Forbidden acts and harmless changes for each program. */
const EACH = 8;

let programs: { readonly name: string; readonly code: Code }[] = [];

beforeAll(() => {
  programs = [...objectFiles("xdp-tools", "libxdp1"), ...embeddedObjects("libbpf-tools")].flatMap(({ name, bytes }) => {
    const object = new BpfObject(bytes);
    return object.functions.map((of) => ({ name: `${name} ${of.name}`, code: object.program(of) }));
  });
});

describe(`Debian's read-only programs, changed (seed ${seed})`, () => {
  it("are never called free of a forbidden act that was put into them", () => {
    const next = numbers(seed);
    const readOnly = programs.filter(({ code }) => effectsOf(code).effects.read_only);
    const mutants = readOnly.flatMap(({ name, code }) =>
      someMutantsOf(code, EACH, next).map((mutant) => ({ ...mutant, name: `${name}: ${mutant.name}` })),
    );
    const wrong = mutants.flatMap(({ name, act, code }) => {
      const misses = missed(act, effectsOf(code).effects);
      return misses.length === 0 ? [] : [`${name}: ${misses.join(" ")}`];
    });
    expect(readOnly.length).toBeGreaterThan(300);
    expect(mutants.length).toBeGreaterThanOrEqual(2_000);
    expect(wrong).toEqual([]);
  });

  it("lose read_only in at most 1% of harmless changes", () => {
    const next = numbers(seed);
    const changed = programs.flatMap(({ name, code }) => {
      const before = effectsOf(code).effects;
      if (!before.read_only) return [];
      return someHarmlessOf(code, EACH, next).map((mutant) => {
        const after = effectsOf(mutant.code).effects;
        return { name: `${name}: ${mutant.name}`, lost: !after.read_only, gained: gained(before, after) };
      });
    });
    const lost = changed.filter((each) => each.lost);
    expect(changed.length).toBeGreaterThanOrEqual(2_000);
    expect(lost.length / changed.length, lost.map(({ name }) => name).join("\n")).toBeLessThanOrEqual(0.01);
    expect(changed.filter((each) => each.gained.length > 0).length / changed.length).toBeLessThanOrEqual(0.01);
  });
});
