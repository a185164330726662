/**
 * Changes that a read-only program may have made to it: they look, count and remember in what is its own, in r0 to r5.
 */
export const HARMLESS: readonly { readonly name: string; readonly text: string; readonly functions?: string }[] = [
  { name: "computes", text: "r2 = 5; r3 = r2; r3 += 7; r3 <<= 2; r3 ^= r2; w3 *= 3; r3 %= 7; r2 = -r2" },
  { name: "spills and fills", text: "*(u64 *)(r10 - A) = r1; r2 = *(u64 *)(r10 - A); *(u32 *)(r10 - B) = 1" },
  {
    name: "writes parts of a slot",
    text: "*(u32 *)(r10 - A) = 0; *(u8 *)(r10 - A) = 1; r2 = *(u32 *)(r10 - A); *(u16 *)(r10 - B) = r2",
  },
  {
    name: "asks for the time",
    text: "call bpf_ktime_get_ns; *(u64 *)(r10 - A) = r0; call bpf_get_smp_processor_id; r1 = *(u64 *)(r10 - A); r0 += r1",
  },
  { name: "asks who it is", text: "call bpf_get_current_pid_tgid; r0 >>= 32; call bpf_get_current_uid_gid" },
  { name: "reads its name", text: "r1 = r10; r1 += -B; r2 = 16; call bpf_get_current_comm" },
  {
    name: "counts in its map",
    text: "*(u32 *)(r10 - A) = 0; r2 = r10; r2 += -A; r1 = map own; call bpf_map_lookup_elem; if r0 == 0 goto NONE; r1 = 1; lock *(u64 *)(r0 + 0) += r1; NONE: r0 = 0",
  },
  {
    name: "remembers in its map",
    text: "*(u32 *)(r10 - A) = 7; r2 = r10; r2 += -A; r3 = value strings + 0; r4 = 0; r1 = map cells; call bpf_map_update_elem",
  },
  { name: "stores in its data", text: "r2 = value own + 8; *(u32 *)(r2 + 0) = 1; r3 = *(u64 *)(r2 + 8)" },
  {
    name: "forgets in its map",
    text: "*(u32 *)(r10 - A) = 7; r2 = r10; r2 += -A; r1 = map cells; call bpf_map_delete_elem",
  },
  {
    name: "prints numbers",
    text: "r2 = 0x64252064 ll; *(u64 *)(r10 - A) = r2; r1 = r10; r1 += -A; r2 = 5; r3 = 1; call bpf_trace_printk",
  },
  {
    name: "prints by a constant format",
    text: "r1 = value numbers + 0; r2 = 16; r3 = 1; r4 = 2; r5 = 3; call bpf_trace_printk",
  },
  { name: "goes round", text: "r5 = 0; ROUND: r5 += 1; if r5 < 8 goto ROUND" },
  {
    name: "loops with a callback",
    text: "*(u64 *)(r10 - A) = 0; r1 = 4; r2 = func addUp; r3 = r10; r3 += -A; r4 = 0; call bpf_loop",
    functions: "fn addUp: r3 = *(u64 *)(r2 + 0); r3 += r1; *(u64 *)(r2 + 0) = r3; r0 = 0; exit",
  },
  {
    name: "goes over its map",
    text: "r1 = map cells; r2 = func look; r3 = 0; r4 = 0; call bpf_for_each_map_elem",
    functions: "fn look: r1 = *(u64 *)(r3 + 0); r1 += 1; *(u64 *)(r3 + 0) = r1; r0 = 0; exit",
  },
  {
    name: "calls a subprogram",
    text: "r1 = 3; r2 = 4; call plus; r1 = r0",
    functions: "fn plus: r0 = r1; r0 += r2; exit",
  },
  {
    name: "lets a subprogram fill its frame",
    text: "*(u64 *)(r10 - A) = 0; r1 = r10; r1 += -A; call zero; r2 = *(u64 *)(r10 - A)",
    functions: "fn zero: *(u32 *)(r1 + 0) = 5; *(u32 *)(r1 + 4) = 6; r0 = 0; exit",
  },
  {
    name: "puts a record out",
    text: "r1 = map ring; r2 = 16; r3 = 0; call bpf_ringbuf_reserve; if r0 == 0 goto FULL; *(u64 *)(r0 + 0) = 1; *(u64 *)(r0 + 8) = 2; r1 = r0; r2 = 0; call bpf_ringbuf_submit; FULL: r0 = 0",
  },
  {
    name: "chooses between its maps",
    text: "call bpf_get_prandom_u32; *(u32 *)(r10 - A) = 0; r2 = r10; r2 += -A; r1 = map own; if r0 == 0 goto CHOSEN; r1 = map cells; CHOSEN: call bpf_map_lookup_elem; if r0 == 0 goto LACKS; *(u64 *)(r0 + 0) = 1; LACKS: r0 = 0",
  },
  { name: "reads what a relocation names", text: "r2 = 5 @core; r3 = 0 @core; r2 += r3; *(u64 *)(r10 - A) = r2" },
  { name: "takes and gives a lock", text: "call kfunc bpf_rcu_read_lock; call kfunc bpf_rcu_read_unlock" },
];
