import { afterEach, describe, expect, it, vi } from "vitest";
import { Steps } from "../../../../src/bpf/core/steps.js";
import { StatedObjectForm } from "../../../../src/bpf/recognition/stated-program.js";
import { StatedRelocator } from "../../../../src/bpf/recognition.js";
import type { StatementContent } from "../../../../src/bpf/statement.js";
import { contentOf, kernelOf } from "../../../support/recognition.js";

afterEach(() => void vi.restoreAllMocks());

describe("the relocation of a stated program", () => {
  it("has the steps of its object, and new ones when it is made again", () => {
    const counters = new Set<Steps>();
    const begin = Steps.prototype.begin;
    vi.spyOn(Steps.prototype, "begin").mockImplementation(function (this: Steps) {
      counters.add(this);
      return begin.call(this);
    });
    const relocator = new StatedRelocator(kernelOf());
    const object = new StatedObjectForm(contentOf() as StatementContent);
    const programs = ["on_switch", "pass"].map((name) =>
      object.content.program.programs.findIndex((program) => program.name === name),
    );
    const all = () => programs.map((index) => relocator.relocate(object, index));
    const first = all();
    const shared = counters.size;
    expect(shared).toBeGreaterThan(0);
    expect(all()).toEqual(first);
    expect(counters.size).toBe(2 * shared);
    relocator.relocate(object, programs[0]!);
    relocator.relocate(object, programs[0]!);
    expect(counters.size).toBe(4 * shared);
  });
});
