import { describe, expect, it } from "vitest";
import { Guest, link, rejection } from "../../support/guest.js";

const HOOK = "export const blob_verify = () => 0;";
const FILES = ["policy.js", "policy.ts"];

const rejectionOf = (text: string, file = "policy.js") => rejection({ [file]: text });

/** Every code point with a property. */
const all = (property: RegExp): number[] =>
  Array.from({ length: 0x11_0000 }, (_, code) => code).filter((code) => property.test(String.fromCodePoint(code)));
const u = (code: number) => `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;

/** Where a character can stand, on the second line, at the fifth column. */
const PLACES: Readonly<Record<string, (character: string) => string>> = {
  "a string": (character) => `\n0, "${character}";`,
  "a template": (character) => `\n0, \`${character}\`;`,
  "a regular expression": (character) => `\n0, /${character}/u;`,
  "a line comment": (character) => `\n  //${character}`,
  "a block comment": (character) => `\n  /*${character}*/`,
  "a name": (character) => `\n0, x${character};`,
  "the middle of a name": (character) => `\n0, x${character}y;`,
  "the space between tokens": (character) => `\n0,  ${character}1;`,
};

describe("a character that nobody sees is rejected, with its place", () => {
  const invisible = [...all(/\p{Default_Ignorable_Code_Point}/u), ...all(/\p{Cf}/u), 0x2800];

  it.each(Object.keys(PLACES))("in %s", (place) => {
    const text = PLACES[place]!;
    expect(invisible.length).toBeGreaterThan(4000);
    for (const code of invisible) {
      const found = rejectionOf(text(String.fromCodePoint(code)) + HOOK);
      // a message for each would take longer than all else
      if (found?.message.startsWith(`has the character ${u(code)}, `) && found.code === "POLICY_FORBIDDEN") continue;
      expect.unreachable(`${u(code)} gave ${found?.message}`);
    }
    const column = text("§").split("\n")[1]!.indexOf("§") + 1;
    expect(rejectionOf(text("\u3164") + HOOK)).toMatchObject({
      place: `policy.js:2:${column}`,
      remedy: "remove it; in a string, write it as an escape",
    });
  });

  it("and in the types of TypeScript", () => {
    for (const code of [0xad, 0x034f, 0x115f, 0x3164, 0xfe0f, 0xffa0, 0xe0100])
      expect(rejectionOf(`type A = "${String.fromCodePoint(code)}";\n${HOOK}`, "policy.ts")).toMatchObject({
        code: "POLICY_FORBIDDEN",
        place: "policy.ts:1:11",
      });
  });

  it("but a string may contain it as an escape, and visible characters directly", () => {
    const policy = `export const blob_verify = () =>
  "\\u3164\\u{e0100}".length === 3 && "é𝒳日".length === 4 && /^é$/u.test("\\u00e9") ? 0 : -13; // é𝒳日`;
    for (const file of FILES) expect(new Guest().ask(link({ [file]: policy }))).toMatchObject({ verdict: 0 });
  });
});

/** A name in each place that can have one; `§` is the letter. */
const NAMES: readonly string[] = [
  "const x§ = 1;",
  "let { x§ } = {};",
  "function x§() {}",
  "function f(x§) {}",
  "class A§ {}",
  "class A { #x§ = 1; }",
  "class A { x§() {} }",
  "0, { x§: 1 };",
  "0, {}.x§;",
  "x§: for (;;) break x§;",
  "0, /(?<x§>a)/u;",
  "0, /(?<x§>a)\\k<x§>/u;",
  "try {} catch (x§) {}",
  `import * as x§ from "countersign";`,
];

describe("a name is ASCII only", () => {
  const letters = [
    "\u00e9",
    "e\u0301",
    "\u0430",
    "\uff41",
    "\u{1d4b3}",
    "\u00aa",
    "\u00b5",
    "\u017f",
    "\u212a",
    "\u2113",
    "\u65e5",
  ];

  it.each(NAMES)("%s", (text) => {
    for (const file of FILES)
      for (const letter of letters) {
        const found = rejectionOf(`${text.replaceAll("§", letter)}\n${HOOK}`, file);
        expect([found?.code, found?.message]).toEqual([
          "POLICY_FORBIDDEN",
          expect.stringMatching(/^has the name `.*`, which has a character that is not ASCII$/u),
        ]);
      }
  });

  it.each(NAMES)("and has no escape: %s", (text) => {
    for (const file of FILES)
      for (const spelling of ["\\u0061", "\\u{61}", "\\u3164"]) {
        const found = rejectionOf(`${text.replaceAll("§", spelling)}\n${HOOK}`, file);
        expect([found?.code, found?.message]).toEqual(["POLICY_FORBIDDEN", "has an escape in a name"]);
      }
  });

  it("but a property's name in quotes need not be", () => {
    const policy = `export const blob_verify = () => ({ "é": 0 })["é"];`;
    expect(new Guest().ask(link(policy))).toMatchObject({ verdict: 0 });
  });
});
