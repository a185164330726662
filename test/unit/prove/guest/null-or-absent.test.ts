import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../../support/damage.js";
import { drawnNumber } from "../../../support/drawn-numbers.js";
import { ExploredPolicy, randomInput } from "../../../support/prove.js";

const seed = seedOf();
const ROUNDS = process.env.COUNTERSIGN_NIGHTLY === "1" ? 3_000 : 120;
const VALUES: readonly unknown[] = [
  ...[undefined, undefined, null, null, true, false, 0, 5, -1, 2.5, "", "5", "x", [], [5], {}, { a: null }, { a: 5 }],
];

/** Bodies of a hook that looks keys up on the left of `??`: the number of paths, and of those that are not decided. */
const BODIES: Readonly<Record<string, readonly [body: string, paths: number, undecided: number]>> = {
  "a default": ['return (map_lookup("program_budget", "x") ?? 5) === 5 ? 0 : -1', 4, 0],
  "a default that is null": ['return (map_lookup("program_budget", "x") ?? null) === null ? 0 : -1', 2, 0],
  "a limit": ['return prog.insn_cnt <= (map_lookup("program_budget", "x") ?? 9) ? 0 : -1', 5, 1],
  "a limit on the left": ['return (map_lookup("program_budget", "x") ?? 9) >= prog.insn_cnt ? 0 : -1', 5, 1],
  "a difference": ['return prog.insn_cnt - (map_lookup("program_budget", "x") ?? 0) > 9 ? -1 : 0', 5, 1],
  "a sum, which can be a text": ['return prog.insn_cnt + (map_lookup("program_budget", "x") ?? 0) > 9 ? -1 : 0', 11, 5],
  "a text": ['return prog.name === (map_lookup("program_budget", "x") ?? "a") ? 0 : -1', 5, 0],
  "a denial": ['return map_lookup("program_budget", "x") ?? deny("none")', 7, 1],
  "a property": ['return (map_lookup("program_budget", "x") ?? { a: 5 }).a === 5 ? 0 : -1', 6, 0],
  "an order with a constant": ['return (map_lookup("program_budget", "x") ?? 0) > 3 ? -1 : 0', 12, 0],
  "the key by a name": ['return (map_lookup("program_budget", prog.name) ?? 1) === 1 ? 0 : -1', 4, 0],
  "another default": [
    'return (map_lookup("program_budget", "x") ?? map_lookup("program_budget", "y") ?? 5) === 5 ? 0 : -1',
    8,
    0,
  ],
  "the same key twice": [
    'return (map_lookup("program_budget", "x") ?? 5) === (map_lookup("program_budget", "x") ?? 5) ? 0 : -1',
    7,
    2,
  ],
  "whether it is there, after that": [
    'if ((map_lookup("program_budget", "x") ?? 5) !== 5) return -1;' +
      'const x = map_lookup("program_budget", "x"); return x === undefined ? -2 : x === null ? -3 : 0',
    5,
    0,
  ],
  "whether it is there, before that": [
    'const x = map_lookup("program_budget", "x"); const y = map_lookup("program_budget", "x") ?? 5;' +
      "return y === 5 ? (x === undefined ? -2 : x === null ? -3 : 0) : -1",
    5,
    0,
  ],
  "a null before that": [
    'if (map_lookup("program_budget", "x") === null) return -3; return (map_lookup("program_budget", "x") ?? 5) === 5 ? 0 : -1',
    5,
    0,
  ],
  "a map that is not there": ['try { return map_lookup("none", "x") ?? 0 } catch { return -2 }', 1, 0],
  "a key that is no text": ['try { return map_lookup("program_budget", 1) ?? 0 } catch { return -2 }', 1, 0],
  "no key": ['try { return map_lookup("program_budget") ?? 0 } catch { return -2 }', 1, 0],
  "a function with the name of the helper": [
    "const map_lookup = (name, key) => (key === 'x' ? null : undefined); return map_lookup('x', 'x') ?? -2",
    1,
    0,
  ],
  "another function": [
    'const own = (key) => map_lookup("program_budget", key); return own("x") ?? own("y") ?? 0',
    22,
    3,
  ],
  "the helper under another name": [
    'const own = map_lookup; return (own("program_budget", "x") ?? 5) === 5 ? 0 : -1',
    4,
    0,
  ],
  "an optional call": ['return (map_lookup?.("program_budget", "x") ?? 5) === 5 ? 0 : -1', 5, 0],
  "each element of a list": [
    'return prog.maps.some((map) => map.max_entries > (map_lookup("program_budget", "x") ?? 9)) ? -1 : 0',
    6,
    1,
  ],
  "a value that was written": [
    'map_update("program_budget", "x", 1); return map_lookup("program_budget", "x") ?? 0',
    1,
    1,
  ],
};

describe(`a look-up on the left of \`??\` (seed ${seed})`, () => {
  it.each(Object.entries(BODIES))("about %s", (_, [body, paths, undecided]) => {
    const policy = ExploredPolicy.of(
      `import { deny, map_lookup, map_update } from "countersign";\nexport function bpf_prog_load(prog) { ${body} }`,
    );
    const exploration = policy.explore("bpf_prog_load");
    expect(exploration.unfinished).toBeNull();
    for (const { path, status, ...rest } of policy.confirmations(exploration))
      if (path.end.kind !== "not decided") expect([status, rest, path]).toEqual(["confirmed", expect.anything(), path]);
    const next = numbers(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const drawn = randomInput(exploration, next);
      const value = () => (next(4) === 0 ? drawnNumber(next) : VALUES[next(VALUES.length)]);
      const values = new Map([["x", value()]]);
      const own: typeof drawn.answer = (origin, key) => {
        if (origin.kind !== "lookup") return drawn.answer(origin, key);
        if (!values.has(key ?? "")) values.set(key ?? "", value());
        return values.get(key ?? "");
      };
      const flaw = policy.flaw(exploration, next(5) === 0 ? drawn : { ...drawn, answer: own });
      if (flaw !== null) expect.fail(`${flaw}: ${JSON.stringify([...values])}, round ${round}`);
    }
    const found = exploration.paths.filter(({ end }) => end.kind === "not decided");
    expect([exploration.paths.length, found.length]).toEqual([paths, undecided]);
    policy.close();
  });
});
