// EXPECT writes_user_memory
#include "lib.h"
// packet bytes are copied into a process's page
struct page_mem { char b[256]; };
struct page_mem dummy;
struct val { struct page_mem __attribute__((btf_type_tag("uptr"))) *u; };
struct { __uint(type, BPF_MAP_TYPE_TASK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, struct val); } ts SEC(".maps");
SEC("tp_btf/net_dev_queue") int f(unsigned long long *ctx) {
  struct bpf_dynptr p;
  struct val *v = bpf_task_storage_get(&ts, bpf_get_current_task_btf(), 0, 0);
  if (!v) return 0;
  void *u = v->u;
  if (!u) return 0;
  bpf_dynptr_from_skb((void *)ctx[0], 0, &p);
  bpf_dynptr_read(u, 64, &p, 0, 0);
  return 0;
}
