#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
char LICENSE[] SEC("license") = "GPL";
#define __kptr __attribute__((btf_type_tag("kptr")))
#define bpf_obj_new(type) ((type *)bpf_obj_new_impl(bpf_core_type_id_local(type), NULL))
#define bpf_obj_drop(p) bpf_obj_drop_impl(p, NULL)
struct o { long n; };
struct v { struct o __kptr *p; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, struct v); } m SEC(".maps");
SEC("tp_btf/sys_enter") int f(void *c) { __u32 z = 0; struct v *v = bpf_map_lookup_elem(&m, &z); if (!v) return 0; struct o *o = bpf_kptr_xchg(&v->p, 0); if (!o) o = bpf_obj_new(struct o); if (!o) return 0; o->n++; o = bpf_kptr_xchg(&v->p, o); if (o) bpf_obj_drop(o); return 0; }
