import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { Kernel } from "../../../../src/bpf/core/kernel.js";

function kernel() {
  const vmlinux = new BtfWriter();
  const int = vmlinux.int("int", 4);
  const here = vmlinux.struct("here", 4, [["a", int, 0]]);
  const flavour = vmlinux.struct("here___2", 4, [["a", int, 0]]);
  vmlinux.type("here", "fwd", 0);
  const wide = vmlinux.enum64("state", [["A", 1n]]);
  const first = new BtfWriter("little", vmlinux);
  const there = first.struct("there", 4, [["a", int, 0]]);
  first.struct("here", 8, []);
  const second = new BtfWriter("little", vmlinux);
  second.int("padding", 2);
  const also = second.struct("there", 4, [["a", int, 0]]);
  const func = second.func("only_there", second.proto(0, []));
  const btf = new Btf(vmlinux.bytes(), "vmlinux");
  const modules = [first, second].map((module, index) => ({
    name: `module${index}`,
    btf: new Btf(module.bytes(), `module${index}`, btf),
  }));
  return { kernel: new Kernel(btf, modules), here, flavour, there, also, wide, func };
}

describe("the candidates of a type", () => {
  const { kernel: its, here, flavour, there, also, wide } = kernel();
  const found = (kind: "struct" | "union" | "enum" | "fwd", name: string) =>
    its.candidates(kind, name).map(({ id, module }) => [id, module]);

  it("are the types of vmlinux with its kind and essential name", () => {
    expect(found("struct", "here___mine")).toEqual([
      [here, null],
      [flavour, null],
    ]);
    expect(found("union", "here")).toEqual([]);
    expect(found("fwd", "here")).toHaveLength(1);
  });

  it("are those of all modules if vmlinux has none", () => {
    expect(found("struct", "there")).toEqual([
      [there, "module0"],
      [also, "module1"],
    ]);
  });

  it("are enums of any size for an enum", () => {
    expect(found("enum", "state")).toEqual([[wide, null]]);
  });
});

describe("a kernel", () => {
  it("has a name of vmlinux, or of the first module that has it", () => {
    const { kernel: its, here, func } = kernel();
    expect(its.find("struct", "here")).toMatchObject({ id: here, module: null });
    expect(its.find("func", "only_there")).toMatchObject({ id: func, module: "module1" });
    expect(its.find("func", "nowhere")).toBeNull();
  });

  it("has no modules of another kernel", () => {
    const { kernel: its } = kernel();
    const other = new Btf(new BtfWriter().bytes());
    expect(() => new Kernel(other, its.modules)).toThrow(expect.objectContaining({ code: "CORE_MALFORMED" }));
  });
});

describe("the size of a kernel's pointers", () => {
  const withLongs = (...longs: readonly (readonly [name: string, size: number])[]) => {
    const writer = new BtfWriter();
    for (const [name, size] of longs) writer.int(name, size);
    writer.struct("here", 4, []);
    const its = new Kernel(new Btf(writer.bytes(), "vmlinux"));
    return () => its.candidates("struct", "here").length;
  };

  it.each(
    [
      ["long", "long int", "int long", "unsigned long", "long unsigned", "unsigned long int", "unsigned int long"],
      ["long unsigned int", "long int unsigned", "int unsigned long", "int long unsigned"],
    ].flat(),
  )("is that of `%s`: the types of a 32-bit kernel are rejected", (name) => {
    expect(withLongs(["int", 4], [name, 4])).toThrow(
      expect.objectContaining({ code: "CORE_UNSUPPORTED", message: expect.stringContaining("of a 32-bit kernel") }),
    );
    expect(withLongs(["int", 4], [name, 8])()).toBe(1);
  });

  it("is 8 without such a type, and that of the first one of 4 or 8 bytes", () => {
    expect(withLongs(["int", 4], ["long long int", 4], ["unsigned int", 4])()).toBe(1);
    expect(withLongs(["long int", 2], ["long unsigned int", 8], ["long", 4])()).toBe(1);
    expect(withLongs(["long int", 2], ["long unsigned int", 4], ["long", 8])).toThrow("of a 32-bit kernel");
  });
});
