/* What tracers in the field do with dynptrs, buffers and iterators. Each program only observes. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
char LICENSE[] SEC("license") = "GPL";
struct ev { __u64 pos; char data[512]; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, struct ev); } heap SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } rb SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_USER_RINGBUF); __uint(max_entries, 4096); } urb SEC(".maps");
struct ev g_ev;
static long ucb(struct bpf_dynptr *d, void *c) { __u64 *n = c; __u64 v = 0; bpf_dynptr_read(&v, 8, d, 0, 0); *n += v; char *p = bpf_dynptr_data(d, 0, 8); if (p) (*n) += *p; return 0; }
SEC("tp_btf/sys_enter") int user_rb(void *ctx) { __u64 n = 0; bpf_user_ringbuf_drain(&urb, ucb, &n, 0); g_ev.pos = n; return 0; }
SEC("tp_btf/sys_enter") int from_mem(void *ctx) { struct bpf_dynptr d; __u64 v = 3; bpf_dynptr_from_mem(&g_ev, sizeof(g_ev), 0, &d); bpf_dynptr_write(&d, 8, &v, 8, 0); char *p = bpf_dynptr_data(&d, 0, 8); if (p) p[0] = 1; return 0; }
static __noinline int fillit(struct bpf_dynptr *d, __u64 v) { bpf_dynptr_write(d, 0, &v, 8, 0); return 0; }
SEC("tp_btf/sys_enter") int sub(void *ctx) { struct bpf_dynptr d; bpf_ringbuf_reserve_dynptr(&rb, 64, 0, &d); fillit(&d, 1); fillit(&d, 2); bpf_ringbuf_submit_dynptr(&d, 0); return 0; }
extern int bpf_copy_from_user_dynptr(struct bpf_dynptr *dptr, __u32 off, __u32 size, const void *unsafe_ptr__ign) __ksym __weak;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, __u32 o, void *b, __u32 n) __ksym __weak;
extern int bpf_probe_read_user_str_dynptr(struct bpf_dynptr *dptr, __u64 off, __u64 size, const void *unsafe_ptr__ign) __ksym __weak;
SEC("tp_btf/sys_enter") int copyuser(void *ctx) { struct bpf_dynptr d; bpf_ringbuf_reserve_dynptr(&rb, 64, 0, &d); bpf_probe_read_user_str_dynptr(&d, 0, 32, ctx); char b[8]; char *p = bpf_dynptr_slice_rdwr(&d, 0, b, 8); if (p) p[1] = 2; bpf_ringbuf_submit_dynptr(&d, 0); return 0; }
SEC("iter/task") int dump(struct bpf_iter__task *c) { struct task_struct *t = c->task; if (!t) return 0; bpf_seq_write(c->meta->seq, &t->pid, 4); return 0; }
SEC("perf_event") int prof(struct bpf_perf_event_data *c) { __u64 s[16]; bpf_get_stack(c, s, sizeof(s), 0); bpf_ringbuf_output(&rb, s, sizeof(s), 0); return 0; }
SEC("raw_tp/sys_exit") int rtp(struct bpf_raw_tracepoint_args *c) { struct pt_regs *r = (void *)c->args[0]; __u64 ax; bpf_probe_read_kernel(&ax, 8, &r->ax); g_ev.pos = ax; return 0; }
SEC("fentry/do_nanosleep") int BPF_PROG(fe, void *x) { g_ev.data[g_ev.pos & 255] = 1; __u64 p = g_ev.pos; if (p < 500) bpf_probe_read_kernel(&g_ev.data[p], 4, x); return 0; }
