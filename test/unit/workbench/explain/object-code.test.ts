import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { factsOfObject } from "../../../../src/bpf/object.js";
import { explain } from "../../../../src/workbench/explain/explain.js";
import type { Explanation } from "../../../../src/workbench/explain/explanation.js";
import { withCode, withKeptCode } from "../../../../src/workbench/explain/object-code.js";
import { ProgramFolder } from "../../../../src/workbench/replay/program-folder.js";
import {
  askProgram,
  type Denied,
  explainedDenial,
  lastDecision,
  otherConstant,
  recordDenial,
} from "../../../support/denials.js";
import { own } from "../../../support/workplace.js";

const object = readFileSync(own("examples/peek-tc.o"));
const DENIED: Denied = {
  policy: {},
  attachments: "  - { policy: policies/no-kernel-read.js, limits: { timeout: 5s } }\n",
  prepare: (place) => void place.policy("no-kernel-read.js"),
  ask: askProgram("peek-tc"),
};
let explanation: Explanation;
beforeAll(async () => {
  explanation = await explainedDenial(DENIED);
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

  it("is what a folder of instructions keeps by their digest, without lines of a source", {
    tags: ["deep"],
  }, async () => {
    const { lines } = await recordDenial(DENIED);
    const { line, reader } = lastDecision(lines);
    const program = factsOfObject(object).programs.find(({ digest }) => digest === explanation.subject.digest)!;
    const folder = mkdtempSync(join(tmpdir(), "countersign-"));
    const path = join(folder, hash("sha256", program.insns));
    writeFileSync(path, program.insns);
    const { evidence, executed } = explain(line, reader, new ProgramFolder(folder));
    expect(evidence.length).toBeGreaterThan(0);
    for (const { insn, text, code } of evidence) {
      expect(code.filter((line) => line.startsWith(">"))).toEqual([`> ${String(insn).padStart(5)}: ${text}`]);
      expect(code.some((line) => line.startsWith(";"))).toBe(false);
    }
    expect(executed).toMatchObject({ result: "same", limits: [] });
    writeFileSync(path, Buffer.from(program.insns).reverse());
    const changed = explain(line, reader, new ProgramFolder(folder));
    expect(changed).toEqual(explain(line, reader));
    expect(changed.evidence.map(({ code }) => code)).toEqual(evidence.map(() => []));
  });

  it("is empty if what has the digest of the instructions is none", () => {
    const evidence = explanation.evidence;
    const facts = { insns: { sha256: hash("sha256", "seven b"), length: 7 } };
    const contents = { find: () => Buffer.from("seven b") };
    expect(withKeptCode(evidence, { kind: "program", facts }, contents)).toEqual(evidence);
    for (const other of [null, {}, { insns: 7 }, { insns: { sha256: 7 } }])
      expect(withKeptCode(evidence, { kind: "program", facts: other as never }, contents)).toEqual(evidence);
  });

  it("is not there in an object without the program", () => {
    expect(withCode(explanation, readFileSync(own("examples/drop-telnet.o")))).toBeNull();
  });
});
