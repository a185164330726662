/** Bytes of the stack that helpers and kfuncs fill: surely, if their result says so, or never surely. */
import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf, mapOf } from "../../../../src/bpf/assembly/assembly.js";

const maps = {
  own: mapOf("own", { key_size: 4, value_size: 8 }),
  ring: mapOf("ring", { type: "ringbuf", key_size: 0, value_size: 0 }),
  queue: mapOf("queue", { type: "queue", key_size: 0, value_size: 8 }),
  bloom: mapOf("bloom", { type: "bloom_filter", key_size: 0, value_size: 8 }),
};

function reads(text: string, type = "xdp"): string[] {
  const { evidence } = effectsOf(codeOf(text, { type, maps }));
  return evidence.filter(({ effect }) => effect === "reads_kernel_memory").map(({ because }) => because);
}

const NONE: string[] = [];
/** bpf_xdp_load_bytes fills its buffer only if it returns 0. */
const LOAD = "r6 = r1; r2 = 0; r3 = r10; r3 += -8; r4 = 8; call bpf_xdp_load_bytes";
const READ = "r2 = *(u64 *)(r10 - 8)";
const END = "r0 = 0; exit";

describe("a helper that clears its buffer if it fails", () => {
  it("has written it whatever happens", () => {
    const text = `r2 = 8; r3 = 0; r1 = r10; r1 += -8; call bpf_probe_read_user; ${READ}; ${END}`;
    expect(reads(text, "kprobe")).toEqual(NONE);
    expect(reads(text.replace("r2 = 8", "r2 = 7"), "kprobe")).toHaveLength(1);
  });
});

describe("a helper that fills its buffer only if it succeeds", () => {
  it("may leave it as it was", () => {
    expect(reads(`${LOAD}; ${READ}; ${END}`)).toEqual([
      "reads bytes -8 to -1 of its stack, which `bpf_xdp_load_bytes` at 5 may not have filled",
    ]);
  });

  it.each([
    ["r0 != 0", "if r0 != 0 goto out"],
    ["r0 s< 0", "if r0 s< 0 goto out"],
    ["w0 != 0", "if w0 != 0 goto out"],
    ["w0 s< 0", "if w0 s< 0 goto out"],
    ["r0 s<= -1", "if r0 s<= -1 goto out"],
    ["not r0 == 0", "if r0 == 0 goto in; goto out; in: r1 = 0"],
    ["not r0 s> -1", "if r0 s> -1 goto in; goto out; in: r1 = 0"],
    ["not r0 s>= 0", "if r0 s>= 0 goto in; goto out; in: r1 = 0"],
    ["not r0 < 1", "if r0 < 1 goto in; goto out; in: r1 = 0"],
    ["an error code", "if w0 > 2147483647 goto out; if w0 s< 0 goto out"],
    ["a copy", "r7 = r0; if r7 != 0 goto out"],
    ["a 32-bit copy", "w7 = w0; if w7 != 0 goto out"],
    ["a 32-bit copy, by its sign", "w7 = w0; if w7 s< 0 goto out"],
    ["what was spilled and filled", "*(u64 *)(r10 - 16) = r0; r7 = *(u64 *)(r10 - 16); if r7 != 0 goto out"],
    ["its sign-extended low half", "r0 <<= 32; r0 s>>= 32; if r0 s< 0 goto out"],
    ["its shifted low half", "r0 <<= 32; if r0 s< 0 goto out"],
    ["its zero-extended low half", "r0 <<= 32; r0 >>= 32; if r0 != 0 goto out"],
    ["its low half by a signed move", "r0 = (s32)r0; if r0 s< 0 goto out"],
    ["a constant in a register, on the left", "r8 = 0; if r8 s> r0 goto out"],
    ["a constant in a register, on the right", "r8 = 0; if r0 != r8 goto out"],
  ])("has written it where a comparison shows that: %s", (_, check) => {
    expect(reads(`${LOAD}; ${check}; ${READ}; out: ${END}`)).toEqual(NONE);
  });

  it.each([
    ["the wrong way round", "if r0 == 0 goto out"],
    ["of less than 8", "if r0 s< 8 goto in; goto out; in: r1 = 0"],
    ["of the upper half", "r0 >>= 32; if r0 != 0 goto out"],
    ["of the zero-extended low half by its sign", "r0 <<= 32; r0 >>= 32; if r0 s< 0 goto out"],
    ["of a byte of it", "r0 = (s8)r0; if r0 s< 0 goto out"],
    ["of some bits of it", "r0 &= 7; if r0 != 0 goto out"],
    ["of one more", "r0 += 1; if r0 s< 0 goto out"],
    ["of bits", "if r0 & 1 goto out"],
    ["of another number", "call bpf_get_prandom_u32; if r0 != 0 goto out"],
    [
      "of what another store replaced",
      "*(u64 *)(r10 - 16) = r0; *(u8 *)(r10 - 16) = 0; r7 = *(u64 *)(r10 - 16); if r7 != 0 goto out",
    ],
  ])("is not known to have written it by a comparison %s", (_, check) => {
    expect(reads(`${LOAD}; ${check}; ${READ}; out: ${END}`)).toHaveLength(1);
  });

  it("is not known to have written it where paths with and without the comparison meet", () => {
    const text = `${LOAD}; r7 = *(u32 *)(r6 + 12); if r7 == 3 goto in; if r0 != 0 goto out; in: ${READ}; out: ${END}`;
    expect(reads(text)).toHaveLength(1);
  });

  it("has written it where the other path wrote it itself", () => {
    const text = `r6 = r1; r7 = *(u32 *)(r1 + 12); if r7 == 3 goto other; r1 = r6; ${LOAD}; if r0 != 0 goto out; goto in;
      other: *(u64 *)(r10 - 8) = 0; in: ${READ}; out: ${END}`;
    expect(reads(text)).toEqual(NONE);
  });

  it("does not write what a later call is to fill", () => {
    const again = "r1 = r6; r2 = 0; r3 = r10; r3 += -16; r4 = 8; call bpf_xdp_load_bytes";
    expect(reads(`${LOAD}; r7 = r0; ${again}; if r7 != 0 goto out; r2 = *(u64 *)(r10 - 16); out: ${END}`)).toHaveLength(
      1,
    );
    expect(reads(`${LOAD}; r7 = r0; ${again}; if r7 != 0 goto out; ${READ}; out: ${END}`)).toEqual(NONE);
  });

  it("has no result of an earlier round, after a call in a loop", () => {
    const text = (checked: string) => `r6 = r1; r7 = 0; r9 = r10; r9 += -8;
      next: r8 = r7; r1 = r6; r2 = 0; r3 = r9; r4 = 8; call bpf_xdp_load_bytes; r7 = r0;
      if ${checked} != 0 goto again; ${READ}; goto out; again: r2 = *(u32 *)(r6 + 12); if r2 != 7 goto next; out: ${END}`;
    expect(reads(text("r7"))).toEqual(NONE);
    expect(reads(text("r8"))).toHaveLength(1);
  });

  it("writes no more than its least size", () => {
    const text = (size: string, read: string) => `r6 = r1; r4 = *(u32 *)(r1 + 12); ${size}; r2 = 0; r3 = r10; r3 += -8;
      call bpf_xdp_load_bytes; if r0 != 0 goto out; ${read}; out: ${END}`;
    expect(reads(text("r4 &= 1; r4 += 4", "r2 = *(u32 *)(r10 - 8)"))).toEqual(NONE);
    expect(reads(text("r4 &= 1; r4 += 4", "r2 = *(u8 *)(r10 - 4)"))).toHaveLength(1);
    expect(reads(text("r4 += 0", "r2 = *(u8 *)(r10 - 8)"))).toHaveLength(1);
  });
});

describe("a helper that writes as much as its result says", () => {
  const STRING = "r2 = 64; r3 = 0; r1 = r10; r1 += -64; call bpf_probe_read_user_str";
  const output = (size: string, from = -64) =>
    `r2 = r10; r2 += ${from}; ${size}; r1 = map ring; r4 = 0; call bpf_ringbuf_output; r0 = 0; exit`;

  it("lets others read as much", () => {
    expect(reads(`${STRING}; ${output("r3 = r0")}`, "kprobe")).toEqual(NONE);
    expect(reads(`${STRING}; r6 = r0; if r6 s<= 0 goto out; ${output("r3 = r6")}; out: ${END}`, "kprobe")).toEqual(
      NONE,
    );
    expect(reads(`${STRING}; r6 = r0; w6 = w6; ${output("r3 = r6")}`, "kprobe")).toEqual(NONE);
  });

  it("has written a first byte in any case, or cleared all", () => {
    expect(reads(`${STRING}; r2 = *(u8 *)(r10 - 64); ${END}`, "kprobe")).toEqual(NONE);
    expect(reads(`${STRING}; r2 = *(u8 *)(r10 - 63); ${END}`, "kprobe")).toHaveLength(1);
  });

  it.each([
    ["all of the buffer", output("r3 = 64")],
    ["one more", output("r3 = r0; r3 += 1")],
    ["as much from another place", output("r3 = r0", -63)],
    ["what another number says", `call bpf_get_prandom_u32; ${output("r3 = r0")}`],
    ["all of it, if it is positive", `if r0 s<= 0 goto out; ${output("r3 = 64")}; out: ${END}`],
  ])("does not let them read %s", (_, then) => {
    expect(reads(`${STRING}; ${then}`, "kprobe").join()).toContain(
      "`bpf_probe_read_user_str` at 4 may not have filled",
    );
  });
});

describe("a slice of a dynptr", () => {
  const slice = `r6 = r1; r2 = 0; r3 = r10; r3 += -16; call kfunc bpf_dynptr_from_xdp; r1 = r10; r1 += -16; r2 = 0;
    r3 = r10; r3 += -24; r4 = 8; call kfunc bpf_dynptr_slice; if r0 == 0 goto out`;

  it("has been filled, also where that is in the stack", () => {
    expect(reads(`${slice}; r2 = *(u64 *)(r0 + 0); out: ${END}`)).toEqual(NONE);
  });

  it("may not be in the buffer for it, which is then as it was", () => {
    expect(reads(`${slice}; r2 = *(u64 *)(r10 - 24); out: ${END}`)).toHaveLength(1);
  });

  it("may be written through in place of any slot of the frame", () => {
    const written = slice.replace("r6 = r1", "r6 = r1; *(u32 *)(r10 - 32) = 2").replace("_slice", "_slice_rdwr");
    const text = (store: string) => `${written}; ${store};
      r0 = *(u32 *)(r10 - 32); exit; out: r0 = 2; exit`;
    const { effects } = effectsOf(codeOf(text("*(u32 *)(r0 + 0) = 1"), { type: "xdp" }));
    expect(effects.decides).toBe(true);
  });
});

describe("memory in which the kernel keeps data of its own", () => {
  it("is not what the program had written there", () => {
    const iterator = "*(u64 *)(r10 - 8) = 0; r1 = r10; r1 += -8; r2 = 0; r3 = 3; call kfunc bpf_iter_num_new";
    expect(reads(`${iterator}; r1 = r10; r1 += -8; call kfunc bpf_iter_num_destroy; ${READ}; ${END}`)).toHaveLength(1);
    expect(reads(`${iterator}; *(u64 *)(r10 - 16) = 0; r2 = *(u64 *)(r10 - 16); ${END}`)).toEqual(NONE);
  });

  it("in the frame of a caller is not what the caller had written there", () => {
    const text = (call: string) => `*(u64 *)(r10 - 8) = 0; r1 = r10; r1 += -8; ${call}; ${READ}; ${END};
      fn use: r2 = 0; r3 = 3; call kfunc bpf_iter_num_new; r0 = 0; exit`;
    expect(reads(text("call use"))).toHaveLength(1);
    expect(reads(text("r0 = 0"))).toEqual(NONE);
  });
});

describe("bpf_map_peek_elem", () => {
  const peek = (map: string) => `r1 = map ${map}; r2 = r10; r2 += -8; call bpf_map_peek_elem`;

  it("reads the value for a Bloom filter", () => {
    expect(reads(`${peek("bloom")}; ${END}`)).toEqual([
      "lets `bpf_map_peek_elem` read bytes -8 to -1 of its stack, which nothing wrote",
    ]);
    expect(reads(`*(u64 *)(r10 - 8) = 0; ${peek("bloom")}; ${END}`)).toEqual(NONE);
  });

  it("fills the value for a queue if it succeeds, without reading it", () => {
    expect(reads(`${peek("queue")}; if r0 != 0 goto out; ${READ}; out: ${END}`)).toEqual(NONE);
    expect(reads(`${peek("queue")}; ${READ}; ${END}`)).toHaveLength(1);
  });
});
