/** Helpers that add bytes to a packet or message: those that the kernel does not clear hold what was there before. */
import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf } from "../../../../src/bpf/assembly/assembly.js";
import { HELPER_ROWS, type HelperRow } from "../../../../src/bpf/tables/helpers.js";
import { UNCLEARED } from "../../../../src/bpf/tables/uncleared-memory.js";

/** Helpers that change the layout of a packet and clear or fill what they add, or add nothing. */
const CLEARED = new Set([
  ...["skb_store_bytes", "l3_csum_replace", "l4_csum_replace", "clone_redirect", "skb_vlan_push", "skb_vlan_pop"],
  ...["skb_change_proto", "skb_change_tail", "skb_pull_data", "skb_change_head", "skb_adjust_room", "msg_pull_data"],
  ...["xdp_adjust_tail", "lwt_push_encap", "lwt_seg6_store_bytes", "lwt_seg6_adjust_srh", "lwt_seg6_action"],
  ...["msg_pop_data", "store_hdr_opt"],
]);

function reads(text: string, type = "xdp"): string[] {
  const { evidence } = effectsOf(codeOf(text, { type }));
  return evidence.filter(({ effect }) => effect === "reads_kernel_memory").map(({ because }) => because);
}

const END = "r0 = 0; exit";

describe("every helper that invalidates pointers into the packet", () => {
  const rows = HELPER_ROWS.filter((row): row is HelperRow => row?.changesPacket === true);

  it("either clears what it adds or has a row that says what it does not", () => {
    const unknown = rows.map(({ name }) => name).filter((name) => CLEARED.has(name) === UNCLEARED.has(name));
    expect(unknown).toEqual([]);
  });

  it.each(rows.map((row) => [row.name, row] as const))("bpf_%s reads kernel memory as its row says", (name, row) => {
    const args = [...row.args].map((letter, index) => (letter === "c" ? "r1 = r1" : `r${index + 1} = -8`));
    const found = reads(`${args.join("; ")}; call bpf_${name}; ${END}`, "sched_cls");
    expect(found.some((because) => because.includes("does not clear"))).toBe(UNCLEARED.has(name));
  });
});

describe("the headroom that bpf_xdp_adjust_head adds", () => {
  const adjust = (delta: string) => `r2 = *(u32 *)(r1 + 12); ${delta}; call bpf_xdp_adjust_head; ${END}`;

  it.each(["r2 = -14", "r2 = -1", "w2 = -64", "r2 += 0", "r2 &= 255", "r2 &= 15; r2 -= 8"])(
    "counts after %s",
    (delta) => {
      expect(reads(adjust(delta))).toEqual([
        "lets `bpf_xdp_adjust_head` add headroom to the packet, which the kernel does not clear",
      ]);
    },
  );

  it.each(["r2 = 0", "r2 = 14", "r2 = 200", "w2 = 64", "r2 &= 15"])("is none after %s", (delta) => {
    expect(reads(adjust(delta))).toEqual([]);
  });
});
