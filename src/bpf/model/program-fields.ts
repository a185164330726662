/**
 * The facts about programs and their maps, with the names that policies see, which are the kernel's: one row for each.
 * Everything that lists facts is made from these rows: the subject and its type, the declarations for policies
 * (types/countersign.d.ts), the tables of docs/policies.md, what `inspect --json` prints, and the agent's journal.
 */
import {
  AMOUNT,
  BYTES,
  COUNT,
  type FactField,
  type FactFields,
  type FactsOf,
  type FactType,
  FLAG,
  hex,
  INTEGER_OR_TEXT,
  list,
  named,
  object,
  orNull,
  TEXT,
} from "../../fact-type.js";

/** True means that the program may do it. An effect is never false if the program can do it. */
export const EFFECTS = [
  "reads_kernel_memory",
  "reads_user_memory",
  "reveals_addresses",
  "writes_user_memory",
  "writes_packet",
  "writes_ctx",
  "writes_shared_map",
  "redirects",
  "decides",
  "overrides_return",
  "sends_signal",
  "changes_socket",
  "changes_kernel_state",
  "tail_calls",
  "calls_bpf",
] as const;

export type EffectName = (typeof EFFECTS)[number];

const EFFECT_DOCS: Readonly<Partial<Record<EffectName, string>>> = {
  reads_kernel_memory: "Also what the kernel left in bytes of the stack that nothing surely wrote.",
  reveals_addresses:
    "Addresses of the kernel that it has by itself. Those that it reads are `reads_kernel_memory`; those in the " +
    "registers that a kprobe, raw_tracepoint or perf_event program is given are neither.",
  decides: "For kprobe, tracepoint and perf_event programs it may only mean that perf does not record the event.",
};

export const EFFECT_FIELDS = {
  ...(Object.fromEntries(EFFECTS.map((name) => [name, { type: FLAG, doc: EFFECT_DOCS[name] ?? "" }])) as Record<
    EffectName,
    FactField<boolean>
  >),
  read_only: {
    type: FLAG,
    doc: "True if no effect that changes anything is true. `decides` for a record of perf changes nothing.",
  },
} satisfies FactFields;

/** The reason for an effect. For people: policies do not see it. */
export const EVIDENCE_FIELDS = {
  effect: { type: named("EffectName") as FactType<EffectName>, doc: "The effect that it is the reason for." },
  insn: {
    type: orNull(COUNT),
    doc: "Index of the instruction in `insns`, in units of 8 bytes; null if the reason is the program's type alone.",
  },
  text: { type: orNull(TEXT), doc: "The instruction in the syntax of llvm-objdump." },
  source: { type: orNull(TEXT), doc: "`file.c:12` from .BTF.ext; null without it." },
  because: { type: TEXT, doc: "One line: why the instruction can have the effect." },
  ends_read_only: { type: FLAG, doc: "Whether this evidence makes `read_only` false." },
} as const satisfies FactFields;

/** The parameters with which a map is created. */
export const MAP_DEFINITION_FIELDS = {
  name: { type: TEXT, doc: "" },
  type: {
    type: named("MapType"),
    doc: "As bpftool spells it: `hash`, `array`, `ringbuf` and so on, or `unknown`.",
  },
  key_size: { type: COUNT, doc: "In bytes." },
  value_size: { type: COUNT, doc: "In bytes." },
  max_entries: { type: COUNT, doc: "" },
  flags: { type: COUNT, doc: "`map_flags` of bpf_attr." },
  contents: {
    type: orNull(hex(32)),
    doc:
      "SHA-256 of the initial contents in lower-case hex, if the map is frozen and read-only for programs; in a live " +
      "load also if it is frozen and exclusive to the program. Otherwise null.",
  },
} as const satisfies FactFields;

export const MAP_FIELDS = {
  ...MAP_DEFINITION_FIELDS,
  memory: { type: AMOUNT, doc: "Upper bound in bytes of the kernel memory of the full map." },
  memory_per_cpu: { type: AMOUNT, doc: "Additional bytes for each possible CPU." },
} as const satisfies FactFields;

/** What the kernel reports about a loaded program (struct bpf_prog_info of linux/bpf.h). */
export const LOADED_FIELDS = {
  tag: { type: hex(8), doc: "8 bytes in lower-case hex: truncated SHA-256, or SHA-1 before Linux 6.18." },
  verified_insns: {
    type: COUNT,
    doc:
      "Instructions that the verifier processed, counting repetitions: the verifier's work, not the run time of the " +
      "program.",
  },
  xlated_size: { type: COUNT, doc: "Size in bytes of the instructions after the verifier rewrote them." },
  jited_size: { type: COUNT, doc: "Size in bytes of the machine code; 0 if the kernel interprets the program." },
  map_ids: { type: list(COUNT), doc: "" },
} as const satisfies FactFields;

export const FILE_FIELDS = {
  path: { type: TEXT, doc: "" },
  sha256: { type: hex(32), doc: "SHA-256 of the whole file in lower-case hex." },
  data: { type: BYTES, doc: "" },
  signature: { type: orNull(BYTES), doc: "Detached signature over `data`." },
} as const satisfies FactFields;

/** Kinds of settings: what a loader may change in a program that is signed as a statement. */
export const SETTING_KINDS = [
  "variable",
  "max_entries",
  "value_size",
  "key_size",
  "autocreate",
  "attach_target",
  "type",
  "flags",
] as const;

export type SettingKind = (typeof SETTING_KINDS)[number];

/** A value that the loader chose between opening the object and loading it. */
export const SETTING_FIELDS = {
  name: { type: TEXT, doc: "Such as `targ_pid`, `events.max_entries`, `heap.autocreate` or `attach_target`." },
  kind: { type: named("SettingKind") as FactType<SettingKind>, doc: "" },
  type: { type: orNull(TEXT), doc: "C type of a variable; null for the other kinds." },
  value: {
    type: INTEGER_OR_TEXT,
    doc:
      "A number for bool, integers and enums up to 32 bits; decimal digits for 64 bits; lower-case hex for arrays " +
      "and structs.",
  },
  declared: { type: orNull(INTEGER_OR_TEXT), doc: "The value in the object file; null if it declares none." },
} as const satisfies FactFields;

export const STATEMENT_FIELDS = {
  sha256: { type: hex(32), doc: "SHA-256 of the signed bytes in lower-case hex." },
  object_sha256: { type: hex(32), doc: "SHA-256 of the object file in lower-case hex." },
  name: { type: TEXT, doc: "The full name of the program's function." },
  type: { type: named("ProgramType"), doc: "The program type that is signed." },
  settings: { type: list(object("Setting", SETTING_FIELDS)), doc: "All settings, changed or not." },
} as const satisfies FactFields;

export const MISMATCH_FIELDS = {
  statement: { type: hex(32), doc: "`sha256` of the statement." },
  property: { type: TEXT, doc: "What differs, such as `license`, `insns` or `events.max_entries`." },
  expected: { type: TEXT, doc: "As the statement has it." },
  found: { type: TEXT, doc: "As the program has it." },
} as const satisfies FactFields;

/**
 * Where a fact comes from:
 *
 * - `load`: the request or the object file says it about the program;
 * - `code`: the analysis computes it from the facts of source `load`, so that it can be computed again;
 * - `origin`: the signatures and the file that came with the program;
 * - `kernel`: the kernel reports it after the load. Until then, it has the value `unloaded`.
 */
export type FactSource = "load" | "code" | "origin" | "kernel";

export interface ProgramField<T = unknown> extends FactField<T> {
  readonly source: FactSource;
  readonly unloaded?: T;
  /** The value for a program that a version of Countersign without this fact recorded. */
  readonly unrecorded?: T;
  /** Whether policies do not see it. */
  readonly withheld?: true;
}

export const PROGRAM_FIELDS = {
  name: { type: TEXT, source: "load", doc: "Name of the program's function; a live load may have only its beginning." },
  section: { type: orNull(TEXT), source: "load", doc: "Section of the object file; null for a live load." },
  type: {
    type: named("ProgramType"),
    source: "load",
    doc: "As bpftool spells it: `sched_cls` (tc), `xdp`, `kprobe` and so on, or `unknown`.",
  },
  expected_attach_type: {
    type: orNull(named("AttachType")),
    source: "load",
    doc: "As bpftool spells it: `trace_fentry`, `lsm_mac` and so on; null if it is not known or the type has none.",
  },
  attach_to: {
    type: orNull(TEXT),
    source: "load",
    doc: "The function or hook that it was made for; null if a live load does not say.",
  },
  license: { type: TEXT, source: "load", doc: "As the program declares it." },
  gpl_compatible: { type: FLAG, source: "code", doc: "Whether the licence allows calls of GPL-only helpers." },
  insn_cnt: {
    type: COUNT,
    source: "code",
    doc: "Number of 8-byte slots: an ld_imm64 counts as two, as in the kernel.",
  },
  insns: {
    type: BYTES,
    source: "load",
    doc:
      "The instructions that libbpf would pass to the kernel, with zeroed map fds, in the byte order of the object. " +
      "`signature` is over these.",
  },
  raw_insns: {
    type: BYTES,
    source: "load",
    doc: "The instructions as passed to bpf(2); for a file the same as `insns`. `kernel_signature` is over these.",
  },
  digest: { type: hex(32), source: "code", doc: "SHA-256 of `insns` in lower-case hex." },
  tag: {
    type: hex(8),
    source: "code",
    doc: "First 8 bytes of `digest`, which is the kernel's tag from Linux 6.18 on.",
  },
  helpers: {
    type: list(named("HelperName")),
    source: "code",
    doc: "The kernel's names (`bpf_map_lookup_elem`; `helper#250` if it is newer than the tables), sorted.",
  },
  kfuncs: {
    type: list(TEXT),
    source: "code",
    doc: "Names (`kfunc#1234` with the BTF id if a live load gives no name), sorted.",
  },
  maps: {
    type: list(object("MapFacts", MAP_FIELDS)),
    source: "load",
    doc: "The maps that the program refers to, in the order of its instructions.",
  },
  effects: {
    type: object("Effects", EFFECT_FIELDS),
    source: "code",
    doc: "What the program may do.",
  },
  evidence: {
    type: list(object("Evidence", EVIDENCE_FIELDS)),
    source: "code",
    withheld: true,
    doc: "The reasons for effects.",
  },
  signature: {
    type: orNull(BYTES),
    source: "origin",
    doc: "Detached signature over `insns`, from the signature store or from a file beside the object.",
  },
  statements: {
    type: list(object("Statement", STATEMENT_FIELDS)),
    source: "origin",
    unrecorded: [],
    doc:
      "The program statements that it matches, in the order of their `sha256`. They count only if `verify_program` " +
      "is 0.",
  },
  mismatches: {
    type: list(object("Mismatch", MISMATCH_FIELDS)),
    source: "origin",
    unrecorded: [],
    doc: "How it differs from the closest statements that it does not match: at most 8.",
  },
  kernel_signature: {
    type: orNull(BYTES),
    source: "origin",
    doc: "Signature over `raw_insns` from bpf_attr (`signature`).",
  },
  kernel_keyring: {
    type: orNull(TEXT),
    source: "origin",
    doc: "The keyring of the configuration for `keyring_id` of bpf_attr; null if `gate.keyrings` maps that id to none.",
  },
  object: {
    type: orNull(object("ObjectFile", FILE_FIELDS)),
    source: "origin",
    doc: "The object file that the program came from; null for a live load.",
  },
  loaded: {
    type: orNull(object("LoadedFacts", LOADED_FIELDS)),
    source: "kernel",
    unloaded: null,
    doc: "What the kernel reports about the loaded program. Only `bpf_prog` at a live gate has it; null otherwise.",
  },
  rewritten: {
    type: FLAG,
    source: "kernel",
    unloaded: false,
    doc: "Whether the kernel loaded instructions other than those that were judged (bpf_core_apply, kernel/bpf/btf.c).",
  },
} as const satisfies Readonly<Record<string, ProgramField>>;

export type ProgramFactName = keyof typeof PROGRAM_FIELDS;

/** The names of all facts about a program, and of those from some sources. */
export const PROGRAM_FACTS = Object.keys(PROGRAM_FIELDS) as readonly ProgramFactName[];

type NameFrom<S extends FactSource> = {
  [N in ProgramFactName]: (typeof PROGRAM_FIELDS)[N]["source"] extends S ? N : never;
}[ProgramFactName];

export function programFactsFrom<S extends FactSource>(...sources: readonly S[]): readonly NameFrom<S>[] {
  return PROGRAM_FACTS.filter((name): name is NameFrom<S> =>
    (sources as readonly FactSource[]).includes(PROGRAM_FIELDS[name].source),
  );
}

/** The facts about a program that come from some sources. */
export type ProgramFactsFrom<S extends FactSource> = Pick<FactsOf<typeof PROGRAM_FIELDS>, NameFrom<S>>;
