/**
 * Bytes of the stack that a program reads: without an effect if they are surely written, else reads_kernel_memory.
 * Every case is a pair or a table of both.
 */
import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf, mapOf } from "../../../../src/bpf/assembly/assembly.js";

const maps = {
  small: mapOf("small", { key_size: 4, value_size: 8 }),
  large: mapOf("large", { key_size: 4, value_size: 64 }),
  events: mapOf("events", { type: "perf_event_array", key_size: 4, value_size: 4 }),
  ring: mapOf("ring", { type: "ringbuf", key_size: 0, value_size: 0 }),
};

/** Why a program reads kernel memory; empty if it does not. */
function reads(text: string, type = "xdp"): string[] {
  const { evidence } = effectsOf(codeOf(text, { type, maps }));
  return evidence.filter(({ effect }) => effect === "reads_kernel_memory").map(({ because }) => because);
}

const NONE: string[] = [];
const KEY = "*(u32 *)(r10 - 4) = 0";
/** Copies `value_size` bytes from r10 + `from` into a map. */
const update = (map: string, from: number) =>
  `r1 = map ${map}; r2 = r10; r2 += -4; r3 = r10; r3 += ${from}; r4 = 0; call bpf_map_update_elem`;
const END = "r0 = 0; exit";

describe("a load from the stack", () => {
  it.each([
    ["of bytes that were stored", "*(u64 *)(r10 - 8) = 1; r2 = *(u64 *)(r10 - 8)"],
    ["of a part of them", "*(u64 *)(r10 - 8) = 1; r2 = *(u16 *)(r10 - 5)"],
    ["of two stores next to each other", "*(u32 *)(r10 - 8) = 1; *(u32 *)(r10 - 4) = 1; r2 = *(u64 *)(r10 - 8)"],
    ["of a register that was spilled", "*(u64 *)(r10 - 8) = r1; r2 = *(u64 *)(r10 - 8)"],
    ["by a copy of the frame pointer", "r3 = r10; r3 += -8; *(u64 *)(r3 + 0) = 1; r2 = *(u64 *)(r10 - 8)"],
    ["by an atomic operation on what was stored", "*(u64 *)(r10 - 8) = 1; r2 = 1; lock *(u64 *)(r10 - 8) += r2"],
  ])("%s has no effect", (_, text) => {
    expect(reads(`${text}; ${END}`)).toEqual(NONE);
  });

  it.each([
    ["of bytes that nothing stored", "r2 = *(u64 *)(r10 - 8)", "bytes -8 to -1"],
    ["of one byte too many", "*(u16 *)(r10 - 4) = 1; *(u8 *)(r10 - 2) = 1; r2 = *(u32 *)(r10 - 4)", "byte -1"],
    ["of bytes beside those", "*(u64 *)(r10 - 16) = 1; r2 = *(u8 *)(r10 - 8)", "byte -8"],
    ["across the end of a store", "*(u32 *)(r10 - 8) = 1; r2 = *(u64 *)(r10 - 8)", "bytes -4 to -1"],
    ["by an atomic addition", "r2 = 1; lock *(u64 *)(r10 - 8) += r2", "bytes -8 to -1"],
    [
      "after a store to one of several places",
      `*(u8 *)(r10 - 3) = 1; r2 = *(u32 *)(r1 + 12); r3 = r10; r3 += -4; r3 += r2;
      *(u8 *)(r3 + 0) = 1; r2 = *(u8 *)(r10 - 4)`,
      "byte -4",
    ],
    [
      "from a place that is not known",
      "*(u64 *)(r10 - 8) = 1; r2 = *(u32 *)(r1 + 12); r3 = r10; r3 += r2; r2 = *(u8 *)(r3 - 8)",
      "bytes -512 to -9",
    ],
  ])("%s reads what the kernel left there", (_, text, bytes) => {
    const because = reads(`${text}; ${END}`);
    expect(because.join()).toContain(`${bytes} of its stack`);
  });

  it("counts what is written on every path, and not what is written on one", () => {
    const one = "r2 = *(u32 *)(r1 + 12); if r2 == 7 goto out; *(u64 *)(r10 - 8) = 1; out: r2 = *(u64 *)(r10 - 8)";
    expect(reads(`${one}; ${END}`)).toEqual([
      "reads bytes -8 to -1 of its stack, which it does not write on every path",
    ]);
    const both = `r2 = *(u32 *)(r1 + 12); if r2 == 7 goto other; *(u64 *)(r10 - 8) = 1; goto out;
      other: *(u64 *)(r10 - 8) = 2; out: r2 = *(u64 *)(r10 - 8)`;
    expect(reads(`${both}; ${END}`)).toEqual(NONE);
  });

  it("counts what a loop wrote before, and not what it writes in rounds that may be none", () => {
    const before = `*(u64 *)(r10 - 8) = 0; r6 = *(u32 *)(r1 + 12); next: r2 = *(u64 *)(r10 - 8); r6 += -1;
      if r6 != 0 goto next; ${END}`;
    expect(reads(before)).toEqual(NONE);
    const rounds = `r6 = *(u32 *)(r1 + 12); next: if r6 == 0 goto out; *(u64 *)(r10 - 8) = 0; r6 += -1; goto next;
      out: r2 = *(u64 *)(r10 - 8); ${END}`;
    expect(reads(rounds)).toHaveLength(1);
  });

  it("of 512 bytes has a place for the first and the last", () => {
    expect(
      reads(`*(u8 *)(r10 - 512) = 1; *(u8 *)(r10 - 1) = 1; r2 = *(u8 *)(r10 - 512); r2 = *(u8 *)(r10 - 1); ${END}`),
    ).toEqual(NONE);
    expect(
      reads(`*(u8 *)(r10 - 512) = 1; *(u8 *)(r10 - 1) = 1; r2 = *(u8 *)(r10 - 511); r2 = *(u8 *)(r10 - 2); ${END}`),
    ).toHaveLength(2);
  });
});

describe("what a helper reads", () => {
  it.each([
    ["a map's key", "r1 = map small; r2 = r10; r2 += -4; call bpf_map_lookup_elem", "bytes -4 to -1"],
    ["a map's value", `${KEY}; ${update("small", -16)}`, "bytes -16 to -9"],
    [
      "an event",
      `r6 = r1; ${KEY}; r1 = r6; r2 = map events; r3 = 0; r4 = r10; r4 += -16; r5 = 16; call bpf_perf_event_output`,
      "bytes -16 to -5",
    ],
    ["a record", "r1 = map ring; r2 = r10; r2 += -8; r3 = 8; r4 = 0; call bpf_ringbuf_output", "bytes -8 to -1"],
    ["what it compares", "r1 = r10; r1 += -8; r2 = 8; r3 = r10; r3 += -8; call bpf_strncmp", "bytes -8 to -1"],
    [
      "what it writes into the packet",
      "r6 = r1; r2 = 0; r3 = r10; r3 += -8; r4 = 4; call bpf_xdp_store_bytes",
      "bytes -8 to -5",
    ],
  ])("counts with its size: %s", (_, text, bytes) => {
    expect(reads(`${text}; ${END}`).join()).toContain(`read ${bytes} of its stack`);
  });

  it("is no effect if all of it was written, whatever is beside it", () => {
    expect(reads(`${KEY}; *(u64 *)(r10 - 16) = 1; ${update("small", -16)}; ${END}`)).toEqual(NONE);
    expect(reads(`${KEY}; *(u64 *)(r10 - 16) = 1; ${update("large", -16)}; ${END}`)).toHaveLength(1);
  });

  it("is nothing if its size is 0", () => {
    expect(reads(`r1 = r10; r1 += -8; r2 = 0; r3 = 0; r4 = 0; r5 = 0; call bpf_csum_diff; ${END}`)).toEqual(NONE);
  });

  it("is as much as its size may be, and the rest of the frame if that is not known", () => {
    const text = (size: string) =>
      `r6 = *(u32 *)(r1 + 12); *(u64 *)(r10 - 16) = 0; r1 = map ring; r2 = r10; r2 += -16; r3 = r6; ${size}; r4 = 0;
      call bpf_ringbuf_output; ${END}`;
    expect(reads(text("r3 &= 7"))).toEqual(NONE);
    expect(reads(text("r3 &= 15"))).toHaveLength(1);
    expect(reads(text("r3 += 0"))).toHaveLength(1);
  });

  it("names padding, and what to do about it", () => {
    const text = `${KEY}; *(u64 *)(r10 - 72) = 0; *(u32 *)(r10 - 64) = 0; ${[7, 6, 5, 4, 3, 2].map((at) => `*(u64 *)(r10 - ${8 * at}) = 0`).join("; ")}; *(u64 *)(r10 - 16) = 0`;
    expect(reads(`${text}; ${update("large", -72)}; ${END}`)).toEqual([
      "lets `bpf_map_update_elem` read bytes -60 to -57 of its stack, which nothing wrote (padding: clear the whole structure before its fields are set)",
    ]);
  });
});

describe("a map that may be one of several", () => {
  const text = (
    stored: number,
  ) => `r6 = *(u32 *)(r1 + 12); ${KEY}; ${Array.from({ length: stored }, (_, at) => `*(u64 *)(r10 - ${72 - 8 * at}) = 0`).join("; ")};
    r1 = map small; if r6 == 0 goto other; r1 = map large; other: r2 = r10; r2 += -4; r3 = r10; r3 += -72; r4 = 0;
    call bpf_map_update_elem; ${END}`;

  it("counts with the larger value", () => {
    expect(reads(text(8))).toEqual(NONE);
    expect(reads(text(7)).join()).toContain("bytes -16 to -9");
    expect(reads(text(1)).join()).toContain("bytes -64 to -9");
  });
});
