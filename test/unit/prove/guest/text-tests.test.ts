// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are expressions of policies
import { describe, expect, it } from "vitest";
import { seedOf } from "../../../support/damage.js";
import { confirmedEnds, endsOf, exploredConditions, randomPolicies } from "../../../support/explored-conditions.js";

const seed = seedOf();
const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
const POLICIES = Number(process.env.POLICIES ?? (isLong ? 1_000 : 25));
const INPUTS = isLong ? 2_000 : 40;

const FACTS = ["prog.name", "prog.license", "current.exe", "prog.name", 'map_lookup("program_budget", "a")'];
const WORDS = ["", "a", "b", "/", "aa", "ab", "a/", "/a", "/a/b", "x", "0", "null", "\\ud800"];
const TEXTS = ["a", "b", "/", "aa", "ab", "/a/b", "a/a", "b/", "//", "\ud800", "\udc00"];
const COMPARISON = { seed, inputs: INPUTS, texts: TEXTS };

describe(`comparisons of texts that are put together (seed ${seed})`, () => {
  /** Each condition is true for some facts, and false for others. */
  const BOTH = [
    "current.exe.startsWith(`/bin/${prog.name}/`)",
    "current.exe.endsWith(`/${prog.name}.ko`)",
    "current.exe.includes(`-${prog.name}-`)",
    "`${prog.name}/${prog.license}`.startsWith('ab/c')",
    "`${prog.name}/${prog.license}` === 'ab/c'",
    "`${prog.name}x` === `${prog.license}yx`",
    "'/usr/bin'.startsWith(prog.name)",
    "'/usr/bin'.endsWith(prog.name)",
    "'abc'.includes(prog.name)",
    "prog.name.startsWith(prog.license)",
    "`${prog.name}${prog.license}`",
    "`u${prog.insn_cnt}` === 'u12'",
    "`u${prog.insn_cnt}` === `u${current.pid}`",
    "prog.name === `${prog.insn_cnt}`",
    "current.exe.startsWith(map_lookup('program_budget', 'a'))",
    "current.exe.endsWith(`/${map_lookup('program_budget', 'a')?.name}`)",
    "[map_lookup('program_budget', 'a')].some((all) => Array.isArray(all) && all.some((one) => prog.name.startsWith(`/${one}`)))",
  ];
  it.each(BOTH)("%s is decided", (condition) => {
    const ends = confirmedEnds(condition, COMPARISON);
    for (const verdict of [-1, 0]) expect(ends).toContain(verdict);
  });

  /** Each condition has the same value for all facts. */
  const SURE: readonly (readonly [condition: string, value: boolean])[] = [
    ["`a${prog.name}`.startsWith('b')", false],
    ["`a${prog.name}` === 'b'", false],
    ["`a${prog.name}` === `b${prog.name}`", false],
    ["`a${prog.name}b` === `a${prog.name}b`", true],
    ["`${prog.name}/`.endsWith('/')", true],
    ["`${prog.name}/x`.startsWith(prog.name)", true],
    ["`${prog.name}a` === prog.name", false],
    ["`u${prog.insn_cnt}` === 'u01'", false],
    ["`${prog.insn_cnt}` === ''", false],
  ];
  it.each(SURE)("%s is always %s", (condition, value) => {
    const verdicts = endsOf(condition, COMPARISON);
    expect(verdicts).toEqual([value ? -1 : 0]);
  });

  it("look-ups with equal keys give the same value", () => {
    const [one, other] = ["a", "b"].map((of) => `map_lookup('program_budget', \`\${prog.name}/${of}\`)`);
    const own = "map_lookup('program_budget', `${prog.license}/a`)";
    for (const { status, path } of exploredConditions([`${one} === 1`, `${other} === 1`, `${own} === 1`], COMPARISON))
      expect(status === "confirmed" ? null : path).toBeNull();
  });

  it("agree with the engine in policies drawn by chance", { tags: ["deep"] }, () => {
    const { decided, all } = randomPolicies(POLICIES, randomCondition, { ...COMPARISON, inputs: INPUTS / 5 });
    expect(decided).toBeGreaterThan(all / 2);
  });
});

type Next = (below: number) => number;

/** A comparison of texts drawn by chance. */
function randomCondition(next: Next): string {
  const pick = <T>(of: readonly T[]): T => of[next(of.length)]!;
  const word = () => `"${pick(WORDS)}"`;
  const template = () =>
    `\`${pick(WORDS)}\${${pick(FACTS)}}${pick(WORDS)}${next(3) === 0 ? `\${${pick(FACTS)}}` : ""}\``;
  const text = () => pick([word, () => pick(FACTS.slice(0, -1)), template, template])();
  const method = pick(["startsWith", "endsWith", "includes"]);
  return pick([() => `${text()}.${method}(${text()})`, () => `${text()} === ${text()}`, () => `!${text()}`])();
}
