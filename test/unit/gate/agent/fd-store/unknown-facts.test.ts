import { describe, expect, it } from "vitest";
import type { ProgramSubject } from "../../../../../src/bpf/model/facts.js";
import { unknownFacts } from "../../../../../src/gate/agent/fd-store/unknown-facts.js";

const map = { id: 1, entry: { creator: 4, memory: 1, exclusive: false } };
const program = (...missing: string[]) => {
  const subject = {} as ProgramSubject;
  return missing.length === 0 ? { id: 2, subject } : { id: 2, subject, missing };
};

describe("facts that a record of another version lacks", () => {
  it("are not reported if there are none", () => {
    expect(unknownFacts([])).toBeNull();
    expect(unknownFacts([map, program()])).toBeNull();
  });

  it("are reported once, with the number of programs", () => {
    expect(unknownFacts([program("flags")])).toMatchObject({
      code: "FACTS_UNKNOWN",
      message: expect.stringContaining("1 program without `flags`"),
    });
    const error = unknownFacts([map, program("flags"), program(), program("cookie", "flags")]);
    expect(error?.message).toMatch(/2 programs without `cookie`, `flags`/);
  });
});
