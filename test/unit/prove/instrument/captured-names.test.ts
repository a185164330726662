// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { describe, expect, it } from "vitest";
import { endsOfBody } from "../../../support/explored-bodies.js";

/** The short form has each declaration and each parameter at least once. */
const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";

/** What the body of a function declares under the name `x`, which a default value must not see. */
const DECLARATIONS = [
  "var x = -2;",
  "let x = -2;",
  "const x = -2;",
  "function x() {}",
  "if (true) { var x = -2; }",
  "for (var x of [-2]);",
  "x = -2;",
  "{ let x = -2; }",
];
/** Parameters with a default value that names `x`, and a value of them. */
const PARAMETERS = [
  ["a = x", "a"],
  ["g = () => x", "g()"],
  ["{ a = x } = {}", "a"],
  ["[a = x] = []", "a"],
  ["{ [`${x}`]: a } = { '-1': -5 }", "a"],
  ["...[a = x]", "a"],
] as const;

describe("names in default values of parameters", () => {
  it.each(PARAMETERS)("are not decided if the body declares or assigns them: %s", (parameters, value) => {
    const number = PARAMETERS.findIndex(([its]) => its === parameters);
    for (const [index, declaration] of DECLARATIONS.entries()) {
      if (!isLong && index % PARAMETERS.length !== number) continue;
      const begin = "let x = -1; const v = (y) => (typeof y === 'number' ? y : -7);";
      const body = `${begin} function f(${parameters}) { ${declaration} return v(${value}) } return f()`;
      expect(endsOfBody(body)).toEqual(["not decided"]);
    }
    expect(endsOfBody(`const x = -1; const f = (${parameters}) => ${value}; return f()`)).not.toContain("not decided");
  });

  it.each([
    "(a = b, b) => a",
    "(a = () => b, b) => a()",
    "({ a = b } = {}, b) => a",
    "(a = (b = -5), b) => a + b",
    "(a = a, b) => b",
    "({ a = b, b } = {}, c) => c",
    "function f(a, g = () => a) { var a = -2; return g() }",
    "function f(a, g = (y) => { a = y }) { var a; g(-3); return a }",
  ])("are not decided if a later parameter or the body has them: %s", (text) => {
    for (const given of ["undefined, -5", "-4, undefined", "undefined, undefined"].slice(0, isLong ? 3 : 1)) {
      const body = `const f = ${text}; const r = f(${given}); return typeof r === 'number' ? r : -7`;
      // A parameter that has a value does not need its default one
      const isGiven = text.startsWith("(a = a,") && given.startsWith("-4");
      expect(endsOfBody(body)).toEqual(isGiven ? [-7] : ["not decided"]);
    }
  });

  it.each([
    ["(a, b = a) => b", -4],
    ["({ a, c = a }, b = c) => b", -4],
    ["(a, by = (x) => a) => [1, 2].map((x) => by(x))[1]", -4],
    ["(a, b = D) => b", -6],
  ])("are decided if they mean the same: %s", (text, verdict) => {
    const given = text.startsWith("({") ? "{ a: -4 }" : "-4";
    expect(endsOfBody(`const D = -6; const f = ${text}; return f(${given})`)).toEqual([verdict]);
  });
});

describe("what a loop is over", () => {
  it.each([
    "const xs = [-1]; for (const xs of xs) return xs; return -2",
    "const xs = [-1]; for (let xs of xs) return xs; return -2",
    "const xs = [[-1]]; for (const [xs] of xs) return xs; return -2",
    "const xs = { a: 1 }; for (const xs in xs) return -1; return -2",
    "const m = prog.maps; for (const m of m) return -1; return -2",
    "const m = [1]; for (const m of m.filter(() => true)) return -1; return -2",
    "const m = [1]; for (const m of [1].map(() => m)) return -1; return -2",
  ])("is not decided if it names a variable of the loop: %s", (body) => {
    expect(endsOfBody(body)).toEqual(["not decided"]);
  });

  it.each([
    ["const m = { m: [-1] }; for (const x of m.m) return x; return -2", -1],
    ["const o = { m: [-1] }; for (const m of o.m) return m; return -2", -1],
    ["let n = 0; for (const m of [1, 2].map((m) => m + 1)) n -= m; return n", -5],
  ])("can have a property or a parameter with that name: %s", (body, verdict) => {
    expect(endsOfBody(body)).toEqual([verdict]);
  });
});

describe("names of JavaScript's own values", () => {
  it.each([
    ["const f = (undefined) => { return; }; return f(-5) ?? -6", -6],
    ["const f = (undefined) => typeof nothing === 'undefined' ? -1 : -2; return f('a')", -1],
    ["const undefined = -3; const f = () => { return; }; return f() === void 0 ? -1 : -2", -1],
    ["const f = (Infinity) => prog.maps.map((...a) => `${a[1]}`).includes('0'); return f(1) ? -1 : -2", "not decided"],
    ["const NaN = 5; return [0 / 0].includes(NaN) ? -1 : -2", -2],
    ["const Math = { max: () => -4 }; return Math.max(1, 2)", -4],
    ["const String = () => -4; return String(prog.name)", -4],
    ["const Object = { keys: () => [1, 2] }; return -Object.keys({}).length", -2],
  ])("can be the names of variables, which are then meant: %s", (body, end) => {
    expect(endsOfBody(body)).toEqual([end]);
  });
});

describe("a caught error", () => {
  it.each([
    ["try { throw 1 } catch (e) { var e = 5; return -e }", -5],
    ["try { throw 1 } catch (e) { var e = 5; } return e === undefined ? -1 : -2", -1],
    ["const e = 1; try { throw 2 } catch (e) { { const e = 3; if (e !== 3) return -9 } return -e }", -2],
  ])("has a variable of its own: %s", (body, verdict) => {
    expect(endsOfBody(body)).toEqual([verdict]);
  });
});
