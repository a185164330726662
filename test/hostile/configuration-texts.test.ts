// @module-tag deep
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/config.js";
import { CountersignError } from "../../src/error.js";
import { Glob } from "../../src/policy/scope/glob.js";
import { Selector } from "../../src/policy/scope/selector.js";
import { shareOf } from "../support/share.js";

const word = fc.constantFrom("a", "b", "in", "notin", "tier", "x.y/z", "A-1", "0");
const value = fc.constantFrom("", "a", "in", "edge", "10", "v_1.2", "9".repeat(18));
const space = fc.constantFrom("", " ", "\t ", "\n");
const labels = fc.dictionary(word, value, { maxKeys: 5 });

/** A requirement as text, with what it means said a second time, without a parser. */
type Meant = readonly [text: string, holds: (labels: Readonly<Record<string, string>>) => boolean];
const requirement: fc.Arbitrary<Meant> = fc.oneof(
  fc.tuple(word, space).map(([key, gap]): Meant => [`${gap}${key}${gap}`, (its) => key in its]),
  fc.tuple(word, space).map(([key, gap]): Meant => [`!${gap}${key}`, (its) => !(key in its)]),
  fc
    .tuple(word, value, space, fc.constantFrom("=", "=="))
    .map(([key, one, gap, sign]): Meant => [`${key}${gap}${sign}${gap}${one}`, (its) => its[key] === one]),
  fc
    .tuple(word, value, space)
    .map(([key, one, gap]): Meant => [`${key}${gap}!=${gap}${one}`, (its) => its[key] !== one]),
  fc
    .tuple(word, fc.array(value, { maxLength: 4 }), space, fc.constantFrom("in", "notin"))
    .map(
      ([key, values, gap, operator]): Meant => [
        `${key} ${operator}${gap}(${values.join(`${gap},${gap}`)})`,
        (its) => (key in its && (values.length === 0 ? [""] : values).includes(its[key] ?? "")) === (operator === "in"),
      ],
    ),
  fc
    .tuple(word, fc.nat(20), fc.constantFrom(">", "<"))
    .map(
      ([key, bound, sign]): Meant => [
        `${key}${sign}${bound}`,
        (its) => /^\d+$/.test(its[key] ?? "") && (sign === ">" ? Number(its[key]) > bound : Number(its[key]) < bound),
      ],
    ),
);

describe("a selector", () => {
  it("means what it was made from, however it is spaced", () => {
    fc.assert(
      fc.property(fc.array(requirement, { maxLength: 5 }), labels, (all, its) => {
        const text = all.map(([written]) => written).join(",");
        expect(Selector.parse(text).matches(its), text).toBe(all.every(([, holds]) => holds(its)));
      }),
      { numRuns: shareOf(2000) },
    );
  });

  it("of any text at all is one, or is refused with a column of that text", () => {
    const pieces = fc.constantFrom(
      "a",
      "in",
      "notin",
      "(",
      ")",
      ",",
      "=",
      "!",
      ">",
      "<",
      " ",
      "\0",
      "é",
      "\u2028",
      "-",
      "/",
      "1",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(pieces, { maxLength: 30 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          Selector.parse(given).matches({});
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error;
          expect(error.code).toBe("SELECTOR_INVALID");
          const column = Number(/^column (\d+)$/.exec(error.place ?? "")?.[1]);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(column).toBeLessThanOrEqual(given.length + 1);
        }
      }),
      { numRuns: shareOf(5000) },
    );
  });
});

describe("a pattern", () => {
  it("matches as the regular expression that says the same", () => {
    const part = fc.constantFrom("*", "**", "?", "a", "/", ".", "[", "\\", "$");
    const pattern = fc.array(part, { maxLength: 8 }).map((all) => all.join(""));
    const text = fc
      .array(fc.constantFrom("a", "/", ".", "[", "\\", "$", "\n"), { maxLength: 8 })
      .map((all) => all.join(""));
    fc.assert(
      fc.property(pattern, text, (its, given) => {
        const means = its.replace(/\*\*|[\s\S]/g, (one) => {
          return { "**": "[\\s\\S]*", "*": "[^/]*", "?": "[^/]" }[one] ?? one.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
        });
        expect(new Glob(its).matches(given)).toBe(new RegExp(`^${means}$`).test(given));
      }),
      { numRuns: shareOf(3000) },
    );
  });
});

describe("a configuration", () => {
  it("with any part of it changed is one, or is refused with its file", () => {
    const good = `version: 1
default: { bpf_prog_load: deny }
keyrings: { k: { trust: [ca.pem], usage: [codeSigning] } }
maps: { m: { file: m.json }, w: { writable: { entries: 1, bytes: 1KiB } } }
attachments:
  - { policy: a.js, mode: audit, scope: { labels: "a in (b)", uid: [1, 2-3] }, limits: { steps: 5, timeout: 1s } }
log: { file: l, rotate: 1MiB, keep: 2 }
`;
    const insert = fc.constantFrom(
      "",
      "{",
      "}",
      "[",
      "]",
      ":",
      "- ",
      "&a ",
      "*a",
      "!!",
      "\n",
      "\t",
      "'",
      '"',
      "|",
      "%",
      "\0",
      "é",
      "~",
      "__proto__: 1\n",
    );
    fc.assert(
      fc.property(fc.nat(good.length), fc.nat(12), insert, (at, length, text) => {
        try {
          parseConfig("c.yaml", good.slice(0, at) + text + good.slice(at + length));
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error;
          expect(error.place).toMatch(/^c\.yaml/);
          expect(error.toString()).not.toContain("\n");
        }
      }),
      { numRuns: shareOf(3000) },
    );
  });
});
