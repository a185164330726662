import type { Code } from "../code.js";
import { CALL_SRC, OP } from "../insn.js";
import { MAKE_PACKET_DYNPTRS } from "../tables/dynptrs.js";

/** Types whose programs call nobody but the kernel's own functions with dynptrs, and are given none themselves. */
const GIVEN_NONE = new Set([
  "socket_filter",
  "kprobe",
  "sched_cls",
  "sched_act",
  "tracepoint",
  "xdp",
  "perf_event",
  "cgroup_skb",
  "raw_tracepoint",
  "raw_tracepoint_writable",
  "tracing",
  "lsm",
]);

/**
 * Whether a dynptr of this program may stand for a packet. It may if one is made of a packet anywhere in the program, or if the
 * program may be given one that others made: `ext` takes the place of a function whose arguments may be dynptrs, `struct_ops` gets
 * what a subsystem passes. All other dynptrs lie in memory that is judged where they are made: bpf_dynptr_from_mem counts as a
 * store into its buffer, bpf_ringbuf_reserve_dynptr and bpf_user_ringbuf_drain as a change of their map (tables/helpers.ts). A
 * kfunc that is not known, or is in a module, makes every effect true.
 */
export function mayHavePacketDynptr(code: Code): boolean {
  if (!GIVEN_NONE.has(code.type)) return true;
  const { opcode, src, count } = code.insns;
  for (let slot = 0; slot < count; slot++) {
    if (opcode[slot] === OP.LD_IMM64) slot += 1;
    else if (opcode[slot] === OP.CALL && src[slot] === CALL_SRC.KFUNC) {
      const name = code.kfuncAt(slot)?.name;
      if (name === undefined || MAKE_PACKET_DYNPTRS.has(name)) return true;
    }
  }
  return false;
}
