import { describe, expect, it } from "vitest";
import { BpfObject } from "../../../src/bpf/object.js";
import { example } from "../../support/examples.js";

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
