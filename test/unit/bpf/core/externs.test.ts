import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import type { KernelExtern } from "../../../../src/bpf/core/externs.js";
import { Kallsyms } from "../../../../src/bpf/core/kallsyms.js";
import { Kernel } from "../../../../src/bpf/core/kernel.js";
import { CALL, type Insn, LD_IMM64, relocated, rowsOf } from "../../../support/core-program.js";

const KALLSYMS = `ffffffff81000000 T _stext
ffffffff81000010 D jiffies
ffffffff81000020 d twice
ffffffff81000030 d twice\t[module]
ffffffff81000040 d inlined.llvm.123456
ffffffff81000050 D jiffies_64
`;

function setting(kallsyms: string | null = KALLSYMS) {
  const [local, vmlinux] = [new BtfWriter(), new BtfWriter()];
  vmlinux.int("padding", 2);
  const [int, its] = [local, vmlinux].map((btf) => btf.int("int", 4, { encoding: 1 })) as [number, number];
  const proto = local.proto(int, [["a", int]]);
  const kernelProto = vmlinux.proto(its, [["a", its]]);
  const kfunc = vmlinux.func("kfunc", kernelProto);
  const other = vmlinux.func("other", vmlinux.proto(its, []));
  const runqueue = vmlinux.var("runqueue", its);
  const modules = ["zeta", "alpha"].map((name) => {
    const btf = new BtfWriter("little", vmlinux);
    const func = btf.func(`${name}_func`, kernelProto);
    btf.func("both", kernelProto);
    return { name, btf, func, variable: btf.var(`${name}_var`, its) };
  });
  const base = new Btf(vmlinux.bytes());
  const split = modules.map(({ name, btf }) => ({ name, btf: new Btf(btf.bytes(), name, base) }));
  const symbols = kallsyms === null ? null : new Kallsyms(Buffer.from(kallsyms));
  const kernel = new Kernel(base, split, symbols);
  return { btf: new Btf(local.bytes()), kernel, int, proto, kfunc, other, runqueue, modules };
}

const its = setting();
const func = (name: string, weak = false): KernelExtern => ({ name, kind: "kfunc", typeId: its.proto, weak });
const variable = (name: string, weak = false): KernelExtern => ({ name, kind: "ksym", typeId: its.int, weak });
const untyped = (name: string, weak = false): KernelExtern => ({ name, kind: "ksym", typeId: 0, weak });

/** A program with one reference to each extern: a call of each function, a load of each variable's address. */
function program(externs: readonly KernelExtern[], kernel = its.kernel) {
  const insns: Insn[] = [];
  const externReferences = externs.flatMap(({ kind }, extern) => {
    if (kind === "kconfig") return [];
    const slot = insns.length;
    if (kind === "kfunc") insns.push([CALL, 0, 2, 0, 0]);
    else insns.push([LD_IMM64, 1, externs[extern]!.typeId === 0 ? 0 : 3], [0]);
    return [{ slot, extern, call: kind === "kfunc" }];
  });
  const result = relocated({ btf: its.btf, kernel, insns, externs, externReferences });
  return { ...result, rows: rowsOf(result.insns) };
}

describe("a call of a kernel function", () => {
  it("has its BTF id", () => {
    expect(program([func("kfunc")]).rows).toEqual([[CALL, 0, 2, 0, its.kfunc]]);
    expect(program([func("kfunc___flavour")]).rows).toEqual([[CALL, 0, 2, 0, its.kfunc]]);
  });

  it("of a module has the module's place in fd_array, in the order of all functions", () => {
    const { rows, modules, tag } = program([func("alpha_func"), func("both"), func("kfunc"), func("zeta_func")]);
    const [zeta, alpha] = its.modules.map(({ func }) => func) as [number, number];
    expect(rows.map(([, , , off, imm]) => [off, imm])).toEqual([
      [1, alpha],
      [2, zeta + 1],
      [0, its.kfunc],
      [2, zeta],
    ]);
    expect(modules).toEqual([
      { slot: 0, module: "alpha", index: 1 },
      { slot: 1, module: "zeta", index: 2 },
      { slot: 3, module: "zeta", index: 2 },
    ]);
    expect(tag).not.toBeNull();
  });

  it("that is weak and missing is invalid, with its number among all externs", () => {
    const kconfig: KernelExtern = { name: "CONFIG_HZ", kind: "kconfig", typeId: its.int, weak: false };
    const { rows, poisoned } = program([kconfig, func("kfunc"), func("missing", true)]);
    expect(rows).toEqual([
      [CALL, 0, 2, 0, its.kfunc],
      [CALL, 0, 0, 0, 2_002_000_002],
    ]);
    expect(poisoned).toEqual([1]);
  });

  it("that is weak and has another type is invalid", () => {
    expect(program([func("other", true)]).rows).toEqual([[CALL, 0, 0, 0, 2_002_000_000]]);
  });

  it.each([func("missing"), func("other"), variable("missing"), { ...variable("runqueue", true), typeId: its.proto }])(
    "or variable that is missing or has another type prevents the load: %o",
    (extern) => {
      expect(() => program([extern])).toThrow(
        expect.objectContaining({ code: "CORE_UNRESOLVED", place: `program probe: extern ${extern.name}` }),
      );
    },
  );
});

describe("the address of a kernel variable", () => {
  it("is that of its BTF id", () => {
    expect(program([variable("runqueue")]).rows).toEqual([
      [LD_IMM64, 1, 3, 0, its.runqueue],
      [0, 0, 0, 0, 0],
    ]);
  });

  it("of a module has an fd, so that the kernel's tag is not known", () => {
    const { rows, modules, tag } = program([variable("alpha_var")]);
    expect(rows[0]).toEqual([LD_IMM64, 1, 3, 0, its.modules[1]!.variable]);
    expect(modules).toEqual([{ slot: 0, module: "alpha", index: null }]);
    expect(tag).toBeNull();
  });

  it("that is weak and missing is zero", () => {
    expect(program([variable("missing", true)]).rows).toEqual([
      [LD_IMM64, 1, 0, 0, 0],
      [0, 0, 0, 0, 0],
    ]);
  });

  it("without a type is that of kallsyms", () => {
    expect(program([untyped("jiffies"), untyped("inlined")]).rows).toEqual([
      [LD_IMM64, 1, 0, 0, 0x81000010 | 0],
      [0, 0, 0, 0, -1],
      [LD_IMM64, 1, 0, 0, 0x81000040 | 0],
      [0, 0, 0, 0, -1],
    ]);
  });

  it("without a type is zero if it is weak and missing, and an error if it is not weak", () => {
    expect(program([untyped("missing", true)]).rows[0]).toEqual([LD_IMM64, 1, 0, 0, 0]);
    expect(() => program([untyped("missing")])).toThrow(expect.objectContaining({ code: "CORE_UNRESOLVED" }));
  });

  it("without a type that occurs twice is ambiguous", () => {
    expect(() => program([untyped("twice")])).toThrow(expect.objectContaining({ code: "CORE_AMBIGUOUS" }));
  });

  it("without a type needs kallsyms", () => {
    const { kernel } = setting(null);
    expect(() => program([untyped("jiffies")], kernel)).toThrow(
      expect.objectContaining({ code: "CORE_NEEDS_KALLSYMS", place: "program probe: instruction 0" }),
    );
  });

  it("with a type is taken for found in kallsyms, if these are read for another symbol", () => {
    expect(program([variable("jiffies_64", true)]).rows[0]).toEqual([LD_IMM64, 1, 0, 0, 0]);
    expect(program([untyped("jiffies"), variable("jiffies_64", true)]).rows[2]).toEqual([LD_IMM64, 1, 3, 0, 0]);
  });
});

describe("cilium/ebpf", () => {
  const calls = (externs: readonly KernelExtern[], order: readonly number[]) => {
    const insns = order.map((): Insn => [CALL, 0, 2, 0, 0]);
    const externReferences = order.map((extern, slot) => ({ slot, extern, call: true }));
    const parts = { btf: its.btf, kernel: its.kernel, insns, externs, externReferences };
    return relocated({ ...parts, variant: "cilium" });
  };

  it("puts the BTF of a module into fd_array for each call", () => {
    const { insns, modules } = calls([func("alpha_func"), func("kfunc")], [0, 1, 0]);
    expect(rowsOf(insns).map(([, , , off, imm]) => [off, imm])).toEqual([
      [1, its.modules[1]!.func],
      [0, its.kfunc],
      [2, its.modules[1]!.func],
    ]);
    expect(modules.map(({ slot, index }) => [slot, index])).toEqual([
      [0, 1],
      [2, 2],
    ]);
  });

  it("has neither weak functions nor variables", () => {
    for (const externs of [[func("kfunc", true)], [func("kfunc"), variable("runqueue")]])
      expect(() => calls(externs, [0])).toThrow(expect.objectContaining({ code: "CORE_UNSUPPORTED" }));
    expect(() => calls([func("missing")], [0])).toThrow(expect.objectContaining({ code: "CORE_UNRESOLVED" }));
  });
});
