/** Bytes of a frame that other functions of the program read and write: by arguments, results, callbacks. */
import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf, mapOf } from "../../../../src/bpf/assembly/assembly.js";

const maps = { own: mapOf("own", { key_size: 4, value_size: 8 }) };

function reads(text: string, type = "xdp"): string[] {
  const { evidence } = effectsOf(codeOf(text, { type, maps }));
  return evidence.filter(({ effect }) => effect === "reads_kernel_memory").map(({ because }) => because);
}

const NONE: string[] = [];
const READ = "r2 = *(u64 *)(r10 - 8)";
const PASS = "r1 = r10; r1 += -8";
const END = "r0 = 0; exit";

describe("the frame of a function", () => {
  it("is new at each call: it holds what the kernel left", () => {
    const text = (write: string) => `*(u64 *)(r10 - 8) = 0; call inner; ${END}; fn inner: ${write}; ${READ}; ${END}`;
    expect(reads(text("r1 = 0"))).toEqual([
      "reads bytes -8 to -1 of its stack, which nothing wrote, in `inner` called at 1",
    ]);
    expect(reads(text("*(u64 *)(r10 - 8) = 0"))).toEqual(NONE);
  });
});

describe("a function that is passed a pointer into its caller's frame", () => {
  const inner = (read: string) => `fn inner: ${read}; ${END}`;

  it("reads what the caller wrote, or did not", () => {
    const text = (write: string) => `${write}; ${PASS}; call inner; ${END}; ${inner("r2 = *(u32 *)(r1 + 4)")}`;
    expect(reads(text("*(u64 *)(r10 - 8) = 0"))).toEqual(NONE);
    expect(reads(text("*(u32 *)(r10 - 4) = 0"))).toEqual(NONE);
    expect(reads(text("*(u32 *)(r10 - 8) = 0"))).toEqual([
      "lets `inner` read bytes -4 to -1 of its stack, which nothing wrote",
    ]);
  });

  it("lets a helper read it", () => {
    const update = "r6 = r1; r3 = r6; r2 = r6; r1 = map own; r4 = 0; call bpf_map_update_elem";
    const text = (write: string) => `${write}; ${PASS}; call inner; ${END}; ${inner(update)}`;
    expect(reads(text("*(u64 *)(r10 - 8) = 0"))).toEqual(NONE);
    expect(reads(text("*(u32 *)(r10 - 8) = 0"))).toHaveLength(1);
  });

  it("reads what it wrote there itself", () => {
    const text = (write: string) => `${PASS}; call inner; ${END}; ${inner(`${write}; r2 = *(u64 *)(r1 + 0)`)}`;
    expect(reads(text("*(u64 *)(r1 + 0) = 0"))).toEqual(NONE);
    expect(reads(text("*(u32 *)(r1 + 0) = 0"))).toHaveLength(1);
  });

  it("reads what each of its callers wrote", () => {
    const text = (second: string) => `*(u64 *)(r10 - 8) = 0; ${PASS}; call inner; ${second}; r1 = r10; r1 += -16;
      call inner; ${END}; ${inner("r2 = *(u64 *)(r1 + 0)")}`;
    expect(reads(text("*(u64 *)(r10 - 16) = 0"))).toEqual(NONE);
    expect(reads(text("r1 = 0"))).toHaveLength(1);
  });

  it("reads it through another function", () => {
    const text = (write: string) => `${write}; ${PASS}; call outer; ${END};
      fn outer: r1 += 4; call inner; ${END}; ${inner("r2 = *(u32 *)(r1 + 0)")}`;
    expect(reads(text("*(u32 *)(r10 - 4) = 0"))).toEqual(NONE);
    expect(reads(text("*(u32 *)(r10 - 8) = 0"))).toHaveLength(1);
  });

  it.each([
    ["in front of it", "r2 = *(u8 *)(r1 - 1)"],
    ["at a distance that is not known", "r2 &= 3; r1 += r2; r2 = *(u8 *)(r1 + 0)"],
    ["by a pointer that it found in the frame", "r1 = *(u64 *)(r1 + 0); r2 = *(u8 *)(r1 + 0)"],
  ])("is assumed to read the worst %s", (_, read) => {
    const text = `*(u64 *)(r10 - 8) = r10; r2 = *(u32 *)(r1 + 12); ${PASS}; call inner; ${END}; ${inner(read)}`;
    expect(reads(text)).toHaveLength(1);
  });

  it("writes it, if it does on every path", () => {
    const text = (write: string) => `${PASS}; call inner; ${READ}; ${END}; ${inner(write)}`;
    expect(reads(text("*(u64 *)(r1 + 0) = 0"))).toEqual(NONE);
    expect(reads(text("r3 = r1; *(u32 *)(r3 + 0) = 0; *(u32 *)(r3 + 4) = 0"))).toEqual(NONE);
    expect(reads(text("*(u64 *)(r10 - 8) = r1; r3 = *(u64 *)(r10 - 8); *(u64 *)(r3 + 0) = 0"))).toEqual(NONE);
    expect(reads(text("*(u32 *)(r1 + 0) = 0"))).toHaveLength(1);
    expect(reads(text("if r2 == 0 goto out; *(u64 *)(r1 + 0) = 0; out: r0 = 0"))).toHaveLength(1);
    expect(reads(text("r1 += r2; *(u64 *)(r1 + 0) = 0"))).toHaveLength(1);
  });

  it("writes each caller's, wherever that is", () => {
    const text = `${PASS}; call inner; r1 = r10; r1 += -16; call inner; ${READ}; r2 = *(u64 *)(r10 - 16); ${END};
      ${inner("*(u64 *)(r1 + 0) = 0")}`;
    expect(reads(text)).toEqual(NONE);
    const one = text.replace("r1 += -16; call inner", "r1 += -16");
    expect(reads(one)).toHaveLength(1);
  });

  it("does not write its own frame for another call", () => {
    const text = `call inner; ${READ}; ${END}; fn inner: *(u64 *)(r10 - 8) = 0; ${END}`;
    expect(reads(text)).toHaveLength(1);
  });

  it("writes it if its result says so", () => {
    const fill = `r3 = *(u32 *)(r2 + 12); if r3 == 0 goto bad; *(u64 *)(r1 + 0) = 0; r0 = 0; exit; bad: r0 = -1; exit`;
    const text = (check: string) => `r2 = r1; ${PASS}; call inner; ${check}; ${READ}; out: ${END}; fn inner: ${fill}`;
    expect(reads(text("if r0 != 0 goto out"))).toEqual(NONE);
    expect(reads(text("if w0 s< 0 goto out"))).toEqual(NONE);
    expect(reads(text("w7 = w0; if w7 != 0 goto out"))).toEqual(NONE);
    expect(reads(text("if r0 == 0 goto out"))).toHaveLength(1);
    expect(reads(text("r1 = 0"))).toEqual([
      "reads bytes -8 to -1 of its stack, which `inner` at 3 may not have filled",
    ]);
  });

  it("writes it if it returns true", () => {
    const fill = `r3 = *(u32 *)(r2 + 12); if r3 == 0 goto bad; *(u64 *)(r1 + 0) = 0; r0 = 1; exit; bad: r0 = 0; exit`;
    const text = (check: string) => `r2 = r1; ${PASS}; call inner; ${check}; ${READ}; out: ${END}; fn inner: ${fill}`;
    expect(reads(text("if w0 == 0 goto out"))).toEqual(NONE);
    expect(reads(text("if w0 != 0 goto out"))).toHaveLength(1);
  });

  it("hands on the result of a helper that fills it", () => {
    const fill = "r3 = r1; r1 = r2; r2 = 0; r4 = 8; call bpf_xdp_load_bytes";
    const text = (check: string, then = "") =>
      `r2 = r1; ${PASS}; call inner; ${check}; ${READ}; out: ${END}; fn inner: ${fill}; ${then} exit`;
    expect(reads(text("if r0 != 0 goto out"))).toEqual(NONE);
    expect(reads(text("r1 = 0"))).toHaveLength(1);
    expect(reads(text("if r0 != 0 goto out", "r0 = 0;"))).toHaveLength(1);
  });

  it("writes what each of its results says, also as far as they overlap", () => {
    const text = `r1 = r10; r1 += -32; call f0; r5 = *(u8 *)(r10 - 25); ${END};
      fn f0: r6 = r1; *(u32 *)(r6 + 4) = 47; r1 = r6; call f1; call bpf_get_prandom_u32; if r0 == 7 goto bad0;
      *(u64 *)(r6 + 8) = 22; r0 = 0; exit; bad0: r0 = -1; exit;
      fn f1: r6 = r1; call bpf_get_prandom_u32; if r0 == 7 goto bad1; *(u64 *)(r6 + 0) = 11; r0 = 0; exit;
      bad1: r0 = -1; exit`;
    expect(reads(text)).toEqual(NONE);
  });

  it("that is global may be replaced by one that does not write", () => {
    const text = `${PASS}; call inner; ${READ}; ${END}; global inner: *(u64 *)(r1 + 0) = 0; ${END}`;
    expect(reads(text)).toHaveLength(1);
  });
});

describe("a callback", () => {
  const loop = (write: string, body: string) => `${write}; r1 = 4; r2 = func back; r3 = r10; r3 += -8; r4 = 0;
    call bpf_loop; ${READ}; ${END}; fn back: ${body}; ${END}`;

  it("reads its data in the frame of the function that passed it", () => {
    expect(reads(loop("*(u64 *)(r10 - 8) = 0", "r3 = *(u64 *)(r2 + 0)"))).toEqual(NONE);
    expect(reads(loop("*(u32 *)(r10 - 8) = 0", "r3 = *(u64 *)(r2 + 0)")).join()).toContain(
      "lets `back` read bytes -4 to -1",
    );
  });

  it("may never run, so that it has not surely written them", () => {
    expect(reads(loop("r1 = 0", "*(u64 *)(r2 + 0) = 0"))).toHaveLength(1);
  });
});
