import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../src/bpf/assembly/btf-writer.js";
import { elfOf, symbolOf } from "../../../src/bpf/assembly/elf-writer.js";
import { Btf } from "../../../src/bpf/btf/btf.js";
import { RELO } from "../../../src/bpf/core/relo-kind.js";
import { VARIANTS } from "../../../src/bpf/core/variant.js";
import { BpfObject } from "../../../src/bpf/object.js";
import { Kernel, relocate } from "../../../src/bpf/relocate.js";
import { BAD_RELO, insnsOf, LDX_W, MOV, rowsOf } from "../../support/core-program.js";
import { example } from "../../support/examples.js";

/** A kernel whose task_struct has other places than that of the examples. */
function kernel(order: "little" | "big" = "little"): Kernel {
  const btf = new BtfWriter(order);
  const int = btf.int("int", 4, { encoding: 1 });
  const pointer = btf.ptr(int);
  btf.struct("task_struct", 2048, [
    ["pid", int, 8 * 1000],
    ["prio", int, 8 * 500],
    ["real_parent", pointer, 8 * 1504],
  ]);
  btf.typedef("btf_trace_sched_switch", pointer);
  return new Kernel(new Btf(btf.bytes(), "vmlinux"));
}

const empty = new Kernel(new Btf(new BtfWriter().bytes(), "vmlinux"));

describe("a program of an object", () => {
  const object = new BpfObject(example("switch-watch"));
  const [of] = object.functions;
  const relocations = object.program(of!).coreRelocations();

  it.each(VARIANTS)("is relocated for a kernel as by %s", (variant) => {
    const { insns, poisoned, attachTarget } = relocate(object, of!, kernel(), variant);
    const offsets = new Map([
      ["0:0", 1000],
      ["0:1", 500],
      ["0:2", 1504],
    ]);
    const rows = rowsOf(insns);
    expect(relocations.length).toBeGreaterThan(3);
    expect(relocations.map(({ slot }) => rows[slot]![3])).toEqual(relocations.map(({ access }) => offsets.get(access)));
    expect(poisoned).toEqual([]);
    expect(attachTarget).toEqual({
      name: "sched_switch",
      found: { id: 4, module: null, member: null },
      inProgram: false,
    });
  });

  it.each(VARIANTS)("has invalid calls on a kernel without its types by %s", (variant) => {
    const { insns, poisoned, attachTarget } = relocate(object, of!, empty, variant);
    expect(poisoned).toEqual(relocations.map(({ slot }) => slot));
    expect(poisoned.map((slot) => rowsOf(insns)[slot])).toEqual(poisoned.map(() => BAD_RELO));
    expect(attachTarget?.found).toBeNull();
  });

  it("keeps its instructions before relocation", () => {
    const before = Buffer.from(object.program(of!).linked.insns);
    for (const variant of VARIANTS) relocate(object, of!, kernel(), variant);
    expect(object.program(of!).linked.insns).toEqual(new Uint8Array(before));
  });

  it("of another byte order than the kernel's is rejected", () => {
    const big = new BpfObject(example("xdp-steer.be"));
    expect(() => relocate(big, big.functions[0]!, kernel(), "libbpf-1.5")).toThrow(
      expect.objectContaining({ code: "CORE_BYTE_ORDER" }),
    );
    expect(relocate(big, big.functions[0]!, kernel("big"), "libbpf-1.5").digest).toMatch(/^[0-9a-f]{64}$/);
  });
});

/** An object with one program and, in `.text`, a function that nothing calls and that has the wrong offset. */
function withUnusedFunction(): BpfObject {
  const btf = new BtfWriter();
  const struct = btf.struct("s", 8, [["a", btf.int("unsigned int", 4), 32]]);
  const [text, access] = [btf.string(".text"), btf.string("0:0")];
  const words = (...all: readonly number[]) => Buffer.from(Uint32Array.from(all).buffer);
  const records = words(16, text, 1, 0, struct, access, RELO.FIELD_BYTE_OFFSET);
  const ext = Buffer.concat([words(0x0001eb9f, 32, 0, 0, 0, 0, 0, records.length), records]);
  const code = { type: 1, flags: 6 };
  return new BpfObject(
    elfOf(
      { name: ".strtab", type: 3, data: Buffer.from("\0main\0unused\0") },
      {
        ...{ name: ".symtab", type: 2, link: 1, info: 2 },
        data: Buffer.concat([Buffer.alloc(24), symbolOf(6, 2, 4, 0, 16), symbolOf(1, 18, 3, 0, 16)]),
      },
      { name: "xdp", ...code, data: insnsOf([[MOV, 0, 0, 0, 2], [0x95]]) },
      { name: ".text", ...code, data: insnsOf([[LDX_W, 0, 1, 0], [0x95]]) },
      { name: ".BTF", type: 1, data: btf.bytes() },
      { name: ".BTF.ext", type: 1, data: ext },
    ),
  );
}

describe("a function that no program calls", () => {
  it("prevents the load of all programs if libbpf cannot relocate it", () => {
    const object = withUnusedFunction();
    const [of] = object.functions;
    expect(() => relocate(object, of!, empty, "libbpf-1.5")).not.toThrow();
    const kernelOf = (write: (btf: BtfWriter) => void) => {
      const btf = new BtfWriter();
      write(btf);
      return new Kernel(new Btf(btf.bytes(), "vmlinux"));
    };
    const known = kernelOf((btf) => btf.struct("s", 8, [["a", btf.int("unsigned int", 4), 0]]));
    expect(() => relocate(object, of!, known, "libbpf-1.5")).toThrow(
      expect.objectContaining({ code: "CORE_MALFORMED", place: "program unused: instruction 0: struct s.a" }),
    );
    expect(() => relocate(object, of!, known, "cilium")).not.toThrow();
  });
});
