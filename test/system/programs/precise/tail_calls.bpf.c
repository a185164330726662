#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
/* as Tetragon's sensors: an array that the object fills, in a circle, and one that is full, with any index */
int filter(void *ctx);
int send(void *ctx);
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 8);
  __type(key, __u32);
  __array(values, int(void *));
} calls SEC(".maps") = { .values = { [1] = (void *)&filter, [5] = (void *)&send } };
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 2);
  __type(key, __u32);
  __array(values, int(void *));
} full SEC(".maps") = { .values = { [0] = (void *)&filter, [1] = (void *)&send } };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } rb SEC(".maps");
SEC("kprobe/do_nanosleep") int start(void *ctx) { bpf_tail_call(ctx, &calls, 1); return 0; }
SEC("kprobe/do_nanosleep") int start_any(void *ctx) { bpf_tail_call(ctx, &full, bpf_get_prandom_u32()); return 0; }
SEC("kprobe/do_nanosleep") int start_none(void *ctx) { bpf_tail_call(ctx, &calls, 8); return 0; }
SEC("kprobe/x") int filter(void *ctx) { bpf_tail_call(ctx, &calls, 5); return 0; }
SEC("kprobe/x") int send(void *ctx) {
  __u64 v = bpf_ktime_get_ns();
  bpf_ringbuf_output(&rb, &v, sizeof(v), 0);
  bpf_tail_call(ctx, &calls, 1);
  return 0;
}
