import type { EvidenceCollector } from "../evidence/evidence-collector.js";
import { CALL_SRC, OP } from "../insn/insn.js";
import type { Code } from "../model/code.js";
import { MAKE_PACKET_DYNPTRS } from "../tables/dynptrs.js";
import { KIND } from "./values/kinds.js";
import type { Values } from "./values/values.js";

/** Types whose programs pass dynptrs only to functions of the kernel, and are not passed any themselves. */
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

/** The memory behind the dynptrs of a program. */
export class Dynptrs {
  #mayStandForPacket: boolean | undefined;

  constructor(
    readonly code: Code,
    readonly values: Values,
    readonly findings: EvidenceCollector,
  ) {}

  /** Records that the memory behind the dynptr that a value points to may be written. */
  fill(slot: number, dynptr: number, who: string): void {
    const verb = `lets \`${who}\` store into what a dynptr stands for`;
    if (this.standsForPacket()) this.findings.note("writes_packet", slot, `${verb}, which may be the packet`);
    if ((this.behind(dynptr) & KIND.LENT) !== 0)
      this.findings.note("writes_shared_map", slot, `${verb}, which may be a map's value of its caller`);
  }

  /**
   * The kinds of memory behind the dynptr that a value points to, except a packet. A dynptr that the program created
   * has memory that was recorded as written at its creation. A dynptr that was passed to the program, or cloned from
   * such a one, has memory of the caller.
   */
  behind(dynptr: number): number {
    const own = KIND.STACK | KIND.MEMORY | KIND.NUMBER | KIND.ADDRESS;
    const given = !GIVEN_NONE.has(this.code.type) || (this.values.kinds(dynptr) & ~own) !== 0;
    return given ? KIND.MEMORY | KIND.LENT : KIND.MEMORY;
  }

  standsForPacket(): boolean {
    this.#mayStandForPacket ??= mayHavePacketDynptr(this.code);
    return this.#mayStandForPacket;
  }
}

/**
 * Whether a dynptr of this program may be one of a packet: if the program creates such a dynptr anywhere, or may be
 * passed one. `ext` replaces a function whose arguments may be dynptrs; `struct_ops` gets the arguments of a subsystem.
 * All other dynptrs have memory that is judged where they are created: bpf_dynptr_from_mem counts as a store into its
 * buffer, bpf_ringbuf_reserve_dynptr and bpf_user_ringbuf_drain as a change of their map (tables/helpers.ts). An
 * unknown kfunc, or one of a module, makes every effect true.
 */
function mayHavePacketDynptr(code: Code): boolean {
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
