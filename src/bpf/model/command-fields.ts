/**
 * The facts about commands of bpf(2): one row for each. The subject and its type and the declarations for policies
 * (types/countersign.d.ts) are made from these rows.
 */
import { COUNT, hex, list, named, type OwnedFields, object, orNull, TEXT } from "../../fact-type.js";
import { AT_A_CALL, differs, type SubjectFields } from "../../known-fact.js";
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
  name: { type: TEXT, doc: "", known: AT_A_CALL },
  type: { type: named("ProgramType"), doc: "", known: AT_A_CALL },
  tag: { type: hex(8), doc: "8 bytes in lower-case hex.", known: AT_A_CALL },
  digest: {
    type: orNull(hex(32), "if this gate did not judge the program"),
    doc: "The digest of the program's subject.",
    known: AT_A_CALL,
  },
} as const satisfies SubjectFields;

export const MAP_REFERENCE_FIELDS = {
  name: { type: TEXT, doc: "", known: AT_A_CALL },
  type: { type: named("MapType"), doc: "", known: AT_A_CALL },
} as const satisfies SubjectFields;

const PROGRAM = object("ProgramReference", PROGRAM_REFERENCE_FIELDS);
const MAP = object("MapReference", MAP_REFERENCE_FIELDS);
/** `of` says which kinds of targets, or which commands, have the fact. */
const OTHER_KINDS = "for other kinds";
const OTHER_COMMANDS = "for other commands";

export const TARGET_FIELDS = {
  kind: { of: "all", type: named("TargetKind"), doc: "", known: AT_A_CALL },
  ifindex: {
    of: ["interface"],
    type: orNull(COUNT, OTHER_KINDS),
    doc: "Index of an interface in the task's network namespace.",
    known: AT_A_CALL,
  },
  path: {
    of: ["cgroup", "uprobes"],
    type: orNull(TEXT, OTHER_KINDS),
    doc: "Path of a cgroup, as in `current.cgroup`, or of the file that uprobes are placed in.",
    known: AT_A_CALL,
  },
  name: {
    of: ["map", "tracepoint", "function", "iterator", "struct_ops"],
    type: orNull(TEXT, OTHER_KINDS),
    doc: "Name of a map, a tracepoint, or the function or iterator that the program was loaded for.",
    known: AT_A_CALL,
  },
  program: {
    of: ["function", "link"],
    type: orNull(PROGRAM, OTHER_KINDS),
    doc: "Another program: the one that is traced or partly replaced, or the previous program of a link.",
    known: AT_A_CALL,
  },
  btf_id: {
    of: ["function"],
    type: orNull(COUNT, OTHER_KINDS),
    doc: "BTF id of a function in the BTF of `program`.",
    known: AT_A_CALL,
  },
  namespace: {
    of: ["netns"],
    type: orNull(COUNT, OTHER_KINDS),
    doc: "Inode number of a network namespace, as in `current.namespaces`.",
    known: AT_A_CALL,
  },
  count: {
    of: ["kprobes", "uprobes"],
    type: orNull(COUNT, OTHER_KINDS),
    doc: "Number of probed functions or places.",
    known: AT_A_CALL,
  },
  symbols: {
    of: ["kprobes"],
    type: orNull(list(TEXT), "for other kinds, if they are given as addresses, or if there are more than 1024"),
    doc: "Symbols of all kprobes.",
    known: AT_A_CALL,
  },
  offsets: {
    of: ["uprobes"],
    type: orNull(list(COUNT), "for other kinds, or if there are more than 1024"),
    doc: "File offsets of all uprobes.",
    known: AT_A_CALL,
  },
  pid: {
    of: ["uprobes"],
    type: orNull(COUNT, OTHER_KINDS),
    doc: "Id, in the gate's pid namespace, of the process of the uprobes; 0 for any process.",
    known: AT_A_CALL,
  },
} as const satisfies SubjectFields & OwnedFields<(typeof TARGET_KINDS)[number]>;

const ATTACH_FIELDS = {
  type: {
    type: orNull(named("AttachType"), "if the command has none, and for `ext` programs, whose links ignore it"),
    doc: "As bpftool spells it: `xdp`, `tcx_ingress`, `cgroup_inet_egress` and so on.",
    known: AT_A_CALL,
  },
  flags: { type: COUNT, doc: "", known: AT_A_CALL },
  target: { type: object("AttachTarget", TARGET_FIELDS), doc: "", known: AT_A_CALL },
} as const satisfies SubjectFields;

const RUN_FIELDS = {
  repeat: { type: COUNT, doc: "", known: AT_A_CALL },
  flags: { type: COUNT, doc: "", known: AT_A_CALL },
  data_size_in: { type: COUNT, doc: "", known: AT_A_CALL },
  data_size_out: { type: COUNT, doc: "", known: AT_A_CALL },
  ctx_size_in: { type: COUNT, doc: "", known: AT_A_CALL },
  ctx_size_out: { type: COUNT, doc: "", known: AT_A_CALL },
} as const satisfies SubjectFields;

const BTF_FIELDS = {
  size: { type: COUNT, doc: "", known: AT_A_CALL },
  sha256: { type: hex(32), doc: "", known: AT_A_CALL },
} as const satisfies SubjectFields;

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
    type: orNull(PROGRAM, "for other commands, and for a detachment that names none"),
    doc: "The program that is attached, detached, run or pinned, or the program of the link.",
    known: AT_A_CALL,
  },
  map: {
    of: TAKES_MAP,
    type: orNull(MAP, "for other commands, and for a program"),
    doc: "The map that is pinned, or that is attached (a map of type struct_ops).",
    known: AT_A_CALL,
  },
  attach: {
    of: ATTACHES,
    type: orNull(object("AttachFacts", ATTACH_FIELDS), OTHER_COMMANDS),
    doc: "",
    known: AT_A_CALL,
  },
  run: {
    of: ["BPF_PROG_TEST_RUN"],
    type: orNull(object("RunFacts", RUN_FIELDS), OTHER_COMMANDS),
    doc: "",
    known: AT_A_CALL,
  },
  path: {
    of: ["BPF_OBJ_PIN", "BPF_OBJ_GET"],
    type: orNull(TEXT, OTHER_COMMANDS),
    doc: "The path at which an object is pinned, or from which it is fetched, after its links are followed.",
    known: AT_A_CALL,
  },
  btf: {
    of: ["BPF_BTF_LOAD"],
    type: orNull(object("BtfFacts", BTF_FIELDS), OTHER_COMMANDS),
    doc: "",
    known: AT_A_CALL,
  },
} as const satisfies SubjectFields & OwnedFields<CommandName>;

/** Why the digest of a command offline is not that of a gate, as a clause. */
export const COVERS_SIZE = "it covers `size`";

export const COMMAND_FIELDS = {
  name: {
    of: "all",
    type: named("CommandName"),
    doc: "Spelled as in linux/bpf.h, such as `BPF_LINK_CREATE`.",
    known: AT_A_CALL,
  },
  digest: {
    of: "all",
    type: hex(32),
    doc: "SHA-256 in lower-case hex: for BPF_BTF_LOAD of the BTF, else of these facts.",
    known: { ...AT_A_CALL, offline: differs(COVERS_SIZE) },
  },
  cmd: { of: "all", type: COUNT, doc: "", known: AT_A_CALL },
  size: {
    of: "all",
    type: orNull(COUNT, "offline, since it depends on the loader, and where a case does not give it"),
    doc: "Size of bpf_attr in bytes.",
    known: { ...AT_A_CALL, offline: "null" },
  },
  ...ATTR_FIELDS,
} as const satisfies SubjectFields & OwnedFields<CommandName>;

/** The interfaces in types/countersign.d.ts, with their doc comments. */
export const COMMAND_INTERFACES: Readonly<Record<string, readonly [doc: string, fields: SubjectFields]>> = {
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
