/**
 * Things that a read-only program must not do, each a few lines to be put into one. In the text `r1` is the context, r0
 * to r9 are free, and `A`, `B`, `C`, `D` are unused slots of 8 bytes in the frame. The lists of helpers are the
 * kernel's own classes, written down here apart from the tables of src/bpf, so that the one tests the other.
 */

import { mapOf } from "../../src/bpf/assembly/assembly.js";
import type { CodeMap } from "../../src/bpf/model/code.js";
import { EFFECTS, type EffectName } from "../../src/bpf/model/facts.js";
import { PROGRAM_TYPES } from "../../src/bpf/tables/names.gen.js";

export interface Act {
  readonly name: string;
  /** What must be true of a program with it. */
  readonly effects: readonly EffectName[];
  readonly text: string;
  /** Functions to append, with labels of their own. */
  readonly functions?: string;
  /** Only in programs of these types. */
  readonly types?: readonly string[];
  /** It sets what the program returns: only right before its end, in the program itself. */
  readonly returns?: true;
}

/** The maps that the texts name. */
export const ACT_MAPS: Readonly<Record<string, CodeMap>> = {
  own: mapOf("own", { type: "array", value_size: 64 }),
  cells: mapOf("cells", { value_size: 64 }),
  pinned: mapOf("pinned", { own: false, value_size: 64 }),
  pinnedData: mapOf("pinned_data", { own: false, type: "array", value_size: 64 }),
  pinnedRing: mapOf("pinned_ring", { own: false, type: "ringbuf", key_size: 0, value_size: 0, max_entries: 4096 }),
  pinnedQueue: mapOf("pinned_queue", { own: false, type: "queue", key_size: 0 }),
  outer: mapOf("outer", { type: "array_of_maps", value_size: 4, inner: mapOf("inner", { own: false }) }),
  ring: mapOf("ring", { type: "ringbuf", key_size: 0, value_size: 0, max_entries: 4096 }),
  numbers: mapOf("numbers", {
    type: "array",
    value_size: 16,
    frozen: true,
    data: Buffer.from("%d %-5lu%08llx%%\0".padEnd(16, "\0"), "latin1"),
  }),
  jumps: mapOf("jumps", { type: "prog_array", value_size: 4 }),
  storage: mapOf("storage", { own: false, type: "task_storage" }),
  strings: mapOf("strings", {
    type: "array",
    value_size: 64,
    frozen: true,
    data: Buffer.from("%s\0...%pks\0.%pus\0.%pI4\0.%pS\0..%d %s\0".padEnd(64, "\0"), "latin1"),
  }),
};

const HELPERS: Readonly<Partial<Record<EffectName, readonly number[]>>> = {
  reads_kernel_memory: [4, 45, 113, 115, 27, 67, 141, 119, 176, 147, 149, 150, 153, 154, 179, 35, 158, 175],
  reads_user_memory: [112, 114, 148, 191],
  writes_user_memory: [36],
  writes_packet: [
    9, 10, 11, 13, 18, 19, 31, 38, 39, 43, 44, 50, 54, 63, 65, 73, 74, 75, 76, 90, 91, 143, 190, 21, 30, 32, 48, 41, 40,
    135, 97, 192, 144,
  ],
  redirects: [23, 13, 51, 152, 155, 52, 72, 60, 71, 82, 124],
  sends_signal: [109, 117],
  overrides_return: [58, 187, 104, 159],
  changes_socket: [49, 64, 59, 116, 53, 70],
  changes_kernel_state: [77, 78, 92],
  calls_bpf: [166, 167, 168],
  tail_calls: [12],
};

const KFUNCS: Readonly<Partial<Record<EffectName, readonly string[]>>> = {
  reads_kernel_memory: ["bpf_path_d_path", "bpf_get_file_xattr", "bpf_probe_read_kernel_dynptr", "bpf_strlen"],
  reads_user_memory: ["bpf_copy_from_user_str", "bpf_copy_from_user_task_str", "bpf_probe_read_user_dynptr"],
  writes_packet: ["bpf_skb_set_fou_encap", "bpf_xdp_pull_data", "bpf_xdp_metadata_rx_hash"],
  redirects: ["bpf_sk_assign_tcp_reqsk"],
  sends_signal: ["bpf_send_signal_task"],
  changes_socket: ["bpf_sock_destroy", "tcp_cong_avoid_ai", "bpf_sock_ops_enable_tx_tstamp"],
  changes_kernel_state: [
    "bpf_set_dentry_xattr",
    "bpf_ct_set_timeout",
    "bpf_ct_insert_entry",
    "crash_kexec",
    "scx_bpf_kick_cpu",
    "bpf_task_work_schedule_signal_impl",
    "bpf_crypto_ctx_create",
    "bpf_verify_pkcs7_signature",
    "scx_bpf_dsq_nr_queued",
  ],
  writes_ctx: ["bpf_sock_addr_set_sun_path"],
};

/** Types whose context holds pointers to a packet, with what stands for `DATA`, `END` and `WIDTH` in a text. */
export const PACKETS: Readonly<Record<string, readonly [data: string, end: string, meta: string]>> = {
  xdp: ["0", "4", "8"],
  sched_cls: ["76", "80", "140"],
  sched_act: ["76", "80", "140"],
};
const packets = Object.keys(PACKETS);
/** Types that get the arguments of a kernel function, with its types. */
const traced = ["tracing", "lsm", "struct_ops"];
/** Types of which no kernel accepts a store into the context. `kprobe` is none of them: its stores are for uprobes. */
const readOnlyContexts = ["tracepoint", "raw_tracepoint", "raw_tracepoint_writable", "perf_event", "tracing"];
const otherContexts = PROGRAM_TYPES.filter((type) => !readOnlyContexts.includes(type));
/** Types whose programs may store into some kernel objects: those with `btf_struct_access`. */
const writableObjects = ["xdp", "sched_cls", "sched_act", "struct_ops"];
/** Types whose return value decides, and to which 1 is not neutral. */
const verdicts = ["xdp", "sched_cls", "sched_act", "socket_filter"];

const READY = "r2 = r10; r2 += -A; r3 = 8; r4 = 0; r5 = 0";
const INTO_PACKET = `r2 = *(u32 *)(r1 + DATA); r3 = *(u32 *)(r1 + END); r4 = r2; r4 += 14; if r4 > r3 goto SKIP`;
const LOOKUP = (map: string) =>
  `*(u32 *)(r10 - A) = 0; r2 = r10; r2 += -A; r1 = map ${map}; call bpf_map_lookup_elem; if r0 == 0 goto SKIP`;

const packet = (name: string, text: string, functions?: string): Act => ({
  name: `stores into the packet ${name}`,
  effects: ["writes_packet"],
  text: `${INTO_PACKET}; ${text}; SKIP: r0 = 0`,
  types: packets,
  ...(functions === undefined ? {} : { functions }),
});

const shared = (name: string, text: string, functions?: string): Act => ({
  name: `changes a map that is not its own ${name}`,
  effects: ["writes_shared_map"],
  text,
  ...(functions === undefined ? {} : { functions }),
});

const format = (effect: EffectName, name: string, text: string, functions?: string): Act => ({
  name: `prints by a format ${name}`,
  effects: [effect],
  text,
  ...(functions === undefined ? {} : { functions }),
});

const returned = (name: string, text: string, functions?: string): Act => ({
  name: `returns ${name}`,
  effects: ["decides"],
  text,
  types: verdicts,
  returns: true,
  ...(functions === undefined ? {} : { functions }),
});

const UPDATE = "*(u32 *)(r10 - A) = 0; r2 = r10; r2 += -A; r3 = r2; r4 = 0";
const RODATA = (offset: number) => `r1 = value strings + ${offset}; r2 = 4; r3 = 1234; call bpf_trace_printk`;

export const ACTS: readonly Act[] = [
  ...Object.entries(HELPERS).flatMap(([effect, ids]) =>
    ids.map(
      (id): Act => ({ name: `calls helper ${id}`, effects: [effect as EffectName], text: `${READY}; call ${id}` }),
    ),
  ),
  ...Object.entries(KFUNCS).flatMap(([effect, names]) =>
    names.map(
      (name): Act => ({
        name: `calls kfunc ${name}`,
        effects: [effect as EffectName],
        text: `${READY}; call kfunc ${name}`,
      }),
    ),
  ),

  {
    name: "calls helper 180",
    effects: ["reads_kernel_memory"],
    text: "r1 = 0; r2 = 0; r3 = func seeArea; r4 = 0; r5 = 0; call bpf_find_vma",
    functions: "fn seeArea: r0 = 0; exit",
  },

  packet("from a register", "*(u8 *)(r2 + 0) = r3"),
  packet("of a constant", "*(u16 *)(r2 + 12) = 8"),
  packet("atomically", "r3 = 1; lock *(u64 *)(r2 + 0) += r3"),
  packet("by an exchange", "r3 = 1; r3 = xchg_64(r2 + 0, r3)"),
  packet("by fetch and or", "r3 = 1; r3 = atomic_fetch_or((u64 *)(r2 + 0), r3)"),
  packet("through a spilled pointer", "*(u64 *)(r10 - A) = r2; r2 = 0; r5 = *(u64 *)(r10 - A); *(u8 *)(r5 + 0) = r3"),
  packet("at a computed place", "r5 = *(u8 *)(r2 + 0); r5 &= 7; r2 += r5; *(u8 *)(r2 + 0) = r3"),
  packet("from its end backwards", "r2 = r4; r2 += -14; *(u8 *)(r2 + 0) = r3"),
  packet("through a moved pointer", "r7 = r2; r8 = r7; *(u8 *)(r8 + 1) = 0"),
  packet(
    "through a subprogram's argument",
    "r1 = r2; call storeFirst",
    "fn storeFirst: *(u8 *)(r1 + 0) = 1; r0 = 0; exit",
  ),
  packet(
    "through a subprogram's subprogram",
    "r1 = r3; call storeOuter",
    "fn storeOuter: r1 += -14; call storeInner; exit; fn storeInner: *(u8 *)(r1 + 0) = 1; r0 = 0; exit",
  ),
  packet(
    "through a pointer in the caller's frame",
    "*(u64 *)(r10 - A) = r2; r1 = r10; r1 += -A; call storeBehind",
    "fn storeBehind: r2 = *(u64 *)(r1 + 0); *(u8 *)(r2 + 0) = 1; r0 = 0; exit",
  ),
  packet(
    "through a pointer that a subprogram left in the frame",
    "*(u64 *)(r10 - A) = 0; r2 = r10; r2 += -A; call leavePointer; r2 = *(u64 *)(r10 - A); *(u8 *)(r2 + 0) = 1",
    "fn leavePointer: r3 = *(u32 *)(r1 + DATA); *(u64 *)(r2 + 0) = r3; r0 = 0; exit",
  ),
  packet(
    "through a pointer that a subprogram returned",
    "call givePointer; *(u8 *)(r0 + 0) = 1",
    "fn givePointer: r0 = *(u32 *)(r1 + DATA); exit",
  ),
  packet(
    "in a callback",
    "*(u64 *)(r10 - A) = r2; r3 = r10; r3 += -A; r1 = 3; r2 = func storeEach; r4 = 0; call bpf_loop",
    "fn storeEach: r3 = *(u64 *)(r2 + 0); *(u8 *)(r3 + 0) = 1; r0 = 0; exit",
  ),
  packet("in a loop", "r5 = 0; AGAIN: *(u8 *)(r2 + 0) = 1; r2 += 1; r5 += 1; if r5 < 4 goto AGAIN"),
  packet(
    "after a join with its own frame",
    "r5 = r10; r5 += -A; *(u64 *)(r10 - A) = 0; r6 = *(u8 *)(r2 + 0); if r6 == 0 goto JOINED; r5 = r2; JOINED: *(u8 *)(r5 + 0) = 1",
  ),
  packet(
    "at an offset from NULL",
    "*(u64 *)(r10 - B) = r2; *(u32 *)(r10 - A) = 0; r2 = r10; r2 += -A; r1 = map own; call bpf_map_lookup_elem; if r0 != 0 goto SKIP; r2 = *(u64 *)(r10 - B); r0 += r2; *(u8 *)(r0 + 0) = 1",
  ),
  packet(
    "at an offset from NULL, the other way round",
    "*(u64 *)(r10 - B) = r2; *(u32 *)(r10 - A) = 0; r2 = r10; r2 += -A; r1 = map own; call bpf_map_lookup_elem; if r0 != 0 goto SKIP; r2 = *(u64 *)(r10 - B); r2 += r0; *(u8 *)(r2 + 0) = 1",
  ),
  packet(
    "through a pointer in one of two callers' frames",
    "*(u64 *)(r10 - A) = r2; *(u64 *)(r10 - B) = r2; r1 = r10; r1 += -B; call followIt; r1 = 0; call callIt",
    "fn callIt: *(u64 *)(r10 - 8) = 0; r1 = r10; r1 += -8; call followIt; exit; fn followIt: r2 = *(u64 *)(r1 + 0); if r2 == 0 goto NONE; *(u8 *)(r2 + 0) = 1; NONE: r0 = 0; exit",
  ),
  packet(
    "through a pointer that one of two callers gets back in its frame",
    "*(u64 *)(r10 - A) = 0; r2 = r10; r2 += -A; call putIt; call putAlso; r2 = *(u64 *)(r10 - A); *(u8 *)(r2 + 0) = 1",
    "fn putAlso: *(u64 *)(r10 - 16) = 0; r2 = r10; r2 += -16; call putIt; exit; fn putIt: r3 = *(u32 *)(r1 + DATA); *(u64 *)(r2 + 0) = r3; r0 = 0; exit",
  ),
  packet("by a helper's result", "r1 = r2; r2 = 4; r3 = 1234; call bpf_probe_read_kernel"),
  ...["sched_cls", "xdp"].flatMap((type) =>
    [
      "call 202",
      "call kfunc bpf_dynptr_memset",
      "call kfunc bpf_dynptr_copy",
      "call kfunc bpf_crypto_encrypt",
      "call kfunc bpf_probe_read_kernel_dynptr",
      "call kfunc bpf_dynptr_slice_rdwr; if r0 == 0 goto SKIP; *(u8 *)(r0 + 0) = 1; SKIP: r0 = 0",
    ].map(
      (text): Act => ({
        name: `writes to a packet's dynptr: ${text}`,
        effects: ["writes_packet"],
        types: [type],
        text: `${READY}; r3 = r10; r3 += -C; call kfunc bpf_dynptr_from_${type === "xdp" ? "xdp" : "skb"}; r1 = r10; r1 += -C; r2 = 0; r3 = r10; r3 += -A; r4 = 8; r5 = 0; ${text}`,
      }),
    ),
  ),
  {
    name: "writes to a packet's dynptr in a subprogram",
    effects: ["writes_packet"],
    types: ["xdp"],
    text: `r2 = 0; r3 = r10; r3 += -C; call kfunc bpf_dynptr_from_xdp; r1 = r10; r1 += -C; call writeIt`,
    functions:
      "fn writeIt: *(u64 *)(r10 - 8) = 0; r2 = 0; r3 = r10; r3 += -8; r4 = 8; r5 = 0; call bpf_dynptr_write; r0 = 0; exit",
  },
  {
    name: "stores into the packet's metadata",
    effects: ["writes_packet"],
    text: `r2 = *(u32 *)(r1 + META); r3 = *(u32 *)(r1 + DATA); r4 = r2; r4 += 4; if r4 > r3 goto SKIP; *(u32 *)(r2 + 0) = 1; SKIP: r0 = 0`,
    types: packets,
  },
  {
    name: "stores into the packet found by a relocated load",
    effects: ["writes_packet"],
    text: "r2 = *(u32 *)(r1 + 16) @core; *(u8 *)(r2 + 0) = 1",
    types: packets,
  },

  {
    name: "stores into its context",
    effects: ["writes_ctx"],
    text: "r2 = 1; *(u32 *)(r1 + 8) = r2",
    types: otherContexts,
  },
  {
    name: "stores a constant into its context",
    effects: ["writes_ctx"],
    text: "*(u32 *)(r1 + 48) = 1",
    types: otherContexts,
  },
  {
    name: "stores into its context at a relocated place",
    effects: ["writes_ctx"],
    text: "*(u32 *)(r1 + 0) = 1 @core",
    types: otherContexts,
  },
  {
    name: "adds to its context atomically",
    effects: ["writes_ctx"],
    text: "r2 = 1; lock *(u32 *)(r1 + 8) += r2",
    types: otherContexts,
  },
  {
    name: "stores into its context through the frame",
    effects: ["writes_ctx"],
    types: otherContexts,
    text: "*(u64 *)(r10 - A) = r1; r1 = 0; r2 = *(u64 *)(r10 - A); *(u32 *)(r2 + 8) = 1",
  },
  {
    name: "stores into its context in a subprogram",
    effects: ["writes_ctx"],
    types: otherContexts,
    text: "call markIt",
    functions: "fn markIt: *(u32 *)(r1 + 8) = 1; r0 = 0; exit",
  },

  shared("with bpf_map_update_elem", `${UPDATE}; r1 = map pinned; call bpf_map_update_elem`),
  shared("with bpf_map_delete_elem", `${UPDATE}; r1 = map pinned; call bpf_map_delete_elem`),
  shared("by a store", `${LOOKUP("pinned")}; *(u64 *)(r0 + 0) = 1; SKIP: r0 = 0`),
  shared("by an atomic addition", `${LOOKUP("pinned")}; r1 = 1; lock *(u64 *)(r0 + 8) += r1; SKIP: r0 = 0`),
  shared("in its global data", "r1 = value pinnedData + 8; *(u32 *)(r1 + 0) = 1"),
  shared("that an outer map holds", `${LOOKUP("outer")}; r1 = r0; ${UPDATE}; call bpf_map_update_elem; SKIP: r0 = 0`),
  shared("by an event", `r1 = map pinnedRing; ${READY}; *(u64 *)(r10 - A) = 0; r3 = 8; call bpf_ringbuf_output`),
  shared("by a reserved event", "r1 = map pinnedRing; r2 = 8; r3 = 0; call bpf_ringbuf_reserve"),
  shared(
    "by a push",
    "*(u64 *)(r10 - A) = 0; r1 = map pinnedQueue; r2 = r10; r2 += -A; r3 = 0; call bpf_map_push_elem",
  ),
  shared("by a storage", "r1 = map storage; r2 = 0; r3 = 0; r4 = 1; call bpf_task_storage_get"),
  shared(
    "through a dynptr of its value",
    `${LOOKUP("pinnedData")}; r1 = r0; r2 = 32; r3 = 0; r4 = r10; r4 += -C; call bpf_dynptr_from_mem; *(u64 *)(r10 - A) = 0; r1 = r10; r1 += -C; r2 = 0; r3 = r10; r3 += -A; r4 = 8; r5 = 0; call bpf_dynptr_write; SKIP: r0 = 0`,
  ),
  shared(
    "by an event in a dynptr",
    "r1 = map pinnedRing; r2 = 8; r3 = 0; r4 = r10; r4 += -C; call bpf_ringbuf_reserve_dynptr; r1 = r10; r1 += -C; r2 = 0; call bpf_ringbuf_discard_dynptr",
  ),
  shared(
    "by a store into an object that its value holds",
    `${LOOKUP("pinned")}; r0 = *(u64 *)(r0 + 0); if r0 == 0 goto SKIP; *(u64 *)(r0 + 0) = 1; SKIP: r0 = 0`,
  ),
  shared(
    "by a store into an object that it takes out of its value",
    `${LOOKUP("pinned")}; r1 = r0; r2 = 0; call bpf_kptr_xchg; if r0 == 0 goto SKIP; *(u64 *)(r0 + 0) = 1; SKIP: r0 = 0`,
  ),
  shared(
    "at an offset from NULL",
    `${LOOKUP("pinned")}; r6 = r0; *(u32 *)(r10 - A) = 0; r2 = r10; r2 += -A; r1 = map own; call bpf_map_lookup_elem; if r0 != 0 goto SKIP; r0 += r6; *(u64 *)(r0 + 0) = 1; SKIP: r0 = 0`,
  ),
  shared(
    "in a callback for each element",
    "r1 = map pinned; r2 = func setEach; r3 = 0; r4 = 0; call bpf_for_each_map_elem",
    "fn setEach: *(u64 *)(r3 + 0) = 1; r0 = 0; exit",
  ),
  shared(
    "in a subprogram",
    `${LOOKUP("pinned")}; r1 = r0; call setValue; SKIP: r0 = 0`,
    "fn setValue: *(u64 *)(r1 + 0) = 1; r0 = 0; exit",
  ),
  shared(
    "by a helper's result",
    `${LOOKUP("pinned")}; r1 = r0; r2 = 8; r3 = 1234; call bpf_probe_read_kernel; SKIP: r0 = 0`,
  ),
  shared(
    "or its own, whichever it found",
    `*(u32 *)(r10 - A) = 0; r2 = r10; r2 += -A; call bpf_get_prandom_u32; r2 = r10; r2 += -A; r1 = map own; if r0 == 0 goto BOTH; r1 = map pinned; BOTH: call bpf_map_lookup_elem; if r0 == 0 goto SKIP; *(u64 *)(r0 + 0) = 1; SKIP: r0 = 0`,
  ),

  {
    name: "stores into a kernel object that it was given",
    effects: ["changes_kernel_state"],
    text: "r2 = *(u64 *)(r1 + 0); *(u64 *)(r2 + 16) = 1",
    types: ["struct_ops"],
  },
  {
    name: "stores into the task",
    effects: ["changes_kernel_state"],
    types: writableObjects,
    text: "call bpf_get_current_task_btf; *(u64 *)(r0 + 16) = 1",
  },
  {
    name: "stores into the task that a map held",
    effects: ["changes_kernel_state"],
    types: writableObjects,
    text: `${LOOKUP("own")}; r0 = *(u64 *)(r0 + 0); if r0 == 0 goto SKIP; *(u64 *)(r0 + 16) = 1; SKIP: r0 = 0`,
  },
  {
    name: "lets a helper store into the task",
    effects: ["changes_kernel_state"],
    text: "call bpf_get_current_task_btf; r1 = r0; r2 = 8; r3 = 1234; call bpf_probe_read_kernel",
  },
  {
    name: "stores into a kernel variable",
    effects: ["changes_kernel_state"],
    text: "r2 = ksym jiffies; *(u64 *)(r2 + 0) = 1",
  },
  {
    name: "stores into a per-CPU variable",
    effects: ["changes_kernel_state"],
    text: "r1 = ksym runqueues; r2 = 0; call bpf_per_cpu_ptr; if r0 == 0 goto SKIP; *(u64 *)(r0 + 0) = 1; SKIP: r0 = 0",
  },
  {
    name: "stores into this CPU's variable, or into the task",
    effects: ["changes_kernel_state"],
    text: `call bpf_get_current_task_btf; r6 = r0; call bpf_get_prandom_u32; if r0 == 0 goto BOTH; r1 = ksym runqueues; call bpf_this_cpu_ptr; r6 = r0; BOTH: *(u64 *)(r6 + 0) = 1`,
  },
  {
    name: "stores through a number",
    effects: EFFECTS.filter((effect) => effect.startsWith("writes_")),
    text: "r2 = 0x12345678 ll; *(u64 *)(r2 + 0) = 1",
  },
  {
    name: "reads a kernel object that it was given",
    effects: ["reads_kernel_memory"],
    text: "r2 = *(u64 *)(r1 + 0); r2 = *(u64 *)(r2 + 16)",
    types: traced,
  },
  { name: "reads a kernel symbol", effects: ["reads_kernel_memory"], text: "r2 = ksym jiffies; r2 = *(u64 *)(r2 + 0)" },
  {
    name: "reads through a cast",
    effects: ["reads_kernel_memory"],
    text: "r1 = 1234; r2 = 5; call kfunc bpf_rdonly_cast; r0 = *(u64 *)(r0 + 0)",
  },

  format("reads_kernel_memory", "with %s", RODATA(0)),
  format("reads_user_memory", "with %s, as it may be the user's", RODATA(0)),
  format("reads_kernel_memory", "with %pks", RODATA(6)),
  format("reads_user_memory", "with %pus", RODATA(12)),
  format("reads_kernel_memory", "with %pI4", RODATA(18)),
  format("reads_kernel_memory", "with %pS", RODATA(24)),
  format("reads_kernel_memory", "whose second conversion reads", RODATA(30)),
  format("reads_kernel_memory", "that may be changed", "r1 = value own + 0; r2 = 8; r3 = 1; call bpf_trace_printk"),
  format(
    "reads_kernel_memory",
    "on its stack",
    "r2 = 0x7325 ll; *(u64 *)(r10 - A) = r2; r1 = r10; r1 += -A; r2 = 3; r3 = 1234; call bpf_trace_printk",
  ),
  format(
    "reads_kernel_memory",
    "on its stack that a helper wrote",
    "*(u64 *)(r10 - A) = 100; r1 = r10; r1 += -A; r2 = 8; call bpf_get_current_comm; r1 = r10; r1 += -A; r2 = 3; r3 = 1234; call bpf_trace_printk",
  ),
  format(
    "reads_kernel_memory",
    "on its stack that a subprogram wrote",
    "r2 = 0x6425 ll; *(u64 *)(r10 - A) = r2; r1 = r10; r1 += -A; call spell; r1 = r10; r1 += -A; r2 = 3; r3 = 1234; call bpf_trace_printk",
    "fn spell: *(u8 *)(r1 + 1) = 115; r0 = 0; exit",
  ),
  format(
    "reads_kernel_memory",
    "in bpf_snprintf",
    "r1 = r10; r1 += -A; r2 = 8; r3 = value strings + 0; r4 = r10; r4 += -B; *(u64 *)(r10 - B) = r1; r5 = 8; call bpf_snprintf",
  ),

  ...[
    ["puts its context into its map", `r6 = r1; ${LOOKUP("own")}; *(u64 *)(r0 + 0) = r6; SKIP: r0 = 0`],
    ["adds its frame to its map", `${LOOKUP("own")}; r2 = r10; lock *(u64 *)(r0 + 0) += r2; SKIP: r0 = 0`],
    [
      "remembers a part of its context",
      "w2 = w1; *(u64 *)(r10 - A) = r2; r2 = r10; r2 += -A; r1 = map ring; r3 = 8; r4 = 0; call bpf_ringbuf_output",
    ],
    [
      "has a map's address as a key",
      "*(u64 *)(r10 - B) = 0; r2 = map own; *(u32 *)(r10 - A) = r2; r2 = r10; r2 += -A; r3 = r10; r3 += -B; r4 = 0; r1 = map cells; call bpf_map_update_elem",
    ],
    ["prints its context", "r3 = r1; r1 = value numbers + 0; r2 = 16; r4 = 2; call bpf_trace_printk"],
  ].map(([name, text]): Act => ({ name: name!, effects: ["reveals_addresses"], text: text! })),

  { name: "makes a tail call", effects: ["tail_calls"], text: "r2 = map jumps; r3 = 0; call bpf_tail_call" },
  ...["call 212", "call 5000", "call kfunc bpf_not_known_to_anybody"].map(
    (text): Act => ({ name: `${text}, which is not known`, effects: EFFECTS, text: `${READY}; ${text}` }),
  ),
  { name: "calls bpf(2)", effects: EFFECTS, text: `r1 = 5; ${READY}; call bpf_sys_bpf` },

  returned("another constant", "r0 = 1"),
  returned("another constant in 32 bits", "w0 = 1"),
  returned("what a map says", `${LOOKUP("own")}; r0 = *(u32 *)(r0 + 0); SKIP: r0 += 0`),
  returned("a random number", "call bpf_get_prandom_u32"),
  returned("a number of two", "call bpf_get_prandom_u32; r0 &= 1"),
  returned("what a relocation puts there", "r0 = 2 @core"),
  returned(
    "what is not neutral on one path",
    "call bpf_get_prandom_u32; r6 = r0; r0 = 2; if r6 != 0 goto SAME; r0 = 1; SAME: r0 += 0",
  ),
  returned("a number that was spilled", "*(u64 *)(r10 - A) = 1; r0 = *(u64 *)(r10 - A)"),
  returned("half of a slot", "*(u32 *)(r10 - A) = 1; r0 = *(u32 *)(r10 - A)"),
  returned(
    "what a helper wrote over the frame",
    "*(u64 *)(r10 - A) = 2; r1 = r10; r1 += -A; r2 = 8; call bpf_get_current_comm; r0 = *(u64 *)(r10 - A)",
  ),
  returned(
    "what a subprogram wrote over the frame",
    "*(u64 *)(r10 - A) = 2; r1 = r10; r1 += -A; call change; r0 = *(u64 *)(r10 - A)",
    "fn change: *(u64 *)(r1 + 0) = 1; r0 = 0; exit",
  ),
  returned(
    "what a subprogram of two callers wrote over the frame",
    "*(u64 *)(r10 - A) = 2; r1 = r10; r1 += -A; call changeIt; call changeAlso; r0 = *(u64 *)(r10 - A)",
    "fn changeAlso: *(u64 *)(r10 - 24) = 2; r1 = r10; r1 += -24; call changeIt; exit; fn changeIt: *(u64 *)(r1 + 0) = 1; r0 = 0; exit",
  ),
  returned(
    "what a subprogram of two callers may have written in part",
    "*(u64 *)(r10 - A) = 2; r1 = r10; r1 += -A; r1 += 1; call changePart; call changeElse; r0 = *(u64 *)(r10 - A)",
    "fn changeElse: *(u64 *)(r10 - 24) = 2; r1 = r10; r1 += -24; call changePart; exit; fn changePart: *(u8 *)(r1 + 0) = 1; r0 = 0; exit",
  ),
  returned(
    "what a callback wrote over the frame",
    "*(u64 *)(r10 - A) = 2; r1 = 1; r2 = func changeEach; r3 = r10; r3 += -A; r4 = 0; call bpf_loop; r0 = *(u64 *)(r10 - A)",
    "fn changeEach: *(u64 *)(r2 + 0) = 1; r0 = 0; exit",
  ),
  returned("what it added up", "*(u64 *)(r10 - A) = 1; r2 = 1; lock *(u64 *)(r10 - A) += r2; r0 = *(u64 *)(r10 - A)"),
  returned("what a subprogram returns", "call decide", "fn decide: r0 = 1; exit"),
  returned("a count of turns", "r0 = 0; MORE: r0 += 1; if r0 < 5 goto MORE"),
  returned("a pointer", "r0 = r10"),
  returned("a shifted number", "r0 = 4; r0 >>= 2"),
  returned("a negated number", "r0 = 1; r0 = -r0; r0 = -r0"),
  {
    name: "returns what redirects",
    effects: ["redirects", "decides"],
    text: "r0 = 4",
    types: ["xdp"],
    returns: true,
  },
  {
    name: "returns what redirects",
    effects: ["redirects", "decides"],
    text: "r0 = 7",
    types: ["sched_cls", "sched_act"],
    returns: true,
  },
];
