import { describe, expect, it } from "vitest";
import { Guest, link } from "../../../support/guest.js";

const HOOK = "export const blob_verify = () => 0;";

/** A member that has a private name. */
const PRIVATE = [
  "#x;",
  "#x = 1;",
  "#x() {}",
  "get #x() { return 1; }",
  "set #x(v) {}",
  "*#x() {}",
  "static #x;",
  "static #x() {}",
];
/** What a class can extend. `Base` returns whatever it is given. */
const HERITAGE = [
  "Base",
  "null",
  "(class { constructor(o) { return o; } })",
  "make()",
  "Error",
  "Object",
  "(0, Base)",
  "Base.Inner",
];
const FORMS: readonly ((heritage: string, member: string) => string)[] = [
  (heritage, member) => `class A extends ${heritage} { ${member} }`,
  (heritage, member) => `const A = class extends ${heritage} { ${member} };`,
  (heritage, member) => `const a = () => new (class extends ${heritage} { y = 1; ${member} })(Math);`,
  (heritage, member) => `export default class extends ${heritage} { ${member} }`,
  (heritage, member) => `class A { #z; m() { return class extends ${heritage} { ${member} }; } }`,
];
const HEAD = "class Base { static Inner = Base; constructor(o) { return o; } } const make = () => Base;";

describe("a class with private names cannot extend another: it could put them on an object that outlives the decision", () => {
  it.each(HERITAGE)("extends %s", (heritage) => {
    for (const member of PRIVATE)
      for (const form of FORMS)
        for (const file of ["policy.js", "policy.ts"])
          expect(() => link({ [file]: `${HEAD}\n${form(heritage, member)}\n${HOOK}` }), form(heritage, member)).toThrow(
            expect.objectContaining({
              code: "POLICY_FORBIDDEN",
              message: "has a class with private names that extends another class",
              place: expect.stringMatching(/^policy\.[jt]s:2:\d+$/),
              remedy: "use ordinary properties, or remove `extends`",
            }),
          );
  });

  it("but each of them by itself is allowed", () => {
    const policy = `class Bad extends Error { name = "Bad"; within = class { #y = 2; get() { return this.#y; } }; }
class A { #x = 1; is(o) { return #x in o; } }
export function blob_verify() {
  const a = new A();
  return a.is(a) && !a.is(Math) && new (new Bad().within)().get() === 2 ? 0 : -13;
}`;
    expect(new Guest().ask(link(policy))).toMatchObject({ verdict: 0, fault: null });
  });
});

/** `¶` stands for what is between `get` or `set` and the name. */
const ACCESSORS = [
  "get¶x() { return 1; }",
  "set¶x(v) {}",
  "static get¶x() { return 1; }",
  "static¶get x() { return 1; }",
  "static set¶x(v) {}",
  `get¶["x"]() { return 1; }`,
  `get¶"x"() { return 1; }`,
  "get¶1() { return 1; }",
  "get¶#x() { return 1; }",
];
const CLASSES: readonly ((member: string) => string)[] = [
  (member) => `class A { ${member} }`,
  (member) => `const A = class { ${member} };`,
  (member) => `class A { y = 0\n${member} }`,
];
const BREAKS = ["\n", " \n ", " /* a\nb */ ", " // a\n"];

describe("an accessor of a class stands on one line, since QuickJS takes `get` and a line break for a field", () => {
  it.each(ACCESSORS)("%s", (accessor) => {
    for (const form of CLASSES) {
      for (const file of ["policy.js", "policy.ts"]) {
        for (const between of BREAKS)
          expect(() => link({ [file]: `${form(accessor.replace("¶", between))}\n${HOOK}` })).toThrow(
            expect.objectContaining({
              code: "POLICY_FORBIDDEN",
              message: "has a line break after `get` or `set` in a class",
            }),
          );
        for (const between of [" ", " /* a */ "])
          expect(link({ [file]: `${form(accessor.replace("¶", between))}\n${HOOK}` }).hooks).toEqual(["blob_verify"]);
      }
    }
  });

  it.each([
    ["an accessor of an object", "const o = { get\nx() { return 1; } }, A = class {};", "1,undefined"],
    ["a field of that name", "const o = { x: 2 }; class A { get\n= 3; set\n= 4 }", "2,3"],
    ["a method of that name", "const o = { x: 2 }; class A { get\n() { return 1; } }", "2,function"],
  ])("and nothing is wrong with %s", (_, head, noted) => {
    const outcome = new Guest().ask(`import { note } from "countersign"; ${head}
      export const blob_verify = () => {
        const { get } = new A();
        note([o.x, typeof get === "function" ? "function" : String(get)].join());
        return 0;
      };`);
    expect(outcome).toMatchObject({ verdict: 0, fault: null, notes: [noted] });
  });
});
