import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { BpfObject } from "../../../../src/bpf/object.js";
import { example } from "../../../support/examples.js";

const object = (name: string) => new BpfObject(example(name));

describe("BTF", () => {
  it.each(["switch-watch", "xdp-steer.be"])("of %s is read in its own byte order", (name) => {
    const { btf } = object(name);
    expect(btf!.find("struct", name === "switch-watch" ? "task_struct" : "xdp_md")).toBeGreaterThan(0);
  });

  it("gives members with their places", () => {
    const { btf } = object("switch-watch");
    const task = btf!.find("struct", "task_struct");
    expect(btf!.members(task).map(({ name, bit }) => [name, bit])).toEqual([
      ["pid", 0],
      ["prio", 32],
      ["real_parent", 64],
    ]);
    expect(btf!.size(task)).toBe(16);
    expect(btf!.kind(btf!.resolve(btf!.members(task)[2]!.type))).toBe("ptr");
  });

  it("gives functions with their parameters and linkage", () => {
    const { btf } = object("rate-limit");
    const take = btf!.find("func", "take");
    expect(btf!.linkage(take)).toBe(1);
    expect(btf!.parameters(btf!.target(take)).map(({ name }) => name)).toEqual(["bucket", "amount"]);
    expect(btf!.linkage(btf!.find("func", "earned"))).toBe(0);
  });

  it("knows the size of what a type describes", () => {
    const { btf } = object("rate-limit");
    const classes = [...btf!.all("var")].find((id) => btf!.name(id) === "classes")!;
    expect(btf!.sizeOf(classes)).toBe(16);
    expect(btf!.sizeOf(0)).toBe(0);
  });

  it("says that a type is not there instead of making one up", () => {
    const { btf } = object("switch-watch");
    expect(btf!.find("struct", "no_such_struct")).toBe(0);
    expect(() => btf!.kind(btf!.count)).toThrow(expect.objectContaining({ code: "BTF_MALFORMED" }));
  });
});

/** The BTF of a kernel, and that of a module over it. */
function split(order: "little" | "big" = "little") {
  const vmlinux = new BtfWriter(order);
  const int = vmlinux.int("int", 4, { encoding: 1 });
  const list = vmlinux.struct("list", 8, [["next", int, 0]]);
  const module = new BtfWriter(order, vmlinux);
  const own = module.struct("list___of_module", 16, [
    ["head", list, 0],
    ["next", int, 64],
  ]);
  const local = module.struct("local", 4, [["own", module.typedef("int", int), 0]]);
  const base = new Btf(vmlinux.bytes(), "vmlinux");
  return { base, split: new Btf(module.bytes(), "module", base), int, list, own, local };
}

describe.each(["little", "big"] as const)("split BTF of %s endian", (order) => {
  const { base, split: btf, int, list, own, local } = split(order);

  it("continues the ids and the strings of its base", () => {
    expect([base.count, btf.first, btf.count]).toEqual([3, 3, 6]);
    expect(btf.members(own)).toEqual([
      { name: "head", type: list, bit: 0, bits: 0 },
      { name: "next", type: int, bit: 64, bits: 0 },
    ]);
    expect([btf.name(own), btf.name(list), btf.name(int), btf.name(0)]).toEqual([
      "list___of_module",
      "list",
      "int",
      "",
    ]);
    expect([btf.size(list), btf.kind(int), btf.int(int)]).toEqual([8, "int", { encoding: 1, bit: 0, bits: 32 }]);
  });

  it("finds a name in the base first, and its own on request", () => {
    expect(btf.find("struct", "list")).toBe(list);
    expect(btf.findOwn("struct", "list")).toBe(0);
    expect(btf.findOwn("struct", "local")).toBe(local);
    expect(btf.find("struct", "list___of_module")).toBe(own);
    expect(base.find("struct", "local")).toBe(0);
  });

  it("gives its own types of an essential name as candidates", () => {
    expect([...base.candidates("list")]).toEqual([list]);
    expect([...btf.candidates("list___mine")]).toEqual([own]);
    expect([...base.candidates("list___mine")]).toEqual([list]);
    expect([...btf.candidates("int")].map((id) => btf.kind(id))).toEqual(["typedef"]);
    expect([...base.candidates("")]).toEqual([]);
  });

  it("is rejected over a base of the other byte order", () => {
    const other = split(order === "little" ? "big" : "little").base;
    const bytes = new BtfWriter(order).bytes();
    expect(() => new Btf(bytes, "module", other)).toThrow(expect.objectContaining({ code: "BTF_MALFORMED" }));
  });
});

describe("the types of a BTF", () => {
  it("are read at any place in memory", () => {
    const writer = new BtfWriter();
    const id = writer.struct("pair", 8, [["first", writer.int("int", 4), 0]]);
    const bytes = writer.bytes();
    for (const shift of [0, 1, 2, 3]) {
      const moved = Buffer.alloc(bytes.length + 8).subarray(shift, shift + bytes.length);
      bytes.copy(moved);
      expect(new Btf(moved).members(id)).toHaveLength(1);
    }
  });

  it("that share one long name beyond any kernel are rejected when names are looked up", () => {
    const writer = new BtfWriter();
    const long = "n".repeat(10_000);
    for (let i = 0; i < 1000; i++) writer.struct(long, 0, []);
    const btf = new Btf(writer.bytes());
    expect(() => btf.find("struct", "a")).toThrow(expect.objectContaining({ code: "BTF_MALFORMED" }));
  });
});
