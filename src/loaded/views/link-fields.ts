import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import type { LinkTarget } from "../model/objects.js";

/** What a field of struct bpf_link_info holds, and how many bytes it has. */
type Form =
  /** An unsigned or signed number. */
  | "u32"
  | "s32"
  | "u64"
  /** An id; 0, which no object has, is null. */
  | "id"
  /** enum bpf_attach_type. */
  | "attach type";

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly form: Form;
}

/** A text that the kernel writes to a buffer: the places of its address and its length. */
interface Text {
  readonly name: string;
  readonly address: number;
  readonly length: number;
}

/** One type of links: the fields of its member of the union in struct bpf_link_info. */
export interface LinkType {
  readonly type: string;
  readonly fields: readonly Field[];
  readonly text: Text | null;
}

const field = (name: string, offset: number, form: Form): Field => ({ name, offset, form });
const type = (name: string, fields: readonly Field[], text: Text | null = null): LinkType => ({
  type: name,
  fields,
  text,
});

/** By enum bpf_link_type. A test compares each offset with linux/bpf.h. */
export const LINK_TYPES: readonly LinkType[] = [
  type("unspec", []),
  type("raw_tracepoint", [], { name: "tp_name", address: 16, length: 24 }),
  type("tracing", [
    field("attach_type", 16, "attach type"),
    field("target_obj_id", 20, "id"),
    field("target_btf_id", 24, "id"),
  ]),
  type("cgroup", [field("cgroup_id", 16, "u64"), field("attach_type", 24, "attach type")]),
  // the union after the name belongs to the iterator that the name says: see ITERATORS
  type("iter", [], { name: "target_name", address: 16, length: 24 }),
  type("netns", [field("netns_ino", 16, "u32"), field("attach_type", 20, "attach type")]),
  type("xdp", [field("ifindex", 16, "u32")]),
  type("perf_event", []), // see PERF_EVENTS
  type("kprobe_multi", [field("count", 24, "u32"), field("flags", 28, "u32"), field("missed", 32, "u64")]),
  type("struct_ops", [field("map_id", 16, "id")]),
  type("netfilter", [
    ...[field("pf", 16, "u32"), field("hooknum", 20, "u32")],
    ...[field("priority", 24, "s32"), field("flags", 28, "u32")],
  ]),
  type("tcx", [field("ifindex", 16, "u32"), field("attach_type", 20, "attach type")]),
  type("uprobe_multi", [field("count", 52, "u32"), field("flags", 56, "u32"), field("pid", 60, "u32")], {
    ...{ name: "path", address: 16, length: 48 },
  }),
  type("netkit", [field("ifindex", 16, "u32"), field("attach_type", 20, "attach type")]),
  type("sockmap", [field("map_id", 16, "id"), field("attach_type", 20, "attach type")]),
];

const UPROBE: Omit<LinkType, "type"> = {
  fields: [field("offset", 36, "u32")],
  text: { name: "file_name", address: 24, length: 32 },
};
const KPROBE: Omit<LinkType, "type"> = {
  fields: [field("offset", 36, "u32")],
  text: { name: "func_name", address: 24, length: 32 },
};

/** The members of a link of type perf_event, by enum bpf_perf_event_type at byte 16. Before Linux 6.6 it is 0. */
export const PERF_EVENTS: readonly LinkType[] = [
  type("unspec", []),
  { type: "uprobe", ...UPROBE },
  { type: "uretprobe", ...UPROBE },
  { type: "kprobe", ...KPROBE },
  { type: "kretprobe", ...KPROBE },
  type("tracepoint", [], { name: "tp_name", address: 24, length: 32 }),
  type("event", [field("config", 24, "u64"), field("type", 32, "u32")]),
];

/** The fields of an iterator, by its name. */
export const ITERATORS: Readonly<Record<string, readonly Field[]>> = {
  bpf_map_elem: [field("map_id", 28, "id")],
  bpf_sk_storage_map: [field("map_id", 28, "id")],
  cgroup: [field("cgroup_id", 32, "u64"), field("order", 40, "u32")],
  task: [field("tid", 32, "id"), field("pid", 36, "id")],
  task_file: [field("tid", 32, "id"), field("pid", 36, "id")],
  task_vma: [field("tid", 32, "id"), field("pid", 36, "id")],
};

/** Reads the fields of a report. */
export function readFields(info: DataView, fields: readonly Field[]): LinkTarget {
  return Object.fromEntries(fields.map(({ name, offset, form }) => [name, READERS[form](info, offset)]));
}

const READERS: Readonly<Record<Form, (info: DataView, offset: number) => string | number | bigint | null>> = {
  u32: (info, offset) => info.getUint32(offset, true),
  s32: (info, offset) => info.getInt32(offset, true),
  u64: (info, offset) => info.getBigUint64(offset, true),
  id: (info, offset) => info.getUint32(offset, true) || null,
  "attach type": (info, offset) => ATTACH_TYPES[info.getUint32(offset, true)] ?? "unknown",
};
