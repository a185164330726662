import type { Identifier } from "acorn";
import { describe, expect, it } from "vitest";
import { LinkTime } from "../../../../src/policy/syntax/link-time.js";
import { readSource } from "../../../../src/policy/syntax/source.js";
import type { Tree } from "../../../../src/policy/syntax/tree.js";

const treeOf = (text: string): Tree => readSource("policy.js", text, new LinkTime("policy.js")).tree;

/**
 * For each expression that reads `name`, which of the variables called so it means, by the order of their declarations.
 */
function meant(text: string, name = "x"): number[] {
  const tree = treeOf(text);
  const variables = tree.variables.filter((variable) => variable.name === name);
  return tree.nodes
    .filter((node): node is Identifier => node.type === "Identifier" && node.name === name)
    .map((node) => variables.indexOf(tree.meant(node)!));
}

describe("an identifier means the variable of the innermost scope that declares it", () => {
  it.each([
    ["a global name", "x;", [-1]],
    ["before its declaration", "x; const x = 1;", [0]],
    ["in a block", "let x; { let x; x; } x;", [1, 0]],
    ["`var` in a block", "function f() { { var x; } return x; } x;", [0, -1]],
    ["`var` behind its use, and a block's own", "function f() { x; { let x; x; } var x; }", [1, 0]],
    ["a parameter, and a variable outside", "let x; const f = (x) => x; x;", [1, 0]],
    ["a parameter's default", "const f = (x, y = x) => y;", [0]],
    ["a pattern of a parameter", "const f = ({ a: [x = 1] }) => x;", [0]],
    ["a function by its name, outside and inside", "function x() { return x; } x;", [0, 0]],
    ["a parameter called as its function", "function x(x) { return x; } x;", [1, 0]],
    ["a function expression's own name", "const f = function x() { return x; }; x;", [0, -1]],
    ["a class expression's own name", "const f = class x { m() { return x; } }; x;", [0, -1]],
    ["a class", "class x {} x;", [0]],
    ["a loop variable", "for (let x = 0; x < 1; x++) x; x;", [0, 0, 0, -1]],
    ["each of `for … of`", "let x; for (const x of [x]) x; x;", [1, 1, 0]],
    ["a caught error", "try {} catch (x) { x; } x;", [0, -1]],
    ["the cases of a switch", "let x; switch (1) { case 1: let x; x; }", [1]],
    ["a static block", "class C { static { var x; x; } } x;", [0, -1]],
    ["an import", 'import { x } from "./a.js"; x;', [0]],
    ["a closure over a later declaration", "const f = () => x; let x;", [0]],
  ])("%s", (_, text, expected) => {
    expect(meant(text)).toEqual(expected);
  });
});

it("reads and writes are counted", () => {
  const { topLevel } = treeOf("let x = 1; x = x + 2; const f = (y) => { x += y; };");
  const { reads, writes } = topLevel.get("x")!;
  expect([reads, writes]).toEqual([1, 3]);
});

it("nodes within a node stand before it, from its first one on", () => {
  const { nodes, firsts } = treeOf("const f = (a) => { for (const b of a) if (b.c) return [1, 2]; return 0; };");
  for (const [index, node] of nodes.entries())
    for (const [other, { start, end }] of nodes.entries()) {
      const isWithin = other >= firsts[index]! && other <= index;
      if (isWithin) expect(start >= node.start && end <= node.end).toBe(true);
      else expect(end <= node.start || start >= node.end || (start <= node.start && end >= node.end)).toBe(true);
    }
});
