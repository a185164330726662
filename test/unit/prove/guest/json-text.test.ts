// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../../support/damage.js";
import { drawnNumber } from "../../../support/drawn-numbers.js";
import { ExploredPolicy, randomInput } from "../../../support/prove.js";

const seed = seedOf();
const ROUNDS = process.env.COUNTERSIGN_NIGHTLY === "1" ? 2_000 : 100;

const TEXTS = ["", 'a"b', "\\", "\n\u0000\u007f", "\ud800", "\udc00", "\ud83d\ude00", "\u2028", "é", "{}", "null"];
const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -0, 0.1, 1e21, 5e-324, "\ud800", 'x"', [], {}, [1, [null, "\\"]]],
  ...[{ a: 1, "": { toJSON: 1 } }, { 2: 1, 1: 2, toString: "x" }, JSON.parse('{"__proto__":{"a":1}}') as unknown],
];

/** Values of JSON.stringify in a reason, and how many paths are not decided. */
const BODIES: Readonly<Record<string, readonly [body: string, undecided: number]>> = {
  "an object with facts": ["return deny(JSON.stringify({ name: prog.name, n: prog.insn_cnt, x: prog.section }))", 0],
  "what has no form in JSON": [
    "return deny(JSON.stringify({ a: undefined, f() {}, n: NaN, s: [undefined, prog.name, -0] }))",
    0,
  ],
  "a text by itself": ["return deny(JSON.stringify(prog.name))", 0],
  "texts that are put together": ["return deny(JSON.stringify([prog.name + prog.tag, prog.name + '\\ud800']))", 0],
  "halves of a character": ["return deny(JSON.stringify(prog.name + prog.license))", 0],
  "any value of a map": ["return deny(JSON.stringify({ value, more: [value] }))", 0],
  "a value of a map that is absent": ["return deny(`${JSON.stringify(value)}`)", 0],
  nothing: ["return JSON.stringify(undefined) === undefined && JSON.stringify(() => 1) === undefined ? 0 : -1", 0],
  "a number of a fact": ["return deny(JSON.stringify({ bits: prog.insn_cnt & 3, half: prog.insn_cnt / 2 }))", 0],
  "toJSON of its own": ["return deny(JSON.stringify({ toJSON: () => 1 }))", 2],
  "an indentation": ["return deny(JSON.stringify([prog.name], null, 2))", 0],
  facts: ["return deny(JSON.stringify(prog.effects))", 0],
  "a truth value": ["return JSON.stringify({ a: prog.name }) ? 0 : -1", 0],
  "a comparison": ["return JSON.stringify(prog.name) === '\"a\"' ? 0 : -1", 4],
};

describe(`JSON.stringify of what is not known (seed ${seed})`, () => {
  it.each(Object.entries(BODIES))("%s", (_, [body, undecided]) => {
    const policy = ExploredPolicy.of(
      'import { deny, map_lookup } from "countersign";\nexport function bpf_prog_load(prog) ' +
        `{ const value = map_lookup("allowed_programs", "x"); ${body} }`,
    );
    const exploration = policy.explore("bpf_prog_load");
    expect(exploration.unfinished).toBeNull();
    const confirmations = policy.confirmations(exploration);
    for (const { path, wrong } of confirmations) if (wrong !== null) expect.fail(JSON.stringify([path, wrong]));
    const isOpen = ({ path, status }: (typeof confirmations)[number]) =>
      path.end.kind === "not decided" || status === "unconfirmed";
    expect(confirmations.filter(isOpen)).toHaveLength(undecided);
    const next = numbers(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const value = next(3) === 0 ? drawnNumber(next) : VALUES[next(VALUES.length)];
      const input = { ...randomInput(exploration, next), answer: () => value };
      for (const fact of ["name", "license"])
        (input.subject as Record<string, unknown>)[fact] = TEXTS[next(TEXTS.length)]! + TEXTS[next(TEXTS.length)]!;
      (input.subject as Record<string, unknown>).gpl_compatible = false;
      const flaw = policy.flaw(exploration, input);
      if (flaw !== null) expect.fail(`${flaw}: ${JSON.stringify([value, input.subject])}`);
    }
    policy.close();
  });
});
