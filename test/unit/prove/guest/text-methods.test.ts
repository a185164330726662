// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are expressions of policies
import { describe, expect, it } from "vitest";
import { seedOf } from "../../../support/damage.js";
import { confirmedEnds, endsOf, randomPolicies } from "../../../support/explored-conditions.js";
import { ExploredPolicy } from "../../../support/prove.js";

const seed = seedOf();
const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
const POLICIES = Number(process.env.POLICIES ?? (isLong ? 1_000 : 5));
const INPUTS = isLong ? 2_000 : 30;

/** White space of JavaScript, and characters that other languages take for it. */
const SPACES = [" ", "\t", "\n", "\u00a0", "\ufeff", "\u2028", "\u3000", "\u180e", "\u200b", "\u0085", "\u0000"];
const TEXTS = [
  "A.B",
  "AB",
  "K\u00c4",
  "\u212a",
  "\u0130",
  "\u00df",
  "\u03a3",
  "a\u03a3",
  "\ufb06",
  "a.b",
  ".",
  "a.",
  ".b",
  "a.b.c",
  "ab",
  " a ",
  "a",
  "..",
  "\ud83d\ude00",
  "\ud83d",
  "a b",
];
const COMPARISON = { seed, inputs: INPUTS, texts: [...TEXTS, ...SPACES, ...SPACES.map((one) => `${one}a${one}`)] };

describe(`methods of texts that are not known (seed ${seed})`, () => {
  /** Each condition is true for some facts, and false for others. */
  const BOTH = [
    "prog.license.trim() === 'GPL'",
    "prog.name.trim() === ''",
    "prog.name.trimStart().startsWith('a ')",
    "prog.name.trimEnd().endsWith(' a')",
    "prog.name.trim() === prog.name",
    "prog.name.slice(prog.name.lastIndexOf('.') + 1) === 'fw'",
    "prog.name.slice(0, prog.name.lastIndexOf('.')) === 'a.b'",
    "prog.name.substring(0, prog.name.indexOf('.')) === 'a'",
    "prog.name.slice(prog.name.indexOf('.') + 1) === 'b.c'",
    "prog.name.lastIndexOf('.') === -1",
    "prog.name.lastIndexOf('.') > 2",
    "prog.name.indexOf('.') === prog.name.lastIndexOf('.')",
    "prog.name.split('/')[0] === 'usr'",
    "prog.name.split('/').pop() === 'ls'",
    "prog.name.split('/').at(-1) === 'ls'",
    "prog.name.split('.')[1] === 'b'",
    "prog.name.split('.')[2] === undefined",
    "prog.name.split('.').at(-2) === 'b'",
    "prog.name.split('.').length === 2",
    "prog.name.split('.').length > prog.maps.length",
    "[prog.name.split('.')].some(([base, ext]) => ext === 'b' && base.length > 0)",
    "prog.name.toLowerCase() === 'ab'",
    "prog.name.toLowerCase().startsWith('k\u00e4')",
    "prog.name.toUpperCase() === 'A.B'",
    "prog.name.toUpperCase() === 'SS'",
    "prog.name.toLowerCase() === prog.name",
    "prog.name.toLowerCase().length > 3",
    "prog.name.split('.')[1]?.toLowerCase() === 'ab'",
    "/^[a-c]+$/.test(prog.name.toLowerCase())",
    "({ ab: 1, b: 2 })[prog.name.toLowerCase()] === 1",
    "map_lookup('program_budget', prog.name.toLowerCase()) === true",
    "prog.name.slice(0, 2) === 'ab'",
    "prog.name.slice(-2) === 'ab'",
    "prog.name.slice(1, -1) === 'b'",
    "prog.name.slice(-3, -1) === 'ab'",
    "prog.name.substring(2, 0) === 'ab'",
    "prog.name.charAt(1) === '.'",
    "prog.name[0] === 'a'",
    "prog.name.at(-2) === 'a'",
    "prog.name[3] === undefined",
    "prog.name.length > 3",
    "prog.name.length === prog.license.length",
    "prog.name.length + 1 === prog.insn_cnt",
    "/^[a-f]+$/.test(prog.digest.slice(0, 8))",
    "prog.digest.slice(0, 4) === prog.digest.slice(-4)",
    "prog.digest.slice(0, 2) < '80'",
    "prog.helpers.some((helper) => helper.slice(0, 4) === 'bpf_')",
    "prog.maps.some((map) => map.name.trim().length > 4)",
    "map_lookup('program_budget', prog.name.slice(0, 2)) === true",
    "current.exe.startsWith(`/bin/${prog.name.trim()}`)",
    "Object.hasOwn({ fw: 1, tbl: 2 }, prog.name.slice(prog.name.lastIndexOf('.') + 1))",
    "[map_lookup('program_budget', 'a')].some((one) => typeof one === 'string' && one.trim().length === 2)",
  ];
  it.each(BOTH)("%s is decided", (condition) => {
    const ends = confirmedEnds(condition, COMPARISON);
    for (const verdict of [-1, 0]) expect(ends).toContain(verdict);
  });

  /** Each condition has the same value for all facts. */
  const SURE: readonly (readonly [condition: string, value: boolean])[] = [
    ["prog.name.toLowerCase() === 'Ab'", false],
    ["prog.name.toUpperCase() === '\u00df'", false],
    ["prog.name.split('.').length < 1", false],
    ["prog.name.trim().startsWith(' ')", false],
    ["prog.name.slice(0, 2) === 'abc'", false],
    ["prog.name.slice(-2).length > 2", false],
    ["prog.name.slice(2, 1) === ''", true],
    ["prog.name.slice(prog.name.lastIndexOf('.') + 1).includes('.')", false],
    ["prog.name.lastIndexOf('.') < -1", false],
    ["prog.name.length < 0", false],
    ["prog.digest.slice(0, 2) === 'xy'", false],
    ["prog.digest.slice(0, 12).length === 12", true],
    ["prog.digest.length === 64", true],
    ["prog.name.charAt(0).length > 1", false],
    ["prog.name.split('/')[0].includes('/')", false],
  ];
  it.each(SURE)("%s is always %s", (condition, value) => {
    const verdicts = endsOf(condition, COMPARISON);
    expect(verdicts).toEqual([value ? -1 : 0]);
  });

  const OTHERS = [
    "prog.name.slice(prog.insn_cnt) === 'a'",
    "prog.name.slice(0.5) === 'a'",
    "prog.name.slice(-1, 1) === 'a'",
    "prog.name.indexOf('ab') === 0",
    "prog.name.indexOf('a', 1) === 1",
    "prog.name.split(',')[21] === 'a'",
    "prog.name.split(',').includes('a')",
    "[prog.name.split('.')].some(([first, ...more]) => more.length > first.length)",
    "prog.name.split(/,/)[0] === 'a'",
    "prog.name.slice(prog.license.indexOf('.') + 1) === 'a'",
    "[prog.name.split('/')].every((parts) => parts.pop() !== parts.pop())",
    "`${prog.name}${prog.license}`.length > 2",
  ];
  it.each(["prog.name.toLowerCase() === '\ud83d\ude00'", "prog.name.toLowerCase() === 'a\u03c2'"])(
    "%s has a path for each input, though no automaton is made",
    (condition) => {
      expect(endsOf(condition, COMPARISON)).toEqual(expect.arrayContaining([-1, 0]));
    },
  );

  it.each(["toLowerCase", "toUpperCase"] as const)(
    "%s of each code unit is the engine's",
    { tags: ["deep"] },
    (key) => {
      for (let from = 0; from < 0x4000; from += 0x400) {
        const policy = ExploredPolicy.of(`import { deny } from "countersign";
export function bpf_prog_load() {
  let texts = [];
  for (let unit = ${from}; unit < ${from + 0x400}; unit++) texts.push(String.fromCharCode(unit));
  texts = texts.map((one) => one.${key}());
  return deny(texts.join("|"));
}`);
        const [path, ...others] = policy.explore("bpf_prog_load", 10).paths;
        policy.close();
        const units = Array.from({ length: 0x400 }, (_, index) => String.fromCharCode(from + index)[key]());
        expect(others).toEqual([]);
        expect(path!.end).toMatchObject({ kind: "verdict", reason: [units.join("|")] });
      }
    },
  );

  it.each(OTHERS)("%s is not decided", (condition) => {
    expect(endsOf(condition, COMPARISON)).toContain("not decided");
  });

  it("agree with the engine in policies drawn by chance", { tags: ["deep"] }, () => {
    const { decided, all } = randomPolicies(POLICIES, randomCondition, { ...COMPARISON, inputs: INPUTS / 3 });
    // few policies are drawn in the short form, and nine of ten are decided
    expect(decided).toBeGreaterThan(all / 3);
  });
});

/** A condition on parts of texts drawn by chance. */
function randomCondition(next: (below: number) => number): string {
  const pick = <T>(of: readonly T[]): T => of[next(of.length)]!;
  const word = () => JSON.stringify(pick(["", "a", ".", "a.", "b", " ", "ab", "\u00a0", "\ud83d"]));
  const index = () => String(next(7) - 3);
  const base = pick(["prog.name", "prog.name", "prog.license", "prog.digest"]);
  const part = (of: string): string =>
    pick([
      () => `${of}.${pick(["trim", "trimStart", "trimEnd"])}()`,
      () => `${of}.${pick(["slice", "substring"])}(${index()})`,
      () => `${of}.${pick(["slice", "substring"])}(${index()}, ${index()})`,
      () => `${of}.slice(${of}.${pick(["indexOf", "lastIndexOf"])}(".") + 1)`,
      () => `${of}.${pick(["slice", "substring"])}(0, ${of}.${pick(["indexOf", "lastIndexOf"])}("."))`,
      () => `${of}.split(".")${pick(["[0]", ".at(-1)", ".pop()"])}`,
      () => `${of}.${pick(["toLowerCase", "toUpperCase"])}()`,
      () => `(${of}.split(".")${pick(["[1]", "[2]", ".at(-2)"])} ?? "")`,
      () => `(([one, two = "a"]) => two)(${of}.split("."))`,
      () => `${of}.charAt(${next(3)})`,
    ])();
  const text = next(2) === 0 ? part(base) : part(part(base));
  return pick([
    () => `${text} === ${word()}`,
    () => `${text}.${pick(["startsWith", "endsWith", "includes"])}(${word()})`,
    () => `${text}.length ${pick(["<", ">=", "==="])} ${next(4)}`,
    () => `${text}.${pick(["indexOf", "lastIndexOf"])}(".") ${pick(["<", ">=", "==="])} ${index()}`,
    () => `/${pick(["^a", "b$", "\\\\s", "^.$"])}/.test(${text})`,
    () => `${text} === ${part(pick(["prog.name", "prog.license"]))}`,
    () => `${text} < ${word()}`,
    () => `!${text}`,
  ])();
}
