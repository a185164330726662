import { describe, expect, it } from "vitest";
import { factAt, shortened } from "../../../../src/workbench/explain/fact-values.js";

const FACTS = {
  name: "peek",
  effects: { read_only: false },
  maps: [{ name: "a" }, { name: "b" }],
  labels: { "app.kubernetes.io/name": "web", app: { x: 1 } },
  __proto__: null,
};

describe("a value of a fact", () => {
  it.each([
    ["name", "peek"],
    ["effects.read_only", false],
    ["maps.name", ["a", "b"]],
    ["labels.app.kubernetes.io/name", "web"],
    ["labels.app.x", 1],
    ["none", undefined],
    ["name.length", undefined],
    ["effects.toString", undefined],
  ])("at %s is %j", (path, value) => {
    expect(factAt(FACTS, path)).toEqual(value);
  });

  it("is shortened if it is long", () => {
    expect(shortened([1])).toEqual([1]);
    expect(shortened("x".repeat(5000))).toMatch(/^"x{1999}… \(5002 characters\)$/);
  });
});
