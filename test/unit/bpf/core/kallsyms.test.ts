import { describe, expect, it } from "vitest";
import { Kallsyms } from "../../../../src/bpf/core/kallsyms.js";

const TEXT = `ffffffff81000000 T startup_64
ffffffff81000010 D jiffies
ffffffff81000010 D jiffies_64
ffffffff81000020 t init_once
ffffffff81000030 t init_once
ffffffff81000040 d same
ffffffff81000040 d same
ffffffff81000050 d inlined.llvm.8462
ffffffff81000060 t code.llvm.8462
ffffffffc0000000 t of_module	[xfs]`;

describe("the symbols of a boot", () => {
  const kallsyms = new Kallsyms(Buffer.from(TEXT));

  it.each([
    ["startup_64", 0xffffffff81000000n],
    ["jiffies", 0xffffffff81000010n],
    ["of_module", 0xffffffffc0000000n],
    ["same", 0xffffffff81000040n],
    ["inlined", 0xffffffff81000050n],
    ["code", null],
    ["code.llvm.8462", 0xffffffff81000060n],
    ["jiff", null],
    ["D", null],
  ])("give `%s` the address %s", (name, address) => {
    expect(kallsyms.address(name)).toBe(address);
  });

  it("do not decide between several addresses of one name", () => {
    expect(() => kallsyms.address("init_once")).toThrow(expect.objectContaining({ code: "CORE_AMBIGUOUS" }));
  });
});
