// EXPECT reads_user_memory
#include "lib.h"
// the key lies in a process's page
struct page_mem { char b[256]; };
struct page_mem dummy;
struct val { struct page_mem __attribute__((btf_type_tag("uptr"))) *u; };
struct { __uint(type, BPF_MAP_TYPE_TASK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, struct val); } ts SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 1); __type(key, __u64); __type(value, __u64); } m SEC(".maps");
SEC("tp_btf/sys_enter") int f(unsigned long long *ctx) {
  struct val *v = bpf_task_storage_get(&ts, bpf_get_current_task_btf(), 0, 0);
  if (!v) return 0;
  void *u = v->u;
  if (u) bpf_map_lookup_elem(&m, u);
  return 0;
}
