import { ATTACH_TYPES } from "../../../bpf/tables/names.gen.js";
import type { TargetKind } from "../../../hooks/command.js";
import type { FileIdentity } from "../../task/blocking/blocking-op.js";
import { cgroupPath } from "./cgroup.js";
import { counted, type Field } from "./fields.js";
import { ITERATOR, ITERATOR_INFO } from "./iterator.js";
import { MOST_SHOWN, type Target } from "./target.js";
import { textOf } from "./texts.js";
import { UPROBE_MULTI, UPROBES } from "./uprobes.js";

/** Offsets of BPF_LINK_CREATE: of the fields that all links have, and then of those of each target. */
export const LINK_CREATE = { progFd: 0, targetFd: 4, attachType: 8, flags: 12, size: 64 } as const;
/** The members after `flags`, by the struct of link_create that they are in; `cgroup` is like `tcx`. */
export const LINK_TARGET = {
  tcx: { relativeFd: 16, expectedRevision: 24 },
  tracing: { targetBtfId: 16, cookie: 24 },
  perfEvent: { bpfCookie: 16 },
  kprobeMulti: { flags: 16, cnt: 20, syms: 24, addrs: 32, cookies: 40 },
  uprobeMulti: UPROBE_MULTI,
  netfilter: { pf: 16, hooknum: 20, priority: 24, flags: 28 },
  iterator: ITERATOR_INFO,
} as const;
const { tcx, tracing, perfEvent, kprobeMulti, netfilter } = LINK_TARGET;

const u32 = (at: number): Field => ({ is: "value", at });
const u64 = (at: number): Field => ({ is: "value", at, size: 8 });

/** For tcx, netkit and cgroup. */
const ORDERED: readonly Field[] = [
  { is: "relative", at: tcx.relativeFd, flags: LINK_CREATE.flags },
  u64(tcx.expectedRevision),
];

const CGROUP: Target = {
  kind: "cgroup",
  by: "fd",
  fields: ORDERED,
  facts: ({ file }) => ({ path: cgroupPath(file()) }),
};
const INTERFACE: Target = {
  kind: "interface",
  by: "number",
  fields: [],
  facts: ({ copy, targetAt }) => ({ ifindex: copy.given.u32(targetAt) }),
};
const ORDERED_INTERFACE: Target = { ...INTERFACE, fields: ORDERED };
const NETNS: Target = {
  kind: "netns",
  by: "fd",
  fields: [],
  facts: ({ file }) => ({ namespace: inodeOf(file()) }),
};
const MAP: Target = { kind: "map", by: "fd", fields: [] };
/** Without a target program, the target is the function that the program was loaded for. */
const FUNCTION: Target = {
  kind: "function",
  by: "fd or none",
  fields: [u32(tracing.targetBtfId), u64(tracing.cookie)],
  facts: ({ copy, object, held }) => ({
    name: object?.attachTo ?? null,
    btf_id: held === null ? null : copy.given.u32(tracing.targetBtfId),
  }),
};
const KPROBES: Target = {
  kind: "kprobes",
  by: "nothing",
  fields: [
    u32(kprobeMulti.flags),
    { is: "texts", at: kprobeMulti.syms, count: kprobeMulti.cnt },
    counted(kprobeMulti.addrs, kprobeMulti.cnt),
    counted(kprobeMulti.cookies, kprobeMulti.cnt),
  ],
  probeCount: kprobeMulti.cnt,
  facts: ({ copy: { texts } }) => ({
    symbols: texts === null || texts.length > MOST_SHOWN ? null : texts.map(textOf),
  }),
};

function inodeOf(file: FileIdentity | null): number | null {
  return file === null ? null : Number(file.ino);
}

/**
 * Targets by the name of the attach type. The gate denies any other type, including those that cannot be used to
 * attach.
 */
const TARGETS: Readonly<Record<string, Target>> = {
  ...Object.fromEntries(ATTACH_TYPES.filter((name) => name.startsWith("cgroup_")).map((name) => [name, CGROUP])),
  lsm_cgroup: CGROUP,
  sk_skb_stream_parser: MAP,
  sk_skb_stream_verdict: MAP,
  sk_skb_verdict: MAP,
  sk_msg_verdict: MAP,
  lirc_mode2: { kind: "device", by: "fd", fields: [] },
  flow_dissector: NETNS,
  sk_lookup: NETNS,
  trace_raw_tp: FUNCTION,
  trace_fentry: FUNCTION,
  trace_fexit: FUNCTION,
  modify_return: FUNCTION,
  lsm_mac: FUNCTION,
  trace_iter: ITERATOR,
  xdp: INTERFACE,
  tcx_ingress: ORDERED_INTERFACE,
  tcx_egress: ORDERED_INTERFACE,
  netkit_primary: ORDERED_INTERFACE,
  netkit_peer: ORDERED_INTERFACE,
  perf_event: { kind: "perf_event", by: "fd", fields: [u64(perfEvent.bpfCookie)] },
  trace_kprobe_multi: KPROBES,
  trace_kprobe_session: KPROBES,
  trace_uprobe_multi: UPROBES,
  struct_ops: {
    kind: "struct_ops",
    by: "nothing",
    fields: [],
    facts: ({ object }) => ({ name: object?.map?.name ?? null }),
  },
  netfilter: { kind: "netfilter", by: "nothing", fields: Object.values(netfilter).map(u32) },
};

/**
 * BPF_PROG_TYPE_EXT. Its target is always a function of a program; the kernel ignores the attach type (link_create of
 * kernel/bpf/syscall.c).
 */
export const EXT = 28;

/**
 * Returns the target for an attach type and the program type that the kernel reports; null if the gate does not know
 * it.
 */
export function targetOf(attachType: number, programType: number): Target | null {
  if (programType === EXT) return FUNCTION;
  return TARGETS[ATTACH_TYPES[attachType] ?? ""] ?? null;
}

/**
 * Returns the target of BPF_PROG_ATTACH, which depends only on the attach type; null for a type that only links have
 * (bpf_prog_attach of kernel/bpf/syscall.c). A network namespace is not named by an fd: the kernel uses the caller's.
 */
export function attachTargetOf(attachType: number): Target | null {
  // an LSM program is attached to a cgroup, whichever of its attach types the command names
  if (ATTACH_TYPES[attachType] === "lsm_mac") return CGROUP;
  const target = targetOf(attachType, 0);
  if (target === NETNS) return { ...NETNS, by: "nothing" };
  return target !== null && ATTACHABLE.has(target.kind) ? target : null;
}

const ATTACHABLE: ReadonlySet<TargetKind> = new Set(["cgroup", "map", "device", "interface"]);
