import { describe, expect, it } from "vitest";
import { sha256, tagOf, zeroMapReferences } from "../../../../src/bpf/insn/digest.js";

const insns = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("a program's digest", () => {
  it("has the tag that the kernel gave to `r0 = 2; exit`", () => {
    expect(tagOf(sha256(insns("b7 00 00 00 02 00 00 00 95 00 00 00 00 00 00 00")))).toBe("614b434cd8324ecc");
  });

  it("leaves out the fds and offsets of maps, and nothing else", () => {
    const wide = (src: string) => insns(`18 ${src}1 00 00 05 00 00 00 00 00 00 00 07 00 00 00`);
    for (const src of ["1", "2"])
      expect(hex(zeroMapReferences(wide(src), "little"))).toBe(`18${src}1${"0".repeat(28)}`);
    for (const src of ["0", "3", "4", "5", "6"]) expect(zeroMapReferences(wide(src), "little")).toEqual(wide(src));
  });

  it("finds the source register in the other nibble on a big-endian machine", () => {
    const wide = insns("18 11 00 00 00 00 00 05 00 00 00 00 00 00 00 07");
    expect(hex(zeroMapReferences(wide, "big"))).toBe(`1811${"0".repeat(28)}`);
    expect(zeroMapReferences(insns("18 10 00 00 00 00 00 05 00 00 00 00 00 00 00 07"), "big")[7]).toBe(5);
  });

  it("copies instructions only if there is something to zero", () => {
    const without = insns("18 01 00 00 05 00 00 00 00 00 00 00 07 00 00 00");
    expect(zeroMapReferences(without, "little")).toBe(without);
    const map = insns("b7 00 00 00 02 00 00 00 18 11 00 00 05 00 00 00 00 00 00 00 07 00 00 00");
    for (const given of [map.slice(), Buffer.from(map)]) {
      expect(hex(zeroMapReferences(given, "little"))).toBe(`b70000000200000018110000${"0".repeat(24)}`);
      expect(hex(given)).toBe(hex(map));
    }
  });

  it("is not led astray by what looks like a load in the second half of one", () => {
    const odd = insns("18 01 00 00 05 00 00 00 18 11 00 00 07 00 00 00 b7 00 00 00 02 00 00 00");
    expect(zeroMapReferences(odd, "little")).toEqual(odd);
  });
});
