import type { Btf } from "../btf/btf.js";
import type { TranslatedPointer } from "../model/code.js";

/**
 * Loads that stand for the load of one field of a context, each from where the one before it points to; null for any
 * offset. The kernel may check the first pointer for NULL (bpf_convert_ctx_access, net/core/filter.c).
 */
export type FieldLoads = readonly (number | null)[];

/** The kernel's own structure of a context. */
export interface KernelContext {
  /** Name in the table of program types. */
  readonly name: string;
  readonly pointers: readonly TranslatedPointer[];
  readonly loads: readonly FieldLoads[];
}

/** Where a pointer of a context is: the members of the kernel's structures, whose offsets are added. */
type PointerRow = readonly [kind: TranslatedPointer["kind"], name: string, ...members: string[]];

interface ContextTable {
  readonly name: string;
  readonly types: ReadonlySet<string>;
  readonly pointers: readonly PointerRow[];
  /** Each step as `struct.member`; `*` for any. */
  readonly loads: readonly (readonly string[])[];
}

/**
 * Contexts whose translation is known for these types, in Linux 6.1 to 7.3: xdp_convert_ctx_access,
 * bpf_convert_ctx_access and tc_cls_act_convert_ctx_access of net/core/filter.c, pe_prog_convert_ctx_access of
 * kernel/trace/bpf_trace.c. A flow dissector has another structure in place of the sk_buff, and sk_skb other data in
 * its `cb`.
 */
const CONTEXTS: readonly ContextTable[] = [
  {
    name: "xdp_md",
    types: new Set(["xdp", "ext"]),
    pointers: [
      ["packet", "data", "xdp_buff.data"],
      ["packet_end", "data_end", "xdp_buff.data_end"],
      ["packet", "data_meta", "xdp_buff.data_meta"],
    ],
    loads: [
      ["xdp_buff.rxq", "xdp_rxq_info.dev", "net_device.ifindex"],
      ["xdp_buff.rxq", "xdp_rxq_info.queue_index"],
      ["xdp_buff.txq", "xdp_txq_info.dev", "net_device.ifindex"],
    ],
  },
  {
    name: "__sk_buff",
    types: new Set(["socket_filter", "sched_cls", "sched_act", "cgroup_skb", "lwt_in", "lwt_out", "lwt_xmit"]),
    pointers: [
      ["packet", "data", "sk_buff.data"],
      ["packet_end", "data_end", "sk_buff.cb", "bpf_skb_data_end.data_end"],
      ["packet", "data_meta", "sk_buff.cb", "bpf_skb_data_end.data_meta"],
      ["socket", "sk", "sk_buff.sk"],
    ],
    loads: [["sk_buff.dev", "net_device.ifindex"]],
  },
  {
    name: "bpf_perf_event_data",
    types: new Set(["perf_event"]),
    pointers: [],
    loads: [
      ["bpf_perf_event_data_kern.regs", "*"],
      ["bpf_perf_event_data_kern.data", "perf_sample_data.period"],
      ["bpf_perf_event_data_kern.data", "perf_sample_data.addr"],
    ],
  },
];

/**
 * The contexts of a program of this type as the kernel lays them out. Those that its BTF does not describe in full are
 * left out: their accesses cannot be told apart.
 */
export function kernelContexts(kernel: Btf, type: string): readonly KernelContext[] {
  return CONTEXTS.filter(({ types }) => types.has(type)).flatMap(({ name, pointers, loads }) => {
    const found = pointers.map(([kind, pointer, ...members]): TranslatedPointer | null => {
      const offsets = members.map((member) => offsetOf(kernel, member));
      if (offsets.includes(null)) return null;
      return { name: pointer, kind, size: 8, offset: offsets.reduce<number>((sum, each) => sum + each!, 0) };
    });
    if (found.includes(null)) return [];
    const steps = loads.map((path) => path.map((step) => (step === "*" ? null : (offsetOf(kernel, step) ?? NOWHERE))));
    return [{ name, pointers: found as TranslatedPointer[], loads: steps.filter((path) => !path.includes(NOWHERE)) }];
  });
}

const NOWHERE = -1;
/** How deeply structures without a name may be nested. */
const DEEPEST = 8;

/** The offset in bytes of `struct.member`; null if the BTF does not have it. */
function offsetOf(kernel: Btf, path: string): number | null {
  const [struct, member] = path.split(".") as [string, string];
  const id = kernel.find("struct", struct);
  return id === 0 ? null : memberOffset(kernel, id, member, 0);
}

function memberOffset(kernel: Btf, id: number, wanted: string, depth: number): number | null {
  if (depth > DEEPEST) return null;
  for (const { name, type, bit, bits } of kernel.members(id)) {
    if (name === wanted) return bits === 0 && bit % 8 === 0 ? bit / 8 : null;
    if (name !== "") continue;
    const within = memberOffset(kernel, kernel.resolve(type), wanted, depth + 1);
    if (within !== null) return bit / 8 + within;
  }
  return null;
}
