#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
extern const int bpf_prog_active __ksym;
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); __uint(pinning, LIBBPF_PIN_BY_NAME); } pinned_rb SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, char[64]); __uint(pinning, LIBBPF_PIN_BY_NAME); } pinned SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, char[64]); } own SEC(".maps");
// may regs: writes_ctx
SEC("uprobe") int regs(struct pt_regs *c) { c->ax = 1; return 0; }
// may regs_anywhere: writes_ctx
SEC("kprobe") int regs_anywhere(struct pt_regs *c) { c->ax = 1; return 0; }
// may mark: writes_ctx
SEC("tc") int mark(struct __sk_buff *c) { c->mark = 1; return 0; }
// kernels before 5.17 accept it
// may variable: changes_kernel_state
SEC("tp_btf/sys_enter") int variable(void *c) { int *p = bpf_this_cpu_ptr(&bpf_prog_active); *p = 1; return 0; }
// some kernels check a helper's buffer in a kernel object as if it were only read
// may by_helper: changes_kernel_state
SEC("tp_btf/sys_enter") int by_helper(void *c) { bpf_get_current_comm(bpf_get_current_task_btf()->comm, 16); return 0; }
// may task_of_tc: changes_kernel_state
SEC("tc") int task_of_tc(void *c) { struct task_struct *t = bpf_get_current_task_btf(); t->prio = 1; return 0; }
struct st { char *buf; __u32 n; };
static __noinline int put(struct st *s, char c) { __u32 n = s->n & 31; s->buf[n] = c; s->n = n + 1; return 0; }
static __noinline int inner(char *b) { struct st s = { b, 3 }; put(&s, 'x'); return s.n; }
// may frames: writes_shared_map
SEC("kprobe/do_nanosleep") int frames(void *ctx) {
  __u32 k = 0; char *o = bpf_map_lookup_elem(&own, &k); char *p = bpf_map_lookup_elem(&pinned, &k);
  if (!o || !p) return 0;
  struct st s = { o, 0 };
  put(&s, 'y');
  return inner(p) + s.n;
}
// may event: writes_shared_map
SEC("tp_btf/sys_enter") int event(void *c) { struct bpf_dynptr d; __u64 v = 1; bpf_ringbuf_reserve_dynptr(&pinned_rb, 64, 0, &d); bpf_dynptr_write(&d, 0, &v, 8, 0); bpf_ringbuf_submit_dynptr(&d, 0); return 0; }
// may value: writes_shared_map
SEC("tp_btf/sys_enter") int value(void *c) { __u32 k = 0; char *p = bpf_map_lookup_elem(&pinned, &k); if (!p) return 0; struct bpf_dynptr d; __u64 v = 1; bpf_dynptr_from_mem(p, 64, 0, &d); bpf_dynptr_write(&d, 0, &v, 8, 0); return 0; }
// may packet: writes_packet
SEC("tc") int packet(struct __sk_buff *c) { struct bpf_dynptr d; __u64 v = 1; bpf_dynptr_from_skb(c, 0, &d); bpf_dynptr_write(&d, 0, &v, 8, 0); return 0; }
