// EXPECT writes_shared_map
#include "lib.h"
SHARED(BPF_MAP_TYPE_ARRAY, __u32, struct bpf_fib_lookup, 1) m SEC(".maps");
SEC("tc") int f(struct __sk_buff *skb) { __u32 k = 0; struct bpf_fib_lookup *p = bpf_map_lookup_elem(&m, &k); if (p) bpf_fib_lookup(skb, p, sizeof(*p), 0); return 0; }
