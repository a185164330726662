/** Functions that create a dynptr of a packet: BPF_DYNPTR_TYPE_SKB, _SKB_META and _XDP (net/core/filter.c). */
export const MAKE_PACKET_DYNPTRS: ReadonlySet<string> = new Set([
  "bpf_dynptr_from_skb",
  "bpf_dynptr_from_skb_meta",
  "bpf_dynptr_from_xdp",
]);
