import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../../src/bpf/btf/btf.js";
import { factsOfObject } from "../../../src/bpf/object.js";
import { Kallsyms, Kernel } from "../../../src/bpf/relocate.js";
import { Relocations } from "../../../src/bpf/relocations.js";
import { resolvePrograms } from "../../../src/bpf/resolved-object.js";
import { example } from "../../support/examples.js";
import { switchKernel } from "../../support/switch-kernel.js";

/** Its programs send a signal where the kernel has a field, an enumerator, a kfunc, a variable and a symbol. */
const GUARDED = readFileSync(new URL("fixtures/guarded.o", import.meta.url));
const NAMES = ["by_field", "by_enumerator", "by_kfunc", "by_variable", "by_symbol"];

/** A kernel with everything that the programs ask for, or with nothing of it. */
function kernel(has: boolean, kallsyms: string | null): Kernel {
  const btf = new BtfWriter();
  const int = btf.int("int", 4, { encoding: 1 });
  const u32 = btf.int("unsigned int", 4);
  btf.struct("task_struct", 8, [[has ? "new_field" : "old_field", int, 32]]);
  btf.enum("states", [["IDLE", 0], ...(has ? [["BUSY", 1] as const] : [])]);
  if (has) {
    btf.func("bpf_new_kfunc", btf.proto(0, [["number", u32]]));
    btf.var("new_variable", btf.type("", "const", int));
  }
  return new Kernel(new Btf(btf.bytes()), [], kallsyms === null ? null : new Kallsyms(Buffer.from(kallsyms)));
}

function facts(bytes: Uint8Array, on: Kernel) {
  const relocations = new Relocations((object, linked) => resolvePrograms(object, linked, on, "libbpf-1.5").programs);
  const { programs } = factsOfObject(bytes, undefined, relocations.relocate);
  return { programs, reasons: relocations.reasons.map((reason) => reason?.code ?? null) };
}

const signalling = (programs: ReturnType<typeof facts>["programs"]) =>
  programs.filter(({ effects }) => effects.sends_signal).map(({ name }) => name);

describe("facts on a kernel", () => {
  it("have the effects of guarded branches where the kernel has what guards them", () => {
    const { programs, reasons } = facts(GUARDED, kernel(true, "ffffffff81000000 T new_symbol\n"));
    expect(signalling(programs)).toEqual(NAMES);
    expect(reasons).toEqual([null, null, null, null, null]);
    expect(programs[2]!.kfuncs).toEqual(["bpf_new_kfunc"]);
  });

  it("have none of them where it does not", () => {
    const { programs, reasons } = facts(GUARDED, kernel(false, "ffffffff81000000 T other_symbol\n"));
    expect(signalling(programs)).toEqual([]);
    expect(reasons).toEqual([null, null, null, null, null]);
    expect(programs[2]!.kfuncs).toEqual([]);
  });

  it("are those of the object for a program that is not known", () => {
    const { programs, reasons } = facts(GUARDED, kernel(false, null));
    expect(signalling(programs)).toEqual(["by_symbol"]);
    expect(reasons).toEqual([null, null, null, null, "CORE_NEEDS_KALLSYMS"]);
    expect(programs[4]!.digest).toBe(factsOfObject(GUARDED).programs[4]!.digest);
  });

  it("are not taken into account without a kernel", () => {
    expect(signalling(factsOfObject(GUARDED).programs)).toEqual(NAMES);
  });

  it("keep sources, and have the kernel's offsets in the instructions", () => {
    const { programs, reasons } = facts(example("switch-watch"), new Kernel(new Btf(switchKernel({ at: 32 }).bytes())));
    expect(reasons).toEqual([null]);
    const [evidence] = programs[0]!.evidence;
    expect(evidence).toMatchObject({ source: "switch-watch.bpf.c:24", text: "r1 = *(u64 *)(r6 + 0x20)" });
    expect(Buffer.from(programs[0]!.insns).readInt16LE(8 * 2 + 2)).toBe(32);
  });

  it("names a missing attach target, and keeps the facts", () => {
    const { programs, reasons } = facts(
      example("switch-watch"),
      new Kernel(new Btf(switchKernel({ target: false }).bytes())),
    );
    expect(reasons).toEqual(["CORE_UNRESOLVED"]);
    expect(programs[0]!.digest).not.toBe(factsOfObject(example("switch-watch")).programs[0]!.digest);
  });
});
