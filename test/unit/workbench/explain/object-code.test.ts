import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { Explanation } from "../../../../src/workbench/explain/explanation.js";
import { withCode } from "../../../../src/workbench/explain/object-code.js";
import { askProgram, explainedDenial, otherConstant } from "../../../support/denials.js";
import { own } from "../../../support/workplace.js";

const object = readFileSync(own("examples/peek-tc.o"));
let explanation: Explanation;
beforeAll(async () => {
  explanation = await explainedDenial({
    policy: {},
    attachments: "  - { policy: policies/no-kernel-read.js, limits: { timeout: 5s } }\n",
    prepare: (place) => void place.policy("no-kernel-read.js"),
    ask: askProgram("peek-tc"),
  });
});

describe("the code of evidence", () => {
  it("is that of the program with the digest: the instruction, its neighbours and lines of the source", () => {
    const found = withCode(explanation, object)!;
    expect(found.evidence.length).toBeGreaterThan(0);
    for (const { insn, text, source, code } of found.evidence) {
      expect(code.filter((line) => line.startsWith(">"))).toEqual([`> ${String(insn).padStart(5)}: ${text}`]);
      expect(code).toContain(`; ${source}`);
      expect(code.join("\n")).not.toContain("<unknown>");
    }
    expect({ ...found, evidence: [] }).toEqual({ ...explanation, evidence: [] });
  });

  it("is that of the program with the name, if it has another digest after relocation", () => {
    const { evidence, executed } = withCode(explanation, otherConstant(object))!;
    expect(evidence[0]!.code).not.toEqual([]);
    expect(executed.limits).toEqual([expect.stringContaining("before the loader relocated them")]);
  });

  it("is not there in an object without the program", () => {
    expect(withCode(explanation, readFileSync(own("examples/drop-telnet.o")))).toBeNull();
  });
});
