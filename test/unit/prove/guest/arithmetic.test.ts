// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../../support/damage.js";
import { drawnNumber } from "../../../support/drawn-numbers.js";
import { ExploredPolicy, randomInput } from "../../../support/prove.js";

const seed = seedOf();
const ROUNDS = process.env.COUNTERSIGN_NIGHTLY === "1" ? 3_000 : 30;

/** Bodies of a hook about a map and a value of a map, and how many of their paths are not decided. */
const BODIES: Readonly<Record<string, readonly [body: string, undecided: number]>> = {
  "a bit": ["return map.flags & 128 ? 0 : -1", 0],
  "a bit twice": ["return (map.flags & 16) === 0 && (map.flags & 144) === 16 ? -1 : map.flags & 0x80 ? -2 : 0", 0],
  "several bits": ["return (map.flags & 7) === 5 ? 0 : (map.flags & 7) > 5 ? -1 : -2", 0],
  "a bit on the left": ["return (0x40 & map.flags) !== 0x40 ? 0 : -1", 0],
  "the bit of the sign": ["return (map.flags & 0x80000000) < 0 ? 0 : -1", 0],
  "all but some bits": ["return (map.flags & ~3) === 0 ? 0 : -1", 0],
  "no bits": ["return (map.flags & 0) === 0 ? 0 : -1", 0],
  "bits of a constant": ["return map.flags === 6 && (map.flags & 2) === 0 ? -1 : 0", 0],
  "bits that are set together": ["return (map.flags | 4) === 5 ? 0 : -1", 0],
  "shifted bits": [
    "return map.flags >>> 4 === 1 ? 0 : map.flags << 1 === 4 ? -1 : map.flags >> 31 === -1 ? -2 : -3",
    0,
  ],
  "the other bits": ["return ~map.key_size === -5 ? 0 : (map.key_size ^ 1) === 4 ? -1 : -2", 0],
  "a product": ["return map.key_size * map.max_entries > 1024 ? -1 : 0", 0],
  "a large product": ["return map.max_entries * 3 === 2 ** 53 ? -1 : 0", 0],
  "a remainder": ["return map.max_entries % 4096 === 0 ? 0 : map.max_entries % 2 === 1 ? -1 : -2", 0],
  "memory for 96 processors": ["return map.memory + 96 * map.memory_per_cpu <= 65536 ? 0 : -1", 0],
  "a sum that rounds": ["return map.memory + 1 === map.memory ? -1 : 0", 0],
  "a half": ["return map.memory / 2 > 0.5 ? 0 : -1", 0],
  "an average": ["return Math.floor((map.key_size + map.value_size) / 2) > 16 ? -1 : 0", 0],
  "the larger one": [
    "return Math.max(map.key_size, map.value_size) > 64 ? -1 : Math.min(map.key_size, 4) < 4 ? -2 : 0",
    0,
  ],
  "a fraction of JSON": ["return typeof value === 'number' && value > 0.1 && value <= 0.25 ? 0 : -1", 0],
  "a fraction on the left": ["return typeof value === 'number' && 0.5 < value ? 0 : -1", 0],
  "equal to a fraction": ["return value === 0.1 || value === 1e21 || value === -1e-300 ? 0 : -1", 0],
  "numbers between fractions": ["return typeof value === 'number' && value > 0.1 && value < 0.3 ? 0 : -1", 0],
  "no number": [
    "return typeof value === 'number' && (value < NaN || value < -Infinity || value > Infinity) ? -1 : 0",
    0,
  ],
  "an integer of JSON": ["return Number.isInteger(value) ? (value > 1 && value < 2 ? -2 : 0) : -1", 0],
  "a safe integer": ["return Number.isSafeInteger(value) ? 0 : Number.isInteger(value) ? -1 : -2", 0],
  "a fraction between integers": [
    "return Number.isInteger(value) || typeof value !== 'number' ? 0 : value > 2 && value < 3 ? -1 : -2",
    0,
  ],
  "a limit of JSON": ["return Number.isInteger(value) && map.memory + 64 * map.memory_per_cpu <= value ? 0 : -1", 0],
  "one more": [
    "if (typeof value !== 'number' || value < 0 || value > 9) return 0; return value + 1 > 3.5 ? -1 : -2",
    0,
  ],
  "a percentage": [
    "if (typeof value !== 'number' || value < 0 || value > 100) return 0; return map.key_size < Math.floor((value * 256) / 100) ? -1 : -2",
    0,
  ],
  "rounded down": [
    "return typeof value === 'number' && Math.round(value) === 3 && Math.trunc(value) === 2 ? 0 : -1",
    0,
  ],
  "a size": ["return typeof value === 'number' && Math.abs(value) < 10 && -value > 3 ? 0 : -1", 0],
  "a large number of JSON": ["return typeof value === 'number' && value * 2 > 10 ? 0 : -1", 2],
  "a number that is counted up": ["let n = value; if (typeof n !== 'number') return 0; n++; return n > 3 ? -1 : -2", 0],
  "a sum of any value": ["return value + 1 > 3 ? -1 : -2", 3],
  "a number as text": ["return deny(`${map.memory + 3 * map.memory_per_cpu} bytes, ${map.flags & 3}`)", 0],
  "a verdict of bits": ["return -(map.flags & 3)", 0],
  "a product with 0": ["return 1 / (map.key_size * 0 * -1) < 0 ? -1 : 0", 2],
  "a quotient by a fact": ["return 8 / map.key_size > 1 ? -1 : 0", 2],
};

describe(`numbers that are not known (seed ${seed})`, () => {
  it.each(Object.entries(BODIES))("%s", (_, [body, undecided]) => {
    const policy = ExploredPolicy.of(
      'import { deny, map_lookup } from "countersign";\nexport function bpf_map_create(map) ' +
        `{ const value = map_lookup("allowed_programs", "x"); ${body} }`,
    );
    const exploration = policy.explore("bpf_map_create");
    expect(exploration.unfinished).toBeNull();
    for (const { path, status, ...rest } of policy.confirmations(exploration))
      if (path.end.kind !== "not decided") expect([status, rest, path]).toEqual(["confirmed", expect.anything(), path]);
    expect(exploration.paths.filter(({ end }) => end.kind === "not decided")).toHaveLength(undecided);
    const next = numbers(seed);
    const count = () => Math.min(Math.abs(Math.trunc(drawnNumber(next))), Number.MAX_SAFE_INTEGER);
    for (let round = 0; round < ROUNDS; round++) {
      const drawn = randomInput(exploration, next);
      const number = next(2) === 0 ? drawnNumber(next) : [0.1, 0.3, 1, 2.5, 3, 50, 100, -0, 1e21][next(9)];
      const input = next(5) === 0 ? drawn : { ...drawn, answer: () => number };
      for (const fact of ["key_size", "value_size", "max_entries", "flags"])
        if (next(2) === 0) (input.subject as Record<string, unknown>)[fact] = next(3) === 0 ? next(9) : count();
      for (const fact of ["memory", "memory_per_cpu"])
        if (next(2) === 0)
          (input.subject as Record<string, unknown>)[fact] = next(3) === 0 ? next(2000) : count() * 2 ** next(20);
      const flaw = policy.flaw(exploration, input);
      if (flaw !== null) expect.fail(`${flaw}: ${JSON.stringify([number, input.subject])}, round ${round}`);
    }
    policy.close();
  });
});
