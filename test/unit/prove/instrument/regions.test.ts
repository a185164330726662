import { type AnyNode, type Program, parse } from "acorn";
import { describe, expect, it } from "vitest";
import { boundNames, OUTSIDE, Regions } from "../../../../src/prove/instrument/regions.js";

const program = (text: string): Program => parse(text, { ecmaVersion: 2023, sourceType: "module" });

describe("regions of variables", () => {
  it("declare the constant that is needed", () => {
    const regions = new Regions();
    const nodes = program("let a; function f(b) { let c } for (const d of a) { let e; var g }").body;
    const inside = (names: readonly string[]) =>
      regions.inside({ patterns: [], nodes }, "$born", "birth()", () =>
        names.map((name) => regions.bornOf(name)).join(),
      );
    expect(inside(["a", "f", "g"])).toBe("const $born=birth();$born,$born,$born");
    expect(inside(["b", "c", "d", "e", "h"])).toBe(Array.from("bcdeh", () => OUTSIDE).join());
  });

  it("take the outermost of several declarations of a name", () => {
    const regions = new Regions();
    const [outer, inner] = ["let a;", "let a, b;"].map((text) => program(text).body);
    const text = regions.inside({ patterns: [], nodes: outer! }, "$outer", "1", () =>
      regions.inside(
        { patterns: [], nodes: inner! },
        "$inner",
        "2",
        () => `${regions.bornOf("a")} ${regions.bornOf("b")}`,
      ),
    );
    expect(text).toBe("const $outer=1;const $inner=2;$outer $inner");
  });

  it("have all names of a pattern", () => {
    const [declaration] = program("let { a, b: [c, ...d], e: { f = 1 } } = {}").body;
    const { id } = (declaration as Extract<AnyNode, { type: "VariableDeclaration" }>).declarations[0]!;
    expect(boundNames(id)).toEqual(["a", "c", "d", "f"]);
  });
});
