// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are expressions of policies
import { describe, expect, it } from "vitest";
import type { Path } from "../../../../src/prove/explorer/exploration.js";
import { PERMITS } from "../../../../src/sandbox/permits.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { ExploredPolicy, randomInput } from "../../../support/prove.js";

const seed = seedOf();
/** Expressions in one policy: the linker limits what compiling it may take. */
const MOST = 20;
/** The short form tries one of thirty expressions, other ones at each seed. */
const STEP = process.env.COUNTERSIGN_NIGHTLY === "1" ? 1 : 30;

/** Values on which a function of JavaScript is tried: facts that are not known, with and without constants. */
const VALUES = [
  "prog.name",
  "prog.insn_cnt",
  "prog",
  "prog.maps",
  "[prog.name]",
  "'a'",
  "2",
  "[1, 2]",
  "() => prog.name",
];

/** Receivers for the methods of a prototype. */
const RECEIVERS: Readonly<Record<string, readonly string[]>> = {
  Object: ["prog", "({ a: prog.name })", "({ a: 1 })"],
  Array: ["prog.maps", "prog.helpers", "[prog.name, 'b']", "[2, 1]"],
  String: ["prog.name", "'abc'", "`${prog.name}x`"],
  Number: ["prog.insn_cnt", "(3)", 'map_lookup("program_budget", "x")'],
  Boolean: ["prog.rewritten", "true"],
  Map: ["new Map([['a', prog.name]])", "new Map()"],
  Set: ["new Set(['a', 'b'])"],
  RegExp: ["/a/"],
  Function: ["((x) => x)"],
  Error: ["new Error('a')"],
};

/** Expressions that use the intrinsics that a policy can reach by name, by the place of the intrinsics. */
function uses(): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = {};
  for (const [place, names] of Object.entries(PERMITS)) {
    if (place.startsWith("%") || place.split(".").length > 2) continue;
    const [holder, prototype] = place.split(".");
    for (const name of names.split(" ")) {
      if (name.startsWith("@@")) continue;
      const its =
        prototype === "prototype"
          ? methods(RECEIVERS[holder!] ?? [`new ${holder}()`], name)
          : functions(place === "globalThis" ? name : `${place}.${name}`);
      found[place] = [...(found[place] ?? []), ...its];
    }
  }
  return found;
}

const methods = (receivers: readonly string[], name: string) =>
  receivers.flatMap((receiver) => [
    `${receiver}.${name}`,
    `${receiver}.${name}()`,
    `${receiver}.${name}('a')`,
    `${receiver}.${name}(prog.name)`,
    `${receiver}.${name}((x) => x === prog.name)`,
  ]);
const functions = (name: string) => [
  name,
  `${name}()`,
  `new ${name}('a')`,
  ...VALUES.map((value) => `${name}(${value})`),
  `${name}(prog.name, prog.license)`,
];

/** A policy that tells as much of a value as it can: the task's pid chooses the expression. */
function policyOf(expressions: readonly string[]): ExploredPolicy {
  const tries = expressions.map((use, index) => {
    return `case ${index}: { let r; try { r = ${use} } catch { return -5 } return told(r) }`;
  });
  return ExploredPolicy.of(`
    import { map_lookup } from "countersign";
    const told = (r) =>
      r === undefined ? 0 : r === true ? -1 : r === "a" ? -2 : typeof r === "number" ? -3 : r ? -4 : -6;
    export function bpf_prog_load(prog, current) { switch (current.pid) { ${tries.join("\n")} } return -7 }`);
}

/** The linker rejects some expressions, which no engine runs. */
function isLinked(use: string): boolean {
  try {
    policyOf([use]).close();
    return true;
  } catch {
    return false;
  }
}

describe("intrinsics on values that are not known", () => {
  it.each(Object.entries(uses()))(
    `%s: not decided, or as the engine decides (seed ${seed})`,
    { tags: ["deep"] },
    (_, expressions) => {
      const linked = expressions.filter((_, index) => (index + seed) % STEP === 0).filter(isLinked);
      for (let at = 0; at < linked.length; at += MOST) {
        const policy = policyOf(linked.slice(at, at + MOST));
        const exploration = policy.explore("bpf_prog_load", 20_000);
        expect(exploration.unfinished).toBeNull();
        expect(exploration.paths.length).toBeGreaterThan(Math.min(MOST, linked.length - at));
        for (const { wrong, ...rest } of policy.confirmations(exploration))
          expect(wrong === null ? null : { use: useOf(linked, at, rest.path), wrong, rest }).toBeNull();
        const next = numbers(seed);
        for (let round = 0; round < 200; round++) {
          const input = randomInput(exploration, next);
          const flaw = policy.flaw(exploration, input);
          expect(flaw === null ? null : `${linked[at + input.current.pid]}: ${flaw}`).toBeNull();
        }
        policy.close();
      }
    },
  );
});

function useOf(linked: readonly string[], at: number, { conditions }: Path): string | undefined {
  const found = conditions.find(
    ({ atom, is }) => is && atom.kind === "number" && atom.term.of[0]?.[1] === "current.pid",
  );
  return found?.atom.kind === "number" ? linked[at - Number(found.atom.term.constant)] : undefined;
}
