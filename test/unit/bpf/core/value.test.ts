import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { localAccess } from "../../../../src/bpf/core/access.js";
import { ciliumFixup } from "../../../../src/bpf/core/cilium-fixup.js";
import { RELO } from "../../../../src/bpf/core/relo-kind.js";
import { Steps } from "../../../../src/bpf/core/steps.js";
import { relocationValue } from "../../../../src/bpf/core/value.js";

const KINDS = [RELO.FIELD_BYTE_OFFSET, RELO.FIELD_BYTE_SIZE, RELO.FIELD_LSHIFT_U64, RELO.FIELD_RSHIFT_U64] as const;

function bitField(order: "little" | "big", bit: number, bits: number, size = 4) {
  const writer = new BtfWriter(order);
  const typeId = writer.struct("s", 64, [["a", writer.int("unsigned int", size), bit, bits]]);
  return { btf: new Btf(writer.bytes()), typeId };
}

/**
 * A bit field of a 32-bit integer at a bit, with a width: how it is loaded, by the byte offset and size of the load,
 * and shifted left and then right in 64 bits.
 */
const FIELDS: readonly (readonly [bit: number, bits: number, little: readonly number[], big: readonly number[]])[] = [
  [0, 1, [0, 4, 63, 63], [0, 4, 32, 63]],
  [3, 5, [0, 4, 56, 59], [0, 4, 35, 59]],
  [31, 1, [0, 4, 32, 63], [0, 4, 63, 63]],
  [33, 7, [4, 4, 56, 57], [4, 4, 33, 57]],
  [30, 4, [0, 8, 30, 60], [0, 8, 30, 60]],
];

describe("a bit field", () => {
  it.each(FIELDS)("at bit %i of %i bits is loaded and shifted as libbpf does", (bit, bits, little, big) => {
    for (const [order, expected] of [
      ["little", little],
      ["big", big],
    ] as const) {
      const { btf, typeId } = bitField(order, bit, bits);
      const values = KINDS.map((kind) => {
        const access = localAccess(btf, { typeId, kind, access: "0:0" });
        return Number(relocationValue(kind, access, "libbpf-1.5")!.value);
      });
      expect(values).toEqual(expected);
    }
  });

  it("across two loads of 64 bits is not supported", () => {
    const { btf, typeId } = bitField("little", 60, 8);
    const what = { typeId, kind: RELO.FIELD_BYTE_OFFSET, access: "0:0" };
    expect(() => relocationValue(what.kind, localAccess(btf, what), "libbpf-1.5")).toThrow(
      expect.objectContaining({ code: "CORE_UNSUPPORTED" }),
    );
  });

  it("is read by cilium/ebpf from the integer before it", () => {
    const { btf, typeId } = bitField("little", 33, 7);
    const values = KINDS.map((kind) => {
      const relocation = { slot: 0, typeId, kind, access: "0:0" };
      return ciliumFixup(relocation, btf, { btf, id: typeId }, new Steps().begin()).to;
    });
    expect(values).toEqual([4, 4, 64 - 1 - 7, 57]);
  });
});
