import { describe, expect, it } from "vitest";
import type { Code } from "../../../../src/bpf/model/code.js";
import { factsOfObject } from "../../../../src/bpf/object.js";
import { codeAround } from "../../../../src/bpf/report/code-around.js";
import { example } from "../../../support/examples.js";

let code!: Code;
factsOfObject(example("peek-tc"), (program) => {
  code ??= program;
});

describe("the code around an instruction", () => {
  it("has it, its neighbours, and the lines of the source where they change", () => {
    for (let slot = 0; slot < code.insns.count; slot++) {
      const lines = codeAround(code, slot);
      const numbers = lines.flatMap((line) => /^[> ] +(\d+): /.exec(line)?.[1] ?? []).map(Number);
      expect(numbers.length).toBeLessThanOrEqual(7);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      const sources = lines.filter((line) => line.startsWith("; "));
      expect(sources).toEqual(sources.filter((line, index) => line !== sources[index - 1]));
      expect(lines.join("\n")).not.toContain("<unknown>");
    }
  });

  it("is empty for an instruction that the program does not have", () => {
    expect(codeAround(code, -1)).toEqual([]);
    expect(codeAround(code, code.insns.count)).toEqual([]);
  });
});
