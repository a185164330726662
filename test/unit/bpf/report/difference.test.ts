import { describe, expect, it } from "vitest";
import type { ObjectFacts, ProgramFacts } from "../../../../src/bpf/model/facts.js";
import { factsOfObject } from "../../../../src/bpf/object.js";
import { differenceOf, isSame } from "../../../../src/bpf/report/difference.js";
import { example } from "../../../support/examples.js";

const facts = factsOfObject(example("peek-tc"));
const peek = facts.programs[0]!;
const withPrograms = (...programs: ProgramFacts[]): ObjectFacts => ({ ...facts, programs });

describe("the difference between two versions of an object", () => {
  it("is nothing where nothing changed", () => {
    expect(isSame(differenceOf(facts, factsOfObject(example("peek-tc"))))).toBe(true);
  });

  it("lists what is new, with the evidence for new effects", () => {
    const evidence = {
      effect: "sends_signal",
      insn: 3,
      text: "call 0x6d",
      source: null,
      because: "calls",
      ends_read_only: true,
    } as const;
    const map = {
      name: "log",
      type: "ringbuf",
      key_size: 0,
      value_size: 0,
      max_entries: 4096,
      flags: 0,
      contents: null,
      memory: 65536,
      memory_per_cpu: 0,
    };
    const now: ProgramFacts = {
      ...peek,
      digest: "0".repeat(64),
      helpers: [...peek.helpers, "bpf_send_signal"],
      effects: { ...peek.effects, sends_signal: true, read_only: false },
      evidence: [...peek.evidence, evidence],
      maps: [{ ...peek.maps[0]!, max_entries: 2048 }, map],
    };
    const { changed, added, removed } = differenceOf(facts, withPrograms(now));
    expect({ added, removed }).toEqual({ added: [], removed: [] });
    expect(changed).toEqual([
      {
        name: "peek",
        section: "tc",
        fields: [
          { name: "digest", before: peek.digest, after: "0".repeat(64) },
          { name: "read_only", before: true, after: false },
        ],
        helpers: { added: ["bpf_send_signal"], removed: [] },
        kfuncs: { added: [], removed: [] },
        effects: { added: ["sends_signal"], removed: [] },
        evidence: [evidence],
        maps: { added: [map], removed: [] },
        changed_maps: [{ name: "stolen", fields: [{ name: "max_entries", before: 1024, after: 2048 }] }],
      },
    ]);
  });

  it("tells programs that came from those that went", () => {
    const other = { ...peek, name: "other" };
    const { added, removed, changed } = differenceOf(facts, withPrograms(other));
    expect([added, removed, changed]).toEqual([[other], [peek], []]);
  });

  it("follows a program to another section", () => {
    const { changed, added } = differenceOf(facts, withPrograms({ ...peek, section: "tc/ingress" }));
    expect(added).toEqual([]);
    expect(changed[0]!.fields).toEqual([{ name: "section", before: "tc", after: "tc/ingress" }]);
  });

  it("keeps programs of one name in several sections apart", () => {
    const twins = withPrograms(peek, { ...peek, section: "classifier" });
    expect(isSame(differenceOf(twins, twins))).toBe(true);
  });
});
