import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { NO_STATEMENTS } from "../../../../src/bpf/model/facts.js";
import { PROGRAM_FACTS, PROGRAM_FIELDS, programFactsFrom } from "../../../../src/bpf/model/program-fields.js";
import { factsOfObject } from "../../../../src/bpf/object.js";
import { programSubject } from "../../../../src/engine/files/program-subject.js";
import { SHAPE } from "../../../../src/policy/domain.js";
import { example } from "../../../support/examples.js";

const [facts] = factsOfObject(example("peek-tc")).programs;
const NO_ORIGIN = { signature: null, ...NO_STATEMENTS, kernel_signature: null, kernel_keyring: null, object: null };

describe("the table of facts about programs", () => {
  it("has the facts that the analysis gives, and those of a subject, in its order", () => {
    expect(Object.keys(facts!).sort()).toEqual([...programFactsFrom("load", "code")].sort());
    expect(Object.keys(programSubject(facts!, NO_ORIGIN))).toEqual(PROGRAM_FACTS);
  });

  it("has types that read what the analysis gives", () => {
    const subject = programSubject(facts!, NO_ORIGIN);
    for (const name of PROGRAM_FACTS) {
      const missing: string[] = [];
      expect(PROGRAM_FIELDS[name].type.read(subject[name], name, missing), name).toEqual(subject[name]);
      expect(missing).toEqual([]);
    }
  });

  it("withholds from policies what the sandbox does not send", () => {
    const withheld = PROGRAM_FACTS.filter((name) => "withheld" in PROGRAM_FIELDS[name]);
    expect(SHAPE.withheld).toEqual(withheld);
    const declared = readFileSync(new URL("../../../../types/countersign.d.ts", import.meta.url), "utf8");
    for (const name of withheld) expect(declared).not.toMatch(new RegExp(`^ {2}readonly ${name}:`, "m"));
  });
});
