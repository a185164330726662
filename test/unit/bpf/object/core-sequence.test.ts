import { describe, expect, it } from "vitest";
import { CoreSequence } from "../../../../src/bpf/object/core-sequence.js";
import { BpfObject } from "../../../../src/bpf/object.js";
import { example } from "../../../support/examples.js";

describe("the CO-RE relocations of an object", () => {
  it("have places, by which those of a linked program are found", () => {
    const object = new BpfObject(example("switch-watch"));
    const [of] = object.functions;
    const program = object.program(of!);
    const sequence = new CoreSequence(object.ext!, object.btf!, [...object.symbols.subprograms, ...object.functions]);
    const placed = sequence.placed(program.coreRelocations(), program.linked.parts);
    expect(placed.map(({ position }) => position)).toEqual(sequence.relocations.map((_, index) => index));
    expect(placed.length).toBeGreaterThan(3);
    for (const { position, slot, ...what } of placed) {
      const { insns, ...its } = sequence.relocations[position!]!;
      expect(its).toEqual({ ...what, slot });
      expect(Buffer.from(insns)).toEqual(Buffer.from(of!.section.data.subarray(of!.offset, of!.offset + of!.size)));
    }
  });
});
