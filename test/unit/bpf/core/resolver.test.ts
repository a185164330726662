import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { Kernel } from "../../../../src/bpf/core/kernel.js";
import { ProgramRelocator } from "../../../../src/bpf/core/program.js";
import { RELO } from "../../../../src/bpf/core/relo-kind.js";
import {
  BAD_RELO,
  insnsOf,
  LDX_DW,
  LDX_W,
  MOV,
  relocated,
  relocatedInsn,
  rowsOf,
} from "../../../support/core-program.js";

/** A program's `struct node`, and a kernel that has several. `places` are those of its members in each, by name. */
function nodes(...places: readonly Readonly<Record<string, number>>[]) {
  const [local, vmlinux] = [new BtfWriter(), new BtfWriter()];
  const u32 = local.int("unsigned int", 4);
  const node = local.struct("node", 12, [
    ["a", u32, 0],
    ["b", u32, 32],
    ["c", u32, 64],
  ]);
  const its = vmlinux.int("unsigned int", 4);
  for (const at of places)
    vmlinux.struct(
      "node",
      64,
      Object.entries(at).map(([name, byte]) => [name, its, 8 * byte] as const),
    );
  return { btf: new Btf(local.bytes()), kernel: new Kernel(new Btf(vmlinux.bytes())), node };
}

describe("several types of one name", () => {
  it("are one if they agree on the field", () => {
    const { btf, kernel, node } = nodes({ a: 8, b: 16 }, { a: 8, b: 20 });
    expect(relocatedInsn(btf, kernel, [LDX_W, 1, 2, 0], { typeId: node, access: "0:0", kind: 0 })).toEqual([
      [LDX_W, 1, 2, 8, 0],
    ]);
  });

  it("are ambiguous if they do not, and both are named", () => {
    const { btf, kernel, node } = nodes({ a: 8 }, { a: 12 });
    const relocate = () => relocatedInsn(btf, kernel, [LDX_W, 1, 2, 0], { typeId: node, access: "0:0", kind: 0 });
    expect(relocate).toThrow(expect.objectContaining({ code: "CORE_AMBIGUOUS" }));
    expect(relocate).toThrow(/`struct node` \(type 2 of vmlinux\) .*`struct node` \(type 3 of vmlinux\)/);
  });

  it("are those with the field, if only some have it", () => {
    const { btf, kernel, node } = nodes({ a: 8 }, { b: 12 });
    expect(relocatedInsn(btf, kernel, [LDX_W, 1, 2, 4], { typeId: node, access: "0:1", kind: 0 })).toEqual([
      [LDX_W, 1, 2, 12, 0],
    ]);
  });

  it("are left out by later relocations of the program once they did not match", () => {
    const { btf, kernel, node } = nodes({ a: 8, c: 20 }, { b: 12, c: 24 });
    const relocations = ["0:1", "0:2", "0:0"].map((access, slot) => ({ slot, typeId: node, access, kind: 0 }));
    const insns = [[LDX_W, 1, 2, 4] as const, [LDX_W, 1, 2, 8] as const, [LDX_W, 1, 2, 0] as const];
    expect(rowsOf(relocated({ btf, kernel, insns, relocations }).insns)).toEqual([
      [LDX_W, 1, 2, 12, 0],
      [LDX_W, 1, 2, 24, 0],
      BAD_RELO,
    ]);
  });

  it("are the one with fewer misses to cilium/ebpf", () => {
    const { btf, kernel, node } = nodes({ a: 8, c: 20 }, { b: 12 });
    const relocations = ["0:1", "0:2", "0:0"].map((access, slot) => ({ slot, typeId: node, access, kind: 0 }));
    const insns = [[LDX_W, 1, 2, 4] as const, [LDX_W, 1, 2, 8] as const, [LDX_W, 1, 2, 0] as const];
    const { insns: result, poisoned } = relocated({ btf, kernel, insns, relocations, variant: "cilium" });
    expect(rowsOf(result)).toEqual([BAD_RELO, [LDX_W, 1, 2, 20, 0], [LDX_W, 1, 2, 8, 0]]);
    expect(poisoned).toEqual([0]);
  });
});

/** A program's types that a kernel has in another form, each as [local, kernel's]. */
function pair(write: (btf: BtfWriter, isKernel: boolean) => number) {
  const [local, vmlinux] = [new BtfWriter(), new BtfWriter()];
  const id = write(local, false);
  write(vmlinux, true);
  return { btf: new Btf(local.bytes()), kernel: new Kernel(new Btf(vmlinux.bytes())), id };
}

describe("a load of an array", () => {
  const { btf, kernel, id } = pair((to, isKernel) => {
    const u32 = to.int("unsigned int", 4);
    return to.struct("table", 64, [["rows", to.array(u32, isKernel ? 8 : 4), 64]]);
  });
  const load = (variant: "libbpf-1.5" | "libbpf-1.6") =>
    relocatedInsn(btf, kernel, [LDX_W, 1, 2, 8], { typeId: id, access: "0:0", kind: 0 }, variant);

  it("of another length must not run since libbpf 1.5 compares the size of the whole", () => {
    expect(load("libbpf-1.5")).toEqual([BAD_RELO]);
  });

  it("of another length is one of an element since libbpf 1.6", () => {
    expect(load("libbpf-1.6")).toEqual([[LDX_W, 1, 2, 8, 0]]);
  });
});

describe("a match of types", () => {
  type Write = (btf: BtfWriter, isKernel: boolean) => number;
  const matches = (write: Write) => {
    const { btf, kernel, id } = pair(write);
    const [insn] = relocatedInsn(btf, kernel, [MOV, 1, 0, 0, 1], {
      typeId: id,
      access: "0",
      kind: RELO.TYPE_MATCHES,
    });
    return insn![4] === 1;
  };

  it.each<[string, boolean, Write]>([
    [
      "has more members",
      true,
      (to, isKernel) => {
        const int = to.int("int", 4, { encoding: 1 });
        return to.struct("s", 8, [["a", int, 0], ...(isKernel ? [["b", int, 32] as const] : [])]);
      },
    ],
    [
      "has a member of another size",
      false,
      (to, isKernel) => to.struct("s", 8, [["a", to.int("int", isKernel ? 8 : 4), 0]]),
    ],
    [
      "has a pointer to a struct of other members",
      true,
      (to, isKernel) => {
        const other = to.struct("other", 4, isKernel ? [] : [["x", to.int("int", 4), 0]]);
        return to.struct("s", 8, [["p", to.ptr(other), 0]]);
      },
    ],
    [
      "has a pointer to a forward declaration",
      true,
      (to, isKernel) =>
        to.struct("s", 8, [["p", to.ptr(isKernel ? to.type("o", "fwd", 0) : to.struct("o", 4, [])), 0]]),
    ],
    [
      "has a pointer to a forward declaration of a union",
      false,
      (to, isKernel) => {
        const to_ = isKernel ? to.type("o", "fwd", 0, [], 0, true) : to.struct("o", 4, []);
        return to.struct("s", 8, [["p", to.ptr(to_), 0]]);
      },
    ],
    [
      "has an array of another length",
      false,
      (to, isKernel) => to.struct("s", 8, [["a", to.array(to.int("int", 4), isKernel ? 2 : 1), 0]]),
    ],
    [
      "has a function of another number of parameters",
      false,
      (to, isKernel) => {
        const int = to.int("int", 4);
        const proto = to.proto(int, isKernel ? [["a", int]] : []);
        return to.struct("s", 8, [["f", to.ptr(proto), 0]]);
      },
    ],
    [
      "has an enum of 64 bits with the same names",
      true,
      (to, isKernel) => (isKernel ? to.enum64("e", [["A", 5n]]) : to.enum("e", [["A", 1]], 8)),
    ],
  ])("of a kernel that %s is %s", (_, expected, write) => {
    expect(matches(write)).toBe(expected);
  });
});

describe("types that contain each other", () => {
  it("end at a limit of steps, and not after 2^32 of them", { tags: ["deep"] }, () => {
    const { btf, kernel, id } = pair((to) => {
      let inner = to.struct("s0", 4, [["x", to.int("int", 4), 0]]);
      for (let level = 1; level < 31; level++)
        inner = to.struct(`s${level}`, 4, [
          ["a", inner, 0],
          ["b", inner, 0],
        ]);
      return inner;
    });
    const relocate = () =>
      relocatedInsn(btf, kernel, [MOV, 1, 0, 0, 1], { typeId: id, access: "0", kind: RELO.TYPE_MATCHES });
    expect(relocate).toThrow(/more than \d+ steps/);
  });

  it("in anonymous members end there too", { tags: ["deep"] }, () => {
    const { btf, kernel, id } = pair((to, isKernel) => {
      const u32 = to.int("unsigned int", 4);
      if (!isKernel) return to.struct("s", 4, [["gone", u32, 0]]);
      let inner = to.struct("", 4, [["x", u32, 0]]);
      for (let level = 1; level < 30; level++)
        inner = to.struct(level === 29 ? "s" : "", 4, [
          ["", inner, 0],
          ["", inner, 0],
        ]);
      return inner;
    });
    const relocate = () => relocatedInsn(btf, kernel, [LDX_DW, 1, 2, 0], { typeId: id, access: "0:0", kind: 0 });
    expect(relocate).toThrow(/more than \d+ steps/);
  });
});

describe("the relocations of a whole object", () => {
  const { btf, kernel, node } = nodes({ a: 8, c: 20 }, { b: 12, c: 24 });
  const at = (access: string) => ({ slot: 0, typeId: node, access, kind: RELO.FIELD_BYTE_OFFSET });
  /** Offsets of the members of the local type. */
  const OFFSETS: Readonly<Record<string, number>> = { "0:0": 0, "0:1": 4, "0:2": 8 };
  const relocate = (accesses: readonly string[], position: number, offset: number, offsets = OFFSETS) => {
    const sequence = accesses.map((access) => ({
      ...at(access),
      insns: insnsOf([[LDX_W, 1, 2, offsets[access] ?? 0]]),
    }));
    const object = { order: "little", btf, externs: [], sequence } as const;
    const relocated = new ProgramRelocator(object, kernel, "libbpf-1.5").relocate({
      name: "probe",
      insns: insnsOf([[LDX_W, 1, 2, offset]]),
      functions: [{ name: "probe", start: 0 }],
      relocations: [{ ...at(accesses[position]!), position }],
      externReferences: [],
    });
    return rowsOf(relocated.insns)[0];
  };

  it("leave out candidates for each other, in libbpf's order", () => {
    expect(relocate(["0:1", "0:2"], 1, 8)).toEqual([LDX_W, 1, 2, 24, 0]);
    expect(relocate(["0:0", "0:2"], 1, 8)).toEqual([LDX_W, 1, 2, 20, 0]);
    expect(relocate(["0:1", "0:0"], 1, 0)).toEqual(BAD_RELO);
  });

  it("are those of each program alone if one cannot be resolved", () => {
    expect(relocate(["0:1", "0:0", "0:99"], 1, 0)).toEqual([LDX_W, 1, 2, 8, 0]);
  });

  it("are those of each program alone if the instruction of another does not have the value of its types", () => {
    expect(relocate(["0:1", "0:0"], 1, 0, { ...OFFSETS, "0:1": 5 })).toEqual([LDX_W, 1, 2, 8, 0]);
  });
});
