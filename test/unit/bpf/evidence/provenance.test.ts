import { describe, expect, it } from "vitest";
import { codeOf } from "../../../../src/bpf/assembly/assembly.js";
import { Provenance } from "../../../../src/bpf/evidence/provenance.js";

const provenance = (text: string, slot: number) => new Provenance(codeOf(text, { type: "xdp" })).to(slot);

describe("the provenance to an instruction", () => {
  it("is empty for a store into the program's own frame, and for a call in the program itself", () => {
    expect(provenance("*(u64 *)(r10 - 8) = 1; call bpf_ktime_get_ns; exit", 0)).toBe("");
    expect(provenance("*(u64 *)(r10 - 8) = 1; call bpf_ktime_get_ns; exit", 1)).toBe("");
  });

  it("begins where a pointer was loaded, and goes by moves, spills and fills", () => {
    const text = `r2 = *(u32 *)(r1 + 0); *(u64 *)(r10 - 8) = r2; r2 = 0; r3 = *(u64 *)(r10 - 8); r3 += 4; r4 = r3;
      *(u8 *)(r4 + 0) = 1; r0 = 2; exit`;
    expect(provenance(text, 6)).toBe(", the pointer from 0 `r2 = *(u32 *)(r1 + 0x0)` by 1, 3, 5");
  });

  it("begins at the call that gave a pointer", () => {
    expect(provenance("call bpf_map_lookup_elem; r1 = r0; *(u8 *)(r1 + 0) = 1; exit", 2)).toBe(
      ", the pointer from 0 `call 0x1` by 1",
    );
  });

  it("goes through a subprogram's argument to its first caller, and names the subprograms", () => {
    const text = `r2 = *(u32 *)(r1 + 0); r1 = r2; call outer; r0 = 2; exit;
      fn outer: call inner; exit; fn inner: *(u8 *)(r1 + 0) = 1; r0 = 0; exit`;
    expect(provenance(text, 7)).toBe(
      ", the pointer from 0 `r2 = *(u32 *)(r1 + 0x0)` by 1, 2, 5, in `inner` called at 5, in `outer` called at 2",
    );
  });

  it("says where a callback was handed over", () => {
    const text = "r2 = func each; call bpf_loop; r0 = 2; exit; fn each: call bpf_send_signal; r0 = 0; exit";
    expect(provenance(text, 5)).toBe(", in `each` handed over at 0");
  });

  it("ends where subprograms call each other in a circle", () => {
    const text = "call a; exit; fn a: call b; exit; fn b: call a; *(u8 *)(r1 + 0) = 1; exit";
    expect(provenance(text, 5).length).toBeLessThan(400);
  });
});
