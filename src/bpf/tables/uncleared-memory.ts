/** A helper that adds bytes to a packet or message and does not clear them: they hold what was there before. */
export interface Uncleared {
  /** Index of the argument that says by how many bytes, as a signed number of 32 bits; null if every call adds some. */
  readonly distance: number | null;
  /** What it adds, if the distance is negative. */
  readonly adds: string;
  /** File and function of the kernel's source (Linux 6.1, 6.12 and 7.3). */
  readonly source: string;
}

/**
 * By name of the helper without `bpf_`. Others that add bytes clear them (net/core/filter.c): bpf_xdp_adjust_tail
 * ("can contain uninit kernel memory"), bpf_skb_change_head, bpf_skb_change_tail, bpf_skb_adjust_room and
 * bpf_skb_change_proto (bpf_skb_generic_push), bpf_lwt_seg6_adjust_srh; or fill them: bpf_skb_vlan_push,
 * bpf_lwt_push_encap, bpf_reserve_hdr_opt (net/ipv4/tcp_output.c: bpf_skops_write_hdr_opt).
 */
export const UNCLEARED: ReadonlyMap<string, Uncleared> = new Map([
  [
    "xdp_adjust_head",
    { distance: 1, adds: "headroom to the packet", source: "net/core/filter.c: bpf_xdp_adjust_head" },
  ],
  [
    "xdp_adjust_meta",
    { distance: 1, adds: "headroom to the metadata", source: "net/core/filter.c: bpf_xdp_adjust_meta" },
  ],
  [
    "msg_push_data",
    { distance: null, adds: "a new page to the message", source: "net/core/filter.c: bpf_msg_push_data (alloc_pages)" },
  ],
]);
