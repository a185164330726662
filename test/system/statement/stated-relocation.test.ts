import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Btf } from "../../../src/bpf/btf/btf.js";
import { sha256 } from "../../../src/bpf/insn/digest.js";
import { BpfObject } from "../../../src/bpf/object.js";
import { StatedObjectForm } from "../../../src/bpf/recognition/stated-program.js";
import { StatedRelocator } from "../../../src/bpf/recognition/stated-relocation.js";
import { Kernel, relocate } from "../../../src/bpf/relocate.js";
import { statementOf } from "../../../src/bpf/statement.js";
import { CountersignError } from "../../../src/error.js";
import { testedObjects } from "../core/tested-objects.js";

const VMLINUX = "/sys/kernel/btf/vmlinux";

/** The digest, or the code of the error. */
function outcome(act: () => readonly string[]): readonly string[] {
  try {
    return act();
  } catch (error) {
    if (error instanceof CountersignError) return [error.code];
    throw error;
  }
}

describe("programs are relocated from a statement as from the object", () => {
  it("for the running kernel, by each version of libbpf", (context) => {
    if (!existsSync(VMLINUX)) return context.skip(`needs ${VMLINUX}`);
    const objects = testedObjects();
    if (typeof objects === "string") return context.skip(objects);
    const kernel = new Kernel(new Btf(readFileSync(VMLINUX), VMLINUX));
    const relocator = new StatedRelocator(kernel);
    let relocated = 0;
    for (const { name, bytes } of objects) {
      const object = new BpfObject(bytes);
      let form: StatedObjectForm;
      try {
        form = new StatedObjectForm(statementOf(bytes).statement.content);
      } catch (error) {
        // what libbpf does not open, which same-as-opened.test.ts compares
        if (error instanceof CountersignError) continue;
        throw error;
      }
      for (const [index, of] of object.functions.entries()) {
        const fromObject = (["libbpf-1.5", "libbpf-1.6"] as const).map((variant) =>
          outcome(() => [relocate(object, of, kernel, variant).digest]),
        );
        const fromStatement = outcome(() => relocator.relocate(form, index).map(({ insns }) => sha256(insns)));
        const expected = new Set(fromObject.flat());
        // an error counts only if no version can load the program
        const digests = [...expected].filter((digest) => /^[0-9a-f]{64}$/.test(digest));
        expect(new Set(fromStatement), `${name}: ${of.name}`).toEqual(digests.length > 0 ? new Set(digests) : expected);
        relocated += digests.length;
      }
    }
    expect(relocated).toBeGreaterThan(300);
  });
});
