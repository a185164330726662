// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { describe, expect, it } from "vitest";
import { SUBJECT_DOMAINS } from "../../../../src/prove/facts/subject-domains.js";
import { defaultFacts } from "../../../../src/prove/witness/default-facts.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { drawnNumber } from "../../../support/drawn-numbers.js";
import { ExploredPolicy, randomInput } from "../../../support/prove.js";

const seed = seedOf();
const ROUNDS = process.env.COUNTERSIGN_NIGHTLY === "1" ? 3_000 : 150;
const MEMORY = "prog.maps.reduce((sum, map) => sum + map.memory + 128 * map.memory_per_cpu, 0)";

/** Bodies of a hook about a program and a value of a map, which are decided. */
const DECIDED: Readonly<Record<string, string>> = {
  "a sum": `return ${MEMORY} > 4096 ? -1 : 0`,
  "a sum in a reason": `const bytes = ${MEMORY}; return bytes <= 65536 ? 0 : deny(\`\${bytes} bytes\`)`,
  "a sum of parts that a pattern takes":
    "return prog.maps.reduce((sum, { memory, memory_per_cpu }) => sum + memory + 96 * memory_per_cpu, 0) <= 8192 ? 0 : -1",
  "a sum by the order of its terms":
    "return prog.maps.reduce((sum, map) => map.memory + (sum + map.memory_per_cpu), 0) <= 8192 ? 0 : -1",
  "a sum by an assignment to the accumulator":
    "return prog.maps.reduce((sum, map) => { sum += map.key_size; sum += map.value_size; return sum }, 100) > 200 ? -1 : 0",
  "a sum that is computed with": `return Math.floor(${MEMORY} / 1024) > 4 ? -1 : ${MEMORY} === 0 ? -2 : 0`,
  "two sums":
    "const add = (name) => prog.maps.reduce((sum, map) => sum + map[name], 0); return add('key_size') > add('value_size') ? -1 : 0",
  "a sum of products": "return prog.maps.reduce((n, m) => n + m.key_size * m.max_entries, 0) > 2 ** 40 ? -1 : 0",
  "a sum of bits": "return prog.maps.reduce((n, { flags }) => n + (flags & 128), 0) > 128 ? -1 : 0",
  "a sum of fractions": "return prog.maps.reduce((n, m) => n + m.key_size / 10, 0.1) > 0.7 ? -1 : 0",
  "a sum that decreases": "return prog.maps.reduce((left, map) => left - map.key_size, 64) < 0 ? -1 : 0",
  "a sum that rounds": "return prog.maps.reduce((sum, m) => sum + 1 + m.key_size, 2 ** 53) === 2 ** 53 ? -1 : 0",
  "the number of elements": "return prog.maps.reduce((n) => n + 1, 0) > 2 ? -1 : 0",
  "the largest number": "return prog.maps.reduce((most, map) => Math.max(most, map.max_entries), 16) > 1024 ? -1 : 0",
  "the smallest number": "return prog.maps.reduce((n, { key_size }) => Math.min(key_size, n), 8) < 4 ? -1 : 0",
  "the accumulator": "return prog.maps.reduce((sum) => sum, 7) === 7 ? 0 : -1",
  "a length": "return prog.maps.reduce((n, map) => n + map.name.length, 0) > 20 ? deny('long names') : 0",
  "a list of a statement":
    "const its = statement_of(prog, 'platform'); return its && its.settings.reduce((n) => n + 1, 0) > 1 ? -1 : 0",
  "a list of texts": "return prog.helpers.reduce((n, name) => n + name.length, 0) > 100 ? -1 : 0",
  "a condition that is not about an element":
    "const all = prog.effects.redirects; return prog.maps.reduce((n, m) => (all ? n + m.memory : n + m.key_size), 0) > 64 ? -1 : 0",
  "a number of a map":
    "if (typeof value !== 'number' || value < -9 || value > 9) return 0; return prog.maps.reduce((n, m) => n + value * m.memory, 0) > 64 ? -1 : 0",
  "a number of a map by itself":
    "if (typeof value !== 'number' || value < -9 || value > 9) return 0; return prog.maps.reduce((n) => n + value, 0) < -9 ? -1 : 0",
  "the first element":
    "const [first] = prog.maps; return first && prog.maps.reduce((n, m) => n + first.key_size, 0) > 9 ? -1 : 0",
  "a loop": "let n = 0; for (const map of prog.maps) n += map.memory; return n > 4096 ? deny(`${n} bytes`) : 0",
  "a loop with a block":
    "let n = 9; for (const { key_size, value_size } of prog.maps) { const size = 2 * key_size; n += size; n -= value_size; } return n < 0 ? -1 : 0",
  "a loop that counts": "let n = 0; for (const map of prog.maps) n++; return n > 2 ? -1 : 0",
  "a loop that counts down": "let n = 4; for (const map of prog.maps) { --n; } return n < 2 ? -1 : 0",
  "the largest number of a loop":
    "let n = 16; for (const map of prog.maps) n = Math.max(n, map.max_entries); return n > 1024 ? -1 : 0",
  "a loop that calls a function with its variable":
    "let n = 1; const next = (size) => n + size; for (const map of prog.maps) n = next(map.key_size); return n > 8 ? -1 : 0",
  "a loop with a label": "let n = 0; a: for (const map of prog.maps) n += map.key_size; return n > 8 ? -1 : 0",
  "a loop over what a function returns, which changes the variable":
    "let n = 0; const all = () => { n = 3; return prog.maps }; for (const map of all()) n += map.key_size; return n > 8 ? -1 : 0",
  "two loops":
    "let n = 0; let v = 0; for (const m of prog.maps) n += m.key_size; for (const m of prog.maps) v += m.value_size; return n > v ? -1 : 0",
  "a loop in a function, over several lists":
    "const sum = (list, n = 0) => { for (const m of list) n += m.key_size; return n }; return sum(prog.maps) > sum([{ key_size: 2 }, { key_size: 3 }]) ? -1 : 0",
  "a loop of which the variable hides another one":
    "let n = -1; { let n = 0; for (const m of prog.maps) n += m.key_size; if (n > 8) return -2 } return n",
  "another sum in it": `const all = prog.maps.reduce((n, m) => n + m.key_size, 0); return prog.maps.reduce((n, m) => n + all, 1) > 9 ? -1 : 0`,
  "a test of an element": "return prog.maps.reduce((n, m) => (m.type === 'hash' ? n + 1 : n), 0) > 1 ? -1 : 0",
  "a fact that there is not": "return prog.maps.reduce((n, m) => n + m.size, 0) > 9 ? -1 : 0",
  "an error": "try { return prog.maps.reduce(() => null.x, 0) } catch { return -1 }",
  "a loop that changes its variable twice":
    "let n = 0; for (const map of prog.maps) n += (n = 1); return n > 4 ? -1 : 0",
  "a loop that counts some":
    "let n = 0; for (const m of prog.maps) n += m.type === 'hash' ? 1 : 0; return n > 1 ? -1 : 0",
  "a loop that asks about elements":
    "let n = 0; for (const m of prog.maps) n += 1 * (m.type === 'hash' ? 1 : 0); return n > 1 ? -1 : 0",
  "a loop that fails": "let n = 0; for (const m of prog.maps) n += null.x; return n > 1 ? -1 : 0",
  "a loop over elements that are left":
    "let n = 0; for (const m of prog.maps.filter((one) => one.type === 'hash')) n += 1; return n > 1 ? -1 : 0",
  "two sums in a loop":
    "let n = 0; let v = 0; for (const m of prog.maps) { n += m.key_size; v += m.value_size; } return n > 9 || v > 99 ? -1 : 0",
  "two numbers of elements":
    "let a = 0, h = 0; for (const m of prog.maps) { if (m.type === 'hash') h += 1; else if (m.type === 'array') a++; } return h > 4 || a > 8 ? -1 : 0",
  "a number of some elements in a reason":
    "let n = 0; for (const m of prog.maps) if (m.memory > 1024) n++; return n > 2 ? deny(`${n} large maps`) : 0",
  "a sum of some elements":
    "let n = 0; for (const m of prog.maps) { if (m.type === 'array') continue; n += m.max_entries; } return n > 1000 ? -1 : 0",
  "a number of elements before one that leaves the loop":
    "let n = 0; for (const m of prog.maps) { if (m.type === 'arena') return -2; if (m.type === 'hash') n++; } return n > 1 ? -1 : 0",
  "points of elements":
    "let n = 10; for (const m of prog.maps) n -= m.type === 'hash' ? 3 : m.type === 'array' ? 1 : 0; return n < 0 ? -1 : 0",
  "a flag and a number":
    "let n = 0, found = false; for (const m of prog.maps) { if (m.type === 'arena') found = true; n += m.memory; } return found && n > 4096 ? -1 : 0",
  "a text that a loop assigns":
    "let what = 'none'; for (const m of prog.maps) if (m.key_size > 8) what = 'large'; return what === 'large' ? deny(what) : 0",
  "the largest number of some elements":
    "let n = 0; for (const m of prog.maps) if (m.type === 'hash') n = Math.max(n, m.max_entries); return n > 1024 ? -1 : 0",
  "a number that filter leaves":
    "let n = 0; for (const m of prog.maps.filter((one) => one.type === 'hash')) if (m.key_size > 4) n++; return n > 1 ? -1 : 0",
  "a loop that breaks":
    "let found = null; for (const m of prog.maps) { if (m.type === 'hash') { found = m.name; break; } } return found === 'aa' ? -1 : 0",
  "a variable of a file": "for (const m of prog.maps) if (m.type === 'hash') total += 1; return total > 2 ? -1 : 0",
};

/** Those of which some paths have no example. */
const WITHOUT_EXAMPLES: ReadonlySet<string> = new Set([
  "a sum of bits",
  "a sum that rounds",
  "a length",
  "a number of a map",
  "a number of a map by itself",
  "the first element",
  "another sum in it",
]);

const CHANGES = "a variable or an object that a loop over a list changes";
const NEITHER = "a variable that a loop over a list changes otherwise than by a sum, an extreme or one constant";

/** Bodies of which something is not decided, with the reason. */
const UNDECIDED: Readonly<Record<string, readonly [body: string, why: string]>> = {
  "a test of the accumulator": [
    "return prog.maps.reduce((n, m) => (n > 9 ? n : n + m.memory), 0) > 9 ? -1 : 0",
    "a condition on a variable that a loop over a list changes, or on what is computed in the loop",
  ],
  "no initial value": [
    "return prog.maps.reduce((n, m) => n) ? -1 : 0",
    "`reduce` of a list that is not known, without an initial value",
  ],
  "an initial value that is a fact": [
    "return prog.maps.reduce((n, m) => n + m.memory, prog.insn_cnt) > 9 ? -1 : 0",
    NEITHER,
  ],
  "-0": ["return 1 / prog.maps.reduce((n, m) => n + m.memory, -0) < 0 ? -1 : 0", NEITHER],
  "a text": ["return prog.maps.reduce((text, m) => text + m.name, '') === 'ab' ? -1 : 0", NEITHER],
  "a number that becomes a text": ["return prog.maps.reduce((n, m) => n + m.name, 0) === 0 ? 0 : -1", NEITHER],
  "an index": [
    "return prog.maps.reduce((n, m, i) => n + i, 0) > 9 ? -1 : 0",
    "the index of an element of a list that is not known",
  ],
  "a function of JavaScript": [
    "return prog.maps.reduce(Math.max, 0) > 9 ? -1 : 0",
    "the index of an element of a list that is not known",
  ],
  "the element": ["return prog.maps.reduce((n, m) => m, 0) === 0 ? 0 : -1", NEITHER],
  "the last number": ["return prog.maps.reduce((n, m) => m.memory, 0) === 0 ? 0 : -1", NEITHER],
  nothing: ["return prog.maps.reduce((n, m) => { n + m.memory }, 0) === 0 ? 0 : -1", NEITHER],
  "twice the accumulator": ["return prog.maps.reduce((n, m) => n + n + m.memory, 1) > 9 ? -1 : 0", NEITHER],
  "a product of the accumulator": ["return prog.maps.reduce((n, m) => n * 2 + m.memory, 1) > 9 ? -1 : 0", NEITHER],
  "bits of the accumulator": ["return prog.maps.reduce((n, m) => n | m.flags, 0) > 9 ? -1 : 0", NEITHER],
  "a part of a list": [
    "return prog.maps.filter((m) => m.type === 'hash').reduce((n, m) => n + m.memory, 0) > 9 ? -1 : 0",
    "`reduce` of an array with elements of a list that is not known",
  ],
  "a variable that changes": [
    "let seen = 0; const n = prog.maps.reduce((n, m) => { seen += 1; return n + m.memory }, 0); return n + seen > 9 ? -1 : 0",
    "a variable that a loop over a list changes",
  ],
  "an array that changes": [
    "const seen = []; prog.maps.reduce((n, m) => { seen.push(m); return n }, 0); return seen.length > 1 ? -1 : 0",
    "an array that a loop over a list changes",
  ],
  "a denial": ["return prog.maps.reduce((n, m) => n + deny('a map'), 0)", "a denial in a loop over a list"],
  "a loop that changes another variable": [
    "let n = 0; let k = 0; const next = () => ++k; for (const map of prog.maps) n += next(); return n + k > 4 ? -1 : 0",
    CHANGES,
  ],
  "a loop that keeps functions": [
    "let n = 0; const all = []; for (const m of prog.maps) n += (all.push(() => n), 1); return all.length > 1 ? -1 : 0",
    CHANGES,
  ],
  "a loop that multiplies its variable": [
    "let n = 1; for (const m of prog.maps) n += n * m.key_size; return n > 4 ? -1 : 0",
    NEITHER,
  ],
  "a loop that keeps the last number": ["let n = 0; for (const m of prog.maps) n = m.memory; return -n", CHANGES],
  "a loop from -0": ["let n = -0; for (const m of prog.maps) n += 0; return 1 / n < 0 ? -1 : 0", CHANGES],
  "a loop that adds to a text": [
    "let n = ''; for (const m of prog.maps) n += m.name; return n === 'ab' ? -1 : 0",
    CHANGES,
  ],
  "a loop that adds to nothing": ["let n; for (const m of prog.maps) n += 1; return n === undefined ? -1 : 0", CHANGES],
  "a loop that adds to a fact": [
    "let n = prog.insn_cnt; for (const m of prog.maps) n += 1; return n > 5 ? -1 : 0",
    CHANGES,
  ],
  "a loop in a loop": [
    "let n = 0; for (const m of prog.maps) for (const h of prog.helpers) n += m.key_size; return n > 5 ? -1 : 0",
    CHANGES,
  ],
  "a loop over the same name": [
    "let n = 0; for (const n of prog.maps) n += 1; return n",
    "`+` of something else than finite numbers",
  ],
  "a loop before its variable": ["for (const m of prog.maps) n += 1; let n = 0; return n", "an error of the engine"],
  "a loop in it": [
    "return prog.maps.reduce((n) => n + (prog.helpers.some((h) => h === 'x') ? 1 : 0), 0) > 1 ? -1 : 0",
    "a loop over a list within another one",
  ],
  "a variable that is read in the loop": [
    "let n = 0; for (const m of prog.maps) { if (n > 3) return -1; if (m.type === 'hash') n++; } return 0",
    CHANGES,
  ],
  "a variable of another one": [
    "let n = 0, v = 0; for (const m of prog.maps) { n += m.key_size; v += n; } return v > 9 ? -1 : 0",
    NEITHER,
  ],
  "the last constant of several": [
    "let t = 'x'; for (const m of prog.maps) { if (m.type === 'hash') t = 'h'; if (m.type === 'array') t = 'a'; } return t === 'h' ? -1 : 0",
    NEITHER,
  ],
  "a number that a denial in the loop names": [
    "let n = 0; for (const m of prog.maps) { if (m.type === 'arena') return deny(`after ${n}`); n++; } return 0",
    "a variable that a loop over a list changes before an element that leaves it",
  ],
};

function policyWith(body: string): ExploredPolicy {
  return ExploredPolicy.of(
    'import { deny, map_lookup, statement_of } from "countersign"; let total = 0;\nexport function bpf_prog_load(prog) ' +
      `{ const value = map_lookup("allowed_programs", "x"); ${body} }`,
  );
}

function expectEngine(policy: ExploredPolicy, exploration: ReturnType<ExploredPolicy["explore"]>): void {
  const next = numbers(seed);
  const size = () => Math.min(Math.abs(Math.trunc(drawnNumber(next))), Number.MAX_SAFE_INTEGER);
  const domain = SUBJECT_DOMAINS.program.maps!;
  if (domain.kind !== "list" || domain.of.kind !== "object") throw new TypeError("maps are no list of objects");
  const { fields } = domain.of;
  for (let round = 0; round < ROUNDS; round++) {
    const drawn = randomInput(exploration, next);
    const number = next(2) === 0 ? drawnNumber(next) : [0.1, 0.3, 1, 2.5, 50, -0, -3, 1e21][next(8)];
    const maps = Array.from({ length: next(5) }, () => {
      const map = defaultFacts(fields);
      for (const fact of ["key_size", "value_size", "max_entries", "flags"])
        if (next(2) === 0) map[fact] = next(3) === 0 ? next(9) : size();
      for (const fact of ["memory", "memory_per_cpu"])
        if (next(2) === 0) map[fact] = next(3) === 0 ? next(2000) : size() * 2 ** next(20);
      return { ...map, name: "a".repeat(next(9)) };
    });
    const isNumber = next(4) > 0;
    if (next(4) > 0) Object.assign(drawn.subject as object, { maps });
    const input: typeof drawn = {
      ...drawn,
      answer: (origin, key) => (isNumber && origin.kind === "lookup" ? number : drawn.answer(origin, key)),
    };
    const flaw = policy.flaw(exploration, input);
    if (flaw !== null) expect.fail(`${flaw}: ${JSON.stringify([number, maps])}, round ${round}`);
  }
}

describe(`reduce of a list that is not known, and loops that add numbers (seed ${seed})`, () => {
  it.each(Object.entries(DECIDED))("decides %s", { tags: ["deep"] }, (name, body) => {
    const policy = policyWith(body);
    const exploration = policy.explore("bpf_prog_load");
    expect(exploration.unfinished).toBeNull();
    const confirmations = policy.confirmations(exploration);
    for (const { wrong, path } of confirmations) if (wrong !== null) expect.fail(JSON.stringify([wrong, path]));
    const isShown = confirmations.every(({ status }) => status === "confirmed");
    expect(isShown).toBe(!WITHOUT_EXAMPLES.has(name));
    expect(exploration.paths.filter(({ end }) => end.kind === "not decided")).toEqual([]);
    expect(exploration.paths.length).toBeGreaterThan(body.includes("=== 7") ? 0 : 1);
    expectEngine(policy, exploration);
    policy.close();
  });

  it.each(Object.entries(UNDECIDED))("leaves %s undecided", (_, [body, why]) => {
    const policy = policyWith(body);
    const exploration = policy.explore("bpf_prog_load");
    const reasons = exploration.paths.flatMap(({ end }) => (end.kind === "not decided" ? [end.why] : []));
    expect(reasons).toContain(why);
    for (const { path, wrong } of policy.confirmations(exploration))
      if (wrong !== null) expect.fail(JSON.stringify([wrong, path]));
    expectEngine(policy, exploration);
    policy.close();
  });
});
