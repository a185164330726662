// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../../support/damage.js";
import { drawnNumber } from "../../../support/drawn-numbers.js";
import { ExploredPolicy, randomInput } from "../../../support/prove.js";

const seed = seedOf();
const ROUNDS = process.env.COUNTERSIGN_NIGHTLY === "1" ? 2_000 : 150;
const VALUES: readonly unknown[] = [
  ...[undefined, null, true, false, 0, 3, 4, -1, 2.5, "", "3", "4", " 0x10 ", "x", "-1", "1e400", "-Infinity"],
  ...[[], [4], ["3"], [[5]], [1, 2], [null], {}, { a: 1 }, { toString: 1 }, [{ toString: 1 }], { valueOf: 1 }],
];

/** Bodies of a hook that writes to a map, or compares a value of a map with a number, and undecided paths. */
const BODIES: Readonly<Record<string, readonly [body: string, undecided: number]>> = {
  "a write": ['return map_update("allowed_programs", "n", 1) === 0 ? 0 : deny("full")', 0],
  "the verdict of a write": ['return map_update("allowed_programs", prog.name, { type: prog.type })', 0],
  "two writes": [
    'const a = map_update("allowed_programs", "n", 1); const b = map_delete("allowed_programs", "n"); return a === 0 ? b : -1',
    0,
  ],
  "a write to a map that is not there": ['try { return map_update("none", "n", 1) } catch { return -2 }', 0],
  "a map that is no text": ['try { return map_update(1, "n", 1) } catch { return -2 }', 0],
  "a key that is no text": ['try { return map_delete("allowed_programs", value) } catch { return -2 }', 0],
  "no value": ['try { return map_update("allowed_programs", "n") } catch { return -2 }', 0],
  "a value that is no JSON": ['try { return map_update("allowed_programs", "n", () => 1) } catch { return -2 }', 0],
  "a look-up after a write": [
    'map_update("allowed_programs", "x", 1); return map_lookup("allowed_programs", "x") ? 0 : -1',
    2,
  ],
  "a look-up in another map after a write": [
    'map_update("allowed_programs", "x", 1); return map_lookup("debug_read_only", "x") === 1 ? 0 : -1',
    0,
  ],
  "a write in a loop": ['prog.helpers.forEach((h) => { map_update("allowed_programs", h, 1) }); return 0', 2],
  "any value and a limit": ["return (value ?? 0) >= 3 ? -1 : 0", 0],
  "a limit and any value": ["return 2.5 < (value ?? 0) ? -1 : (value ?? 0) <= -1 ? -2 : 0", 0],
  "limits of a text": ["return typeof value === 'string' && value > 3 && value < 5 && value !== '4' ? -1 : 0", 0],
  "a text of facts": ["return prog.name >= 20 ? -1 : 0", 0],
  "any value and one more": ["return value >= 3 ? 0 : deny(`${value + 1}`)", 0],
  "what an array adds": ["return Array.isArray(value) && value + 1 === '11' ? 0 : -1", 0],
  "a counter": [
    'const n = value ?? 0; if (n >= 3) return deny(`${n} times`); return map_update("allowed_programs", "x", n + 1) === 0 ? 0 : -2',
    0,
  ],
};

describe(`writes to maps, and values of maps as numbers (seed ${seed})`, () => {
  it.each(Object.entries(BODIES))("%s", { tags: ["deep"] }, (_, [body, undecided]) => {
    const policy = ExploredPolicy.of(
      'import { deny, map_delete, map_lookup, map_update } from "countersign";\nexport function bpf_prog_load(prog) ' +
        `{ const value = map_lookup("allowed_programs", "x"); ${body} }`,
    );
    const exploration = policy.explore("bpf_prog_load");
    expect(exploration.unfinished).toBeNull();
    for (const { path, status, ...rest } of policy.confirmations(exploration))
      if (path.end.kind !== "not decided") expect([status, rest, path]).toEqual(["confirmed", expect.anything(), path]);
    expect(exploration.paths.filter(({ end }) => end.kind === "not decided")).toHaveLength(undecided);
    const next = numbers(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const drawn = randomInput(exploration, next);
      const value = next(4) === 0 ? drawnNumber(next) : VALUES[next(VALUES.length)];
      const own: typeof drawn.answer = (origin, key) => (origin.kind === "lookup" ? value : drawn.answer(origin, key));
      const input = next(5) === 0 ? drawn : { ...drawn, answer: own };
      if (next(2) === 0) (input.subject as Record<string, unknown>).name = String(VALUES[next(17)]);
      const flaw = policy.flaw(exploration, input);
      if (flaw !== null) expect.fail(`${flaw}: ${JSON.stringify(value)}, round ${round}`);
    }
    policy.close();
  });
});
