// EXPECT writes_shared_map
#include "lib.h"
SHARED(BPF_MAP_TYPE_ARRAY, __u32, char[64], 1) m SEC(".maps");
SEC("lsm.s/file_open") int f(unsigned long long *ctx) { __u32 k = 0; struct bpf_dynptr d; char *v = bpf_map_lookup_elem(&m, &k); if (!v) return 0; bpf_dynptr_from_mem(v, 64, 0, &d); bpf_get_file_xattr((void *)ctx[0], "user.x", &d); return 0; }
