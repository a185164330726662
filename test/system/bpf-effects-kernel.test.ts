import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { effectsOf } from "../../src/bpf/analysis/effects.js";
import { codeOf } from "../../src/bpf/assembly/assembly.js";
import type { Code, CodeMap } from "../../src/bpf/model/code.js";
import type { Evidence } from "../../src/bpf/model/facts.js";
import { BpfObject } from "../../src/bpf/object.js";
import { numbers, seedOf } from "../support/damage.js";
import { closeMaps, LOADABLE, load } from "../support/kernel-load.js";
import { missed, mutantsOf, someHarmlessOf, someMutantsOf } from "../support/mutants.js";
import { embeddedObjects, objectFiles } from "../support/real-objects.js";
import { amount } from "./nightly.js";

const EXAMPLES = join(import.meta.dirname, "../../examples");
const seed = seedOf();
const EACH = amount(2, 6);

let refusal: string | null = null;
let programs: { readonly name: string; readonly code: Code }[] = [];
const maps = new Map<CodeMap, number>();

beforeAll(() => {
  if (process.getuid?.() !== 0) refusal = "needs root to load BPF";
  else if (load(codeOf("r0 = 2; exit", { type: "xdp" }), maps).errno !== 0)
    refusal = "needs a kernel that lets root load BPF";
  if (refusal !== null) return;
  const examples = readdirSync(EXAMPLES)
    .filter((file) => file.endsWith(".o") && !file.endsWith(".be.o"))
    .map((file) => ({ name: file, bytes: new Uint8Array(readFileSync(join(EXAMPLES, file))) }));
  const objects = [...examples, ...objectFiles("xdp-tools", "libxdp1"), ...embeddedObjects("libbpf-tools")];
  programs = objects.flatMap(({ name, bytes }) => {
    const object = new BpfObject(bytes);
    return object.functions
      .map((of) => ({ name: `${name} ${of.name}`, code: object.program(of) as Code }))
      .filter(({ code }) => LOADABLE.has(code.type) && code.byteOrder === "little");
  });
});
afterAll(() => closeMaps(maps));

/** What an analysis says of a program that it could not read or follow: never of one that the kernel takes. */
function confused(evidence: readonly Evidence[]): string[] {
  return evidence
    .map(({ because }) => because)
    .filter(
      (because) =>
        /is not known|an unknown|too large|incomplete|runs past|jumps out|cover it|frame pointer|register that does not|not a function/.test(
          because,
        ) &&
        !/^calls helper|^calls a kfunc|^prints by a format|^returns|that is not known, which it did not bring|what a tail call/.test(
          because,
        ),
    );
}

describe(`what the kernel loads (seed ${seed})`, () => {
  it("has facts that are no guess: programs as they are", (context) => {
    if (refusal !== null) return context.skip(refusal);
    const accepted = programs.filter(({ code }) => load(code, maps).errno === 0);
    expect(accepted.length).toBeGreaterThan(100);
    for (const { name, code } of accepted) expect(confused(effectsOf(code).evidence), name).toEqual([]);
  });

  it("never has a forbidden act false that was put into it", (context) => {
    if (refusal !== null) return context.skip(refusal);
    const next = numbers(seed);
    const small = programs.filter(({ name, code }) => name.includes(".o ") && effectsOf(code).effects.read_only);
    const mutants = [
      ...small
        .slice(0, amount(2, 6))
        .flatMap(({ name, code }) => mutantsOf(code, next).map((mutant) => ({ ...mutant, of: name }))),
      ...programs
        .filter(({ code }) => effectsOf(code).effects.read_only)
        .flatMap(({ name, code }) => someMutantsOf(code, EACH, next).map((mutant) => ({ ...mutant, of: name }))),
    ];
    const accepted = mutants.filter(({ code }) => load(code, maps).errno === 0);
    expect(new Set(accepted.map(({ act }) => act.name)).size).toBeGreaterThanOrEqual(40);
    expect(accepted.length).toBeGreaterThan(amount(150, 500));
    for (const { of, name, act, code } of accepted) {
      const found = effectsOf(code);
      expect(missed(act, found.effects), `${of}: ${name}`).toEqual([]);
      expect(confused(found.evidence), `${of}: ${name}`).toEqual([]);
    }
  });

  it("stays read-only with harmless changes", (context) => {
    if (refusal !== null) return context.skip(refusal);
    const next = numbers(seed);
    const changed = programs
      .filter(({ code }) => effectsOf(code).effects.read_only)
      .flatMap(({ name, code }) => someHarmlessOf(code, EACH, next).map((mutant) => ({ ...mutant, of: name })));
    const accepted = changed.filter(({ code }) => load(code, maps).errno === 0);
    expect(accepted.length).toBeGreaterThan(amount(60, 200));
    const lost = accepted.filter(({ code }) => !effectsOf(code).effects.read_only);
    expect(lost.map(({ of, name }) => `${of}: ${name}`)).toEqual([]);
  });
});
