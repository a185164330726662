#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
#define ARRAY(N, MORE) struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, N); __type(key, __u32); MORE __array(values, int(void *)); }
int harmless(void *ctx);
int kills(void *ctx);
int in_uprobe(void *ctx);
int tp(void *ctx);
ARRAY(4,) gaps SEC(".maps") = { .values = { [1] = (void *)&harmless } };
ARRAY(1, __uint(pinning, LIBBPF_PIN_BY_NAME);) pinned SEC(".maps") = { .values = { [0] = (void *)&harmless } };
ARRAY(2,) deadly SEC(".maps") = { .values = { [0] = (void *)&harmless, [1] = (void *)&kills } };
ARRAY(1,) users SEC(".maps") = { .values = { [0] = (void *)&in_uprobe } };
ARRAY(1,) others SEC(".maps") = { .values = { [0] = (void *)&tp } };
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 4); __uint(key_size, 4); __uint(value_size, 4); } empty SEC(".maps");
SEC("kprobe/x") int harmless(void *ctx) { return 0; }
// may kills: sends_signal
SEC("kprobe/x") int kills(void *ctx) { bpf_send_signal(9); return 0; }
// may to_empty: tail_calls
SEC("kprobe/x") int to_empty(void *ctx) { bpf_tail_call(ctx, &empty, 1); return 0; }
// may to_gap: tail_calls
SEC("kprobe/x") int to_gap(void *ctx) { bpf_tail_call(ctx, &gaps, 2); return 0; }
// may to_any_gap: tail_calls
SEC("kprobe/x") int to_any_gap(void *ctx) { bpf_tail_call(ctx, &gaps, bpf_get_prandom_u32()); return 0; }
// may to_few: tail_calls
SEC("kprobe/x") int to_few(void *ctx) { bpf_tail_call(ctx, &gaps, bpf_get_prandom_u32() & 1); return 0; }
// may to_pinned: tail_calls
SEC("kprobe/x") int to_pinned(void *ctx) { bpf_tail_call(ctx, &pinned, 0); return 0; }
// may to_deadly: tail_calls sends_signal
SEC("kprobe/x") int to_deadly(void *ctx) { bpf_tail_call(ctx, &deadly, 1); return 0; }
// may to_one_of_them: tail_calls sends_signal
SEC("kprobe/x") int to_one_of_them(void *ctx) { bpf_tail_call(ctx, &deadly, bpf_get_prandom_u32()); return 0; }
// changes registers: Linux 6.19 loads it, as it may be for a uprobe
// may in_uprobe: writes_ctx
SEC("uprobe") int in_uprobe(void *ctx) { ((struct pt_regs *)ctx)->ax = 1; return 0; }
// may to_uprobe: tail_calls writes_ctx
SEC("kprobe/x") int to_uprobe(void *ctx) { bpf_tail_call(ctx, &users, 0); return 0; }
// never attached by itself, which Linux 6.19 rejects, but gone on as
// may in_kprobe: writes_ctx
SEC("kprobe/x") int in_kprobe(void *ctx) { ((struct pt_regs *)ctx)->ax = 1; return 0; }
// of another type: the kernel rejects it, but it is not known what it would do
SEC("tracepoint/a/b") int tp(void *ctx) { return 0; }
// may to_tp: tail_calls
SEC("kprobe/x") int to_tp(void *ctx) { bpf_tail_call(ctx, &others, 0); return 0; }
