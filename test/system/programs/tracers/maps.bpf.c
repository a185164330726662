/* What tracers in the field do with maps, frames and callbacks. Each program only observes. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
char LICENSE[] SEC("license") = "GPL";
struct ev { __u64 pos; __u32 len; char data[4096]; };
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, struct ev); } heap SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_TASK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, struct ev); } ts SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } rb SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 16); __type(key, __u32); __type(value, __u64); } h SEC(".maps");
struct inner { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 16); __type(key, __u32); __type(value, __u64); };
struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __uint(max_entries, 4); __type(key, __u32); __array(values, struct inner); } hm SEC(".maps");
static __noinline int push(struct ev *e, __u64 v) { __u64 p = e->pos & 2047; *(__u64*)(e->data + p) = v; e->pos = p + 8; return 0; }
SEC("kprobe/a") int append(void *ctx) { __u32 k = 0; struct ev *e = bpf_map_lookup_elem(&heap, &k); if (!e) return 1; e->pos = 0; push(e, 1); push(e, bpf_ktime_get_ns()); bpf_probe_read_kernel_str(e->data + (e->pos & 1023), 64, ctx); bpf_ringbuf_output(&rb, e, 16 + (e->pos & 1023), 0); return 1; }
SEC("tp_btf/sys_enter") int storage(void *ctx) { struct task_struct *t = bpf_get_current_task_btf(); struct ev *e = bpf_task_storage_get(&ts, t, 0, 1); if (!e) return 0; __u64 p = e->pos & 1023; e->data[p] = 1; e->pos++; return 0; }
struct lc { struct ev *e; __u64 n; void *ctx; };
static int cb(__u32 i, struct lc *c) { struct ev *e = c->e; if (!e) return 1; e->data[i & 1023] = i; c->n++; return 0; }
SEC("kprobe/b") int loop(void *ctx) { __u32 k = 0; struct lc c = { .e = bpf_map_lookup_elem(&heap, &k), .ctx = ctx }; bpf_loop(10, cb, &c, 0); return 1; }
static long each(void *m, __u32 *key, __u64 *val, struct lc *c) { *val += 1; c->n += *val; return 0; }
SEC("kprobe/c") int foreach(void *ctx) { struct lc c = {}; bpf_for_each_map_elem(&h, each, &c, 0); return 1; }
SEC("kprobe/d") int inmap(void *ctx) { __u32 k = 1; void *m = bpf_map_lookup_elem(&hm, &k); if (!m) return 1; __u64 *v = bpf_map_lookup_elem(m, &k); if (v) { __sync_fetch_and_add(v, 1); return 1;} __u64 z = 0; bpf_map_update_elem(m, &k, &z, 0); return 1; }
SEC("lsm/file_open") int BPF_PROG(lsm0, struct file *f, int ret) { __u32 k = 0; __u64 *v = bpf_map_lookup_elem(&h, &k); if (v) *v += f->f_flags; return 0; }
SEC("fexit/do_nanosleep") int BPF_PROG(fex, void *a, int b, long ret) { struct { __u64 a; char c[16]; } *e = bpf_ringbuf_reserve(&rb, sizeof(*e), 0); if (!e) return 0; e->a = ret; bpf_get_current_comm(e->c, 16); bpf_ringbuf_submit(e, 0); return 0; }
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
SEC("kprobe/e") int iter(void *ctx) { __u32 k = 0; struct ev *e = bpf_map_lookup_elem(&heap, &k); if (!e) return 1; struct bpf_iter_num it; int *p; bpf_iter_num_new(&it, 0, 20); while ((p = bpf_iter_num_next(&it))) e->data[*p & 1023] = 1; bpf_iter_num_destroy(&it); return 1; }
SEC("uprobe") int up(struct pt_regs *ctx) { char b[16]; bpf_probe_read_user(b, 16, (void*)ctx->di); bpf_ringbuf_output(&rb, b, 16, 0); return 1; }
struct big { struct ev *e; struct st2 { __u64 v; struct ev *e2; } s; };
static __noinline int deep(struct st2 *s) { if (s->e2) s->e2->data[s->v & 7] = 1; s->v++; return 0; }
static __noinline int mid(struct big *b) { struct st2 t = { 1, b->e }; deep(&b->s); deep(&t); return t.v; }
SEC("kprobe/f") int nested(void *ctx) { __u32 k = 0; struct big b = {}; b.e = bpf_map_lookup_elem(&heap, &k); b.s.e2 = b.e; return mid(&b) | 1; }
static __noinline struct ev *get(void) { __u32 k = 0; return bpf_map_lookup_elem(&heap, &k); }
SEC("kprobe/g") int getter(void *ctx) { struct ev *e = get(); struct ev *f = e; if (!f) return 1; __u64 l = f->pos; if (l > 100) l = 100; e->data[l] = 1; bpf_probe_read_kernel(&e->data[l], 10, ctx); return 1; }
static __noinline void cp(char *dst, char *src, int n) { for (int i = 0; i < n && i < 16; i++) dst[i] = src[i]; }
SEC("kprobe/h") int copies(void *ctx) { struct ev *e = get(); if (!e) return 1; char a[16] = {}; char b[16] = {}; cp(a, e->data, 16); cp(b, a, 16); cp(e->data, b, 16); return 1; }
SEC("cgroup_skb/egress") int cgs(struct __sk_buff *skb) { struct ev *e = get(); if (!e) return 1; __u64 l = e->pos; if (l > 100) return 1; bpf_skb_load_bytes(skb, 0, e->data + l, 20); return 1; }
