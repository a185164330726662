import { describe, expect, it } from "vitest";
import { labelHolds, taskTest } from "../../../../src/policy/scope/task-condition.js";
import { task } from "../../../task.js";

const edge = task({ container: { id: "c0ffee", name: "web", labels: { tier: "edge" }, annotations: {} } });

describe("a condition on a task", () => {
  it("is made of others", () => {
    const yes = { uid: [0, 5] } as const;
    const no = { uid: [7, 9] } as const;
    expect(taskTest({ all: [yes, { not: no }] })(edge)).toBe(true);
    expect(taskTest({ any: [no, { all: [yes, no] }] })(edge)).toBe(false);
    expect(taskTest({ all: [] })(edge)).toBe(true);
    expect(taskTest({ any: [] })(edge)).toBe(false);
  });

  it("is false for a text or a label of a container that is null", () => {
    expect(taskTest({ text: "container.name", glob: "**" })(task({}))).toBe(false);
    expect(taskTest({ label: "tier", is: "present" })(task({}))).toBe(false);
    expect(taskTest({ label: "toString", is: "present" })(edge)).toBe(false);
    expect(taskTest({ label: "tier", is: "among", values: ["edge"] })(edge)).toBe(true);
  });

  it("takes labels as integers of 64 bits only", () => {
    expect(labelHolds({ label: "n", is: "above", limit: "5" }, "6")).toBe(true);
    expect(labelHolds({ label: "n", is: "above", limit: "5" }, "9223372036854775808")).toBe(false);
    expect(labelHolds({ label: "n", is: "below", limit: "5" }, "-9223372036854775808")).toBe(true);
    expect(labelHolds({ label: "n", is: "below", limit: "5" }, undefined)).toBe(false);
  });
});
