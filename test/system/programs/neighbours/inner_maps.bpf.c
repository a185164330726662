#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
struct rb { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); __uint(pinning, LIBBPF_PIN_BY_NAME); } pinned SEC(".maps");
struct rb own SEC(".maps");
#define OUTER(MORE) struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 4); __type(key, __u32); MORE __array(values, struct rb); }
OUTER(__uint(pinning, LIBBPF_PIN_BY_NAME);) pinned_outer SEC(".maps");
OUTER() holds_pinned SEC(".maps") = { .values = { [0] = (void *)&own, [1] = (void *)&pinned } };
struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 4); __type(key, __u32); __uint(value_size, 4); } undeclared SEC(".maps");
static __always_inline int put(void *outer) {
  __u32 k = bpf_get_smp_processor_id(); void *rb = bpf_map_lookup_elem(outer, &k);
  if (!rb) return 0;
  __u64 v = 1; bpf_ringbuf_output(rb, &v, 8, 0);
  return 0;
}
// may in_pinned: writes_shared_map
SEC("tp_btf/sys_enter") int in_pinned(void *ctx) { return put(&pinned_outer); }
// may in_held: writes_shared_map
SEC("tp_btf/sys_enter") int in_held(void *ctx) { return put(&holds_pinned); }
// may in_undeclared: writes_shared_map
SEC("tp_btf/sys_enter") int in_undeclared(void *ctx) { return put(&undeclared); }
