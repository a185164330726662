/**
 * The facts about commands of bpf(2): one row for each. The subject and its type and the declarations for policies
 * (types/countersign.d.ts) are made from these rows.
 */
import { COUNT, type FactFields, hex, list, named, object, orNull, TEXT } from "../../fact-type.js";
import type { CommandName } from "./commands.js";

/** The kinds of objects that a program can be attached to. */
export const TARGET_KINDS = [
  "cgroup",
  "device",
  "function",
  "interface",
  "iterator",
  "kprobes",
  "link",
  "map",
  "netfilter",
  "netns",
  "perf_event",
  "struct_ops",
  "tracepoint",
  "uprobes",
] as const;

export const PROGRAM_REFERENCE_FIELDS = {
  name: { type: TEXT, doc: "" },
  type: { type: named("ProgramType"), doc: "" },
  tag: { type: TEXT, doc: "8 bytes in lower-case hex." },
  digest: {
    type: orNull(TEXT),
    doc: "The digest of the program's subject; null if this gate did not judge the program.",
  },
} as const satisfies FactFields;

export const MAP_REFERENCE_FIELDS = {
  name: { type: TEXT, doc: "" },
  type: { type: named("MapType"), doc: "" },
} as const satisfies FactFields;

const PROGRAM = orNull(object("ProgramReference", PROGRAM_REFERENCE_FIELDS));
const MAP = orNull(object("MapReference", MAP_REFERENCE_FIELDS));

export const TARGET_FIELDS = {
  kind: { type: named("TargetKind"), doc: "" },
  ifindex: { of: ["interface"], type: orNull(COUNT), doc: "Index of an interface in the task's network namespace." },
  path: {
    of: ["cgroup", "uprobes"],
    type: orNull(TEXT),
    doc: "Path of a cgroup, as in `current.cgroup`, or of the file that uprobes are placed in.",
  },
  name: {
    of: ["map", "tracepoint", "function", "iterator", "struct_ops"],
    type: orNull(TEXT),
    doc: "Name of a map, a tracepoint, or the function or iterator that the program was loaded for.",
  },
  program: {
    of: ["function", "link"],
    type: PROGRAM,
    doc: "Another program: the one that is traced or partly replaced, or the previous program of a link.",
  },
  btf_id: { of: ["function"], type: orNull(COUNT), doc: "BTF id of a function in the BTF of `program`." },
  namespace: {
    of: ["netns"],
    type: orNull(COUNT),
    doc: "Inode number of a network namespace, as in `current.namespaces`.",
  },
  count: { of: ["kprobes", "uprobes"], type: orNull(COUNT), doc: "Number of probed functions or places." },
  symbols: {
    of: ["kprobes"],
    type: orNull(list(TEXT)),
    doc: "Symbols of all kprobes; null if they are given as addresses, or if there are more than 1024.",
  },
  offsets: {
    of: ["uprobes"],
    type: orNull(list(COUNT)),
    doc: "File offsets of all uprobes; null if there are more than 1024.",
  },
  pid: {
    of: ["uprobes"],
    type: orNull(COUNT),
    doc: "Id, in the gate's pid namespace, of the process of the uprobes; 0 for any process, null for other kinds.",
  },
} as const satisfies FactFields;

const ATTACH_FIELDS = {
  type: {
    type: orNull(named("AttachType")),
    doc:
      "As bpftool spells it: `xdp`, `tcx_ingress`, `cgroup_inet_egress` and so on; null if the command has none, and " +
      "for `ext` programs, whose links ignore it.",
  },
  flags: { type: COUNT, doc: "" },
  target: { type: object("AttachTarget", TARGET_FIELDS), doc: "" },
} as const satisfies FactFields;

const RUN_FIELDS = {
  repeat: { type: COUNT, doc: "" },
  flags: { type: COUNT, doc: "" },
  data_size_in: { type: COUNT, doc: "" },
  data_size_out: { type: COUNT, doc: "" },
  ctx_size_in: { type: COUNT, doc: "" },
  ctx_size_out: { type: COUNT, doc: "" },
} as const satisfies FactFields;

const BTF_FIELDS = {
  size: { type: COUNT, doc: "" },
  sha256: { type: hex(32), doc: "" },
} as const satisfies FactFields;

/** The commands that attach or detach something. */
const ATTACHES = [
  "BPF_LINK_CREATE",
  "BPF_LINK_UPDATE",
  "BPF_PROG_ATTACH",
  "BPF_PROG_DETACH",
  "BPF_RAW_TRACEPOINT_OPEN",
] as const satisfies readonly CommandName[];
/** The commands that can pin or attach a map. */
const TAKES_MAP = ["BPF_OBJ_PIN", "BPF_LINK_CREATE", "BPF_LINK_UPDATE"] as const satisfies readonly CommandName[];
const TAKES_PROGRAM = [...ATTACHES, "BPF_OBJ_PIN", "BPF_PROG_TEST_RUN"] as const satisfies readonly CommandName[];

/** Facts that come from the task's memory. They are null if only the registers of the command are known. */
const ATTR_FIELDS = {
  program: {
    of: TAKES_PROGRAM,
    type: PROGRAM,
    doc:
      "The program that is attached, detached, run or pinned, or the program of the link; null for a detachment that " +
      "names none.",
  },
  map: { of: TAKES_MAP, type: MAP, doc: "The map that is pinned, or that is attached (a map of type struct_ops)." },
  attach: { of: ATTACHES, type: orNull(object("AttachFacts", ATTACH_FIELDS)), doc: "" },
  run: { of: ["BPF_PROG_TEST_RUN"], type: orNull(object("RunFacts", RUN_FIELDS)), doc: "" },
  path: {
    of: ["BPF_OBJ_PIN", "BPF_OBJ_GET"],
    type: orNull(TEXT),
    doc: "The path at which an object is pinned, or from which it is fetched, after its links are followed.",
  },
  btf: { of: ["BPF_BTF_LOAD"], type: orNull(object("BtfFacts", BTF_FIELDS)), doc: "" },
} as const satisfies FactFields;

export const COMMAND_FIELDS = {
  name: { type: TEXT, doc: "Spelled as in linux/bpf.h, such as `BPF_LINK_CREATE`." },
  digest: {
    type: TEXT,
    doc: "SHA-256: for BPF_BTF_LOAD of the BTF, else of these facts; empty if only the registers are known.",
  },
  cmd: { type: COUNT, doc: "" },
  size: {
    type: orNull(COUNT),
    doc: "Size of bpf_attr in bytes; null offline, since it depends on the loader.",
  },
  ...ATTR_FIELDS,
} as const satisfies FactFields;

/** The interfaces in types/countersign.d.ts, with their doc comments. */
export const COMMAND_INTERFACES: Readonly<Record<string, readonly [doc: string, fields: FactFields]>> = {
  Command: [
    "The subject of `bpf`. If only the registers of the command are known, all facts after `size` are null.",
    COMMAND_FIELDS,
  ],
  ProgramReference: ["", PROGRAM_REFERENCE_FIELDS],
  MapReference: ["", MAP_REFERENCE_FIELDS],
  AttachFacts: [
    "Facts of BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_PROG_ATTACH, BPF_PROG_DETACH and BPF_RAW_TRACEPOINT_OPEN.",
    ATTACH_FIELDS,
  ],
  AttachTarget: [
    "The object that a program is attached to. Fields that do not apply to its kind are null.",
    TARGET_FIELDS,
  ],
  RunFacts: ["Facts of BPF_PROG_TEST_RUN. Sizes are in bytes.", RUN_FIELDS],
  BtfFacts: ["Facts of BPF_BTF_LOAD.", BTF_FIELDS],
};

/** The facts of a command of which only the registers are known, apart from these. */
export const NO_ATTR_FACTS = Object.freeze(
  Object.fromEntries(Object.keys(ATTR_FIELDS).map((name) => [name, null])),
) as Readonly<Record<keyof typeof ATTR_FIELDS, null>>;
