import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Btf } from "../../../src/bpf/btf/btf.js";
import type { Variant } from "../../../src/bpf/core/variant.js";
import { VARIANTS } from "../../../src/bpf/core/variant.js";
import { Kallsyms, Kernel } from "../../../src/bpf/relocate.js";
import { resolveObject } from "../../../src/bpf/resolved-object.js";
import { restoredPrograms, type StoredProgram, storedPrograms } from "../../../src/bpf/stored-programs.js";
import { CountersignError } from "../../../src/error.js";
import { example } from "../../support/examples.js";
import { switchKernel, switchModule } from "../../support/switch-kernel.js";

const GUARDED = readFileSync(new URL("fixtures/guarded.o", import.meta.url));

const throughJson = (stored: readonly StoredProgram[] | null) => JSON.parse(JSON.stringify(stored)) as StoredProgram[];

/** Kernels with and without what programs need: a target in a module, no target, symbols. */
const KERNELS: Readonly<Record<string, () => Kernel>> = {
  "has all": () => new Kernel(new Btf(switchKernel({ at: 32 }).bytes()), [], new Kallsyms(Buffer.from(""))),
  "has the target in a module": () => {
    const writer = switchKernel({ target: false });
    const vmlinux = new Btf(writer.bytes());
    return new Kernel(vmlinux, [{ name: "m", btf: new Btf(switchModule(writer), "module", vmlinux) }]);
  },
  "lacks a field": () => new Kernel(new Btf(switchKernel({ prio: false, sha256: false }).bytes())),
};

describe.each(Object.keys(KERNELS))("programs that are stored for a kernel that %s", (which) => {
  it.each(VARIANTS)("are restored as they were, for %s", (variant: Variant) => {
    for (const bytes of [example("switch-watch"), example("rate-limit"), example("xdp-steer.be"), GUARDED]) {
      const { programs } = resolveObject(bytes, KERNELS[which]!(), variant);
      const restored = restoredPrograms(throughJson(storedPrograms(programs)));
      const plain = (all: typeof programs) => all.map(({ error, ...rest }) => ({ ...rest, error: error?.toJSON() }));
      expect(plain(restored)).toEqual(plain(programs));
      expect(restored.map(({ error }) => error instanceof CountersignError)).toEqual(
        programs.map(({ error }) => error !== null),
      );
    }
  });
});

describe("programs of which one has an error of the kernel's file", () => {
  it("are not stored", () => {
    const { programs } = resolveObject(example("switch-watch"), KERNELS["has all"]!(), "libbpf-1.5");
    const error = new CountersignError("BTF_MALFORMED", "is cut off", { place: "/boot/vmlinux" });
    expect(storedPrograms(programs)).not.toBeNull();
    expect(storedPrograms([...programs, { ...programs[0]!, error }])).toBeNull();
  });
});
