import { describe, expect, it } from "vitest";
import { Automaton } from "../../../../src/prove/texts/automaton.js";
import { parseExpression } from "../../../../src/prove/texts/regular-expression.js";
import { wordsOf } from "../../../../src/prove/texts/words.js";
import { numbers, seedOf } from "../../../support/damage.js";

const seed = seedOf();
const ROUNDS = Number(process.env.ROUNDS ?? (process.env.COUNTERSIGN_NIGHTLY === "1" ? 100_000 : 2_000));

/** Expressions as policies have them, and some that are hard to get right. */
const EXPRESSIONS = [
  /^(?:cilium_|\.rodata|\.bss|\.data)/,
  /^(?:diamorphine|ebpfkit|boopkit)/i,
  /^\/(?:tmp|var\/tmp|home\/[^/]+|dev\/shm|run\/user\/\d+)\//,
  /(?:^|\s)(?:debug|trace|verbose)(?:=|\s|$)/,
  /^try_to_wake_up$/,
  /^[a-c]{2,3}$/,
  /a{0}b?/,
  /^(a|b)*?c+$/,
  /x|^$/,
  /$^/,
  /a$|^b/,
  /[^a-z\d_-]/,
  /[\s\S]\W/,
  /^.$/,
  /^.$/s,
  /^[A-Z]+$/i,
  /^[^a]$/i,
  /\./,
  /[.\]]/,
  /^\w+\s?\D$/,
];
const TEXTS = ["", "a", "b", "c", "A", "Z", "z", "é", "\u017f", "\u212a", "\u2028", "\n", " ", ".", "/", "_", "-", "]"];
const WORDS = ["tmp", "cilium_", "debug", "=", "try_to_wake_up", "home", "\ud800", "EBPFKIT", "1"];

describe(`automata (seed ${seed})`, () => {
  it.each(EXPRESSIONS)("%s accepts what it matches", (expression) => {
    const parsed = parseExpression(expression.source, expression.flags);
    expect(parsed).not.toBeNull();
    const automaton = Automaton.ofExpression(parsed!);
    const next = numbers(seed);
    for (let round = 0; round < ROUNDS / 10; round++) {
      const all = [...TEXTS, ...WORDS];
      const text = Array.from({ length: next(5) }, () => all[next(all.length)]).join("");
      expect([text, automaton.matches(text)]).toEqual([text, expression.test(text)]);
    }
  });

  it.each(EXPRESSIONS)("%s has words, and words that it does not match", (expression) => {
    const automaton = Automaton.ofExpression(parseExpression(expression.source, expression.flags)!);
    for (const is of [true, false]) {
      const words = wordsOf([{ automaton, is }], 5)!;
      expect(words.map((text) => expression.test(text))).toEqual(words.map(() => is));
    }
  });

  it("compares texts by code units", () => {
    const next = numbers(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const [one, other] = [0, 1].map(() => Array.from({ length: next(3) }, () => TEXTS[next(9)]).join("")) as [
        string,
        string,
      ];
      expect([one, other, Automaton.before(other).matches(one)]).toEqual([one, other, one < other]);
    }
  });

  it("looks for the beginning, the end, a part and the whole of a text", { tags: ["deep"] }, () => {
    const next = numbers(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const draw = (most: number) => Array.from({ length: next(most) }, () => "ab"[next(2)]).join("");
      const [text, part] = [draw(6), draw(4)];
      const found = (["starts", "ends", "includes", "equals"] as const).map((where) =>
        Automaton.ofText(part, where).matches(text),
      );
      const expected = [text.startsWith(part), text.endsWith(part), text.includes(part), text === part];
      expect([text, part, ...found]).toEqual([text, part, ...expected]);
    }
  });
});

describe("words", () => {
  const rule = (expression: RegExp, is = true) => ({
    automaton: Automaton.ofExpression(parseExpression(expression.source, expression.flags)!),
    is,
  });

  it("satisfy all rules", () => {
    expect(wordsOf([rule(/^a/), rule(/b$/), rule(/ab/, false)], 1)).toEqual(["acb"]);
  });

  it("are none if the rules contradict each other", () => {
    expect(wordsOf([rule(/^tcp_/), rule(/^udp_/)], 1)).toEqual([]);
    expect(wordsOf([rule(/^[ab]$/), rule(/[a-c]/, false)], 1)).toEqual([]);
    expect(wordsOf([rule(/$^/, false), rule(/^.*$/s, false)], 1)).toEqual([]);
  });

  it("are several of one language", () => {
    expect(wordsOf([rule(/^a+$/)], 3)).toEqual(["a", "aa", "aaa"]);
  });
});

describe("expressions outside of the subset", () => {
  const OTHERS = [
    /a(?=b)/,
    /\bx/,
    /(a)\1/,
    /é/,
    /a/u,
    /a/m,
    /a/g,
    /a/y,
    /\u0061/,
    /\cA/,
    /a{200}/,
    /(?<n>a)/,
    /[\b]/,
    /}/,
  ];
  it.each(OTHERS)("%s is not parsed", ({ source, flags }) => {
    expect(parseExpression(source, flags)).toBeNull();
  });
});
