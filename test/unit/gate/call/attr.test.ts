import { describe, expect, it } from "vitest";
import { Attr } from "../../../../src/gate/call/attr.js";

/** `size` bytes, of which each differs from the next one, with the highest bit set in some. */
const bytesOf = (size: number) => Uint8Array.from({ length: size }, (_, index) => (index * 37 + 128) & 0xff);

describe("a copy of bpf_attr", () => {
  it.each([0, 1, 7, 40, 41, 168, 170, 4096])("reads each field as it is in the %i bytes of the task", (size) => {
    const attr = new Attr(size, 168, bytesOf(size));
    const padded = new Uint8Array(Math.max(size, 168));
    padded.set(bytesOf(size));
    const view = new DataView(padded.buffer);
    expect(attr.bytes).toEqual(padded);
    for (let at = 0; at < 168; at += 4) {
      expect(attr.u32(at)).toBe(view.getUint32(at, true));
      expect(attr.s32(at)).toBe(view.getInt32(at, true));
      if (at % 8 === 0) expect(attr.u64(at)).toBe(view.getBigUint64(at, true));
    }
  });

  it.each([
    ...[0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, 0x7fff_ffff_f000n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n],
    ...[0xffff_ffff_ffff_f000n, 2n ** 64n - 1n],
  ])("keeps %i", (value) => {
    const attr = new Attr(16, 16);
    attr.setU64(8, value);
    expect(attr.u64(8)).toBe(value);
    expect(new DataView(attr.bytes.buffer, attr.bytes.byteOffset).getBigUint64(8, true)).toBe(value);
    expect(attr.points(8)).toBe(value !== 0n);
    attr.clearPointer(8);
    expect(attr.bytes).toEqual(new Uint8Array(16));
  });

  it("takes an address of the gate for a pointer", () => {
    const attr = new Attr(16, 16);
    attr.setPointer(8, 0x7fff_89ab_cdef);
    expect(attr.u64(8)).toBe(0x7fff_89ab_cdefn);
  });

  it("reads a name up to its NUL, or all 16 bytes", () => {
    expect(new Attr(16, 16).name(0)).toBe("");
    expect(new Attr(16, 16, Buffer.from("probe\0rest")).name(0)).toBe("probe");
    expect(new Attr(16, 16, Buffer.from("0123456789abcdef")).name(0)).toBe("0123456789abcdef");
  });
});
