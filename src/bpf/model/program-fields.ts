/**
 * The facts about programs and their maps, with the names that policies see, which are the kernel's: one row for each.
 * Everything that lists facts is made from these rows: the subject and its type, the declarations for policies
 * (types/countersign.d.ts), the tables of docs/policies.md, what `inspect --json` prints, and the agent's journal.
 */
import {
  AMOUNT,
  BYTES,
  COUNT,
  type FactFields,
  type FactsOf,
  type FactType,
  FLAG,
  hex,
  list,
  named,
  object,
  orNull,
  TEXT,
} from "../../fact-type.js";
import { differs, EVERYWHERE, known, type SubjectField, type SubjectFields } from "../../known-fact.js";
import {
  ASSEMBLED,
  LOADER_CHOICES,
  LONG_NAME,
  MAP_DIFFERENCES,
  NAMES_NO_TARGET,
  NOT_KEPT,
  NOT_REPORTED,
  OF_CODE,
  OF_DIGEST,
  OF_EFFECTS,
  OF_ENTRIES,
  OF_FILE,
  OF_KEYS,
  OF_LOAD,
  OF_LOADER,
  OF_MEMORY,
  OF_STATEMENTS,
  OF_VALUES,
  REPORTED,
} from "./differences.js";
import { MISMATCH_FIELDS, STATEMENT_FIELDS } from "./statement-fields.js";

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
  ...(Object.fromEntries(EFFECTS.map((name) => [name, effectField(name)])) as Record<
    EffectName,
    SubjectField<boolean>
  >),
  read_only: {
    type: FLAG,
    doc: "True if no effect that changes anything is true. `decides` for a record of perf changes nothing.",
    known: OF_EFFECTS,
  },
} satisfies SubjectFields;

function effectField(name: EffectName): SubjectField<boolean> {
  return { type: FLAG, doc: EFFECT_DOCS[name] ?? "", known: OF_EFFECTS };
}

/** The reason for an effect. For people: policies do not see it. */
export const EVIDENCE_FIELDS = {
  effect: { type: named("EffectName") as FactType<EffectName>, doc: "The effect that it is the reason for." },
  insn: {
    type: orNull(COUNT, "if the reason is the program's type alone"),
    doc: "Index of the instruction in `insns`, in units of 8 bytes.",
  },
  text: { type: orNull(TEXT, "if `insn` is"), doc: "The instruction in the syntax of llvm-objdump." },
  source: { type: orNull(TEXT, "without .BTF.ext"), doc: "`file.c:12` from .BTF.ext." },
  because: { type: TEXT, doc: "One line: why the instruction can have the effect." },
  ends_read_only: { type: FLAG, doc: "Whether this evidence makes `read_only` false." },
} as const satisfies FactFields;

/** The parameters with which a map is created. */
export const MAP_DEFINITION_FIELDS = {
  name: {
    type: TEXT,
    doc: "",
    known: known({
      offline: differs(MAP_DIFFERENCES.embedded),
      sealed: differs("the loader chooses the names of maps"),
    }),
  },
  type: {
    type: named("MapType"),
    doc: "As bpftool spells it: `hash`, `array`, `ringbuf` and so on, or `unknown`.",
    known: EVERYWHERE,
  },
  key_size: { type: COUNT, doc: "In bytes.", known: OF_KEYS },
  value_size: { type: COUNT, doc: "In bytes.", known: OF_VALUES },
  max_entries: { type: COUNT, doc: "", known: OF_ENTRIES },
  flags: { type: COUNT, doc: "`map_flags` of bpf_attr.", known: EVERYWHERE },
  contents: {
    type: orNull(
      hex(32),
      "unless the map is frozen, and read-only for programs or, in a load, exclusive to the program",
    ),
    doc: "SHA-256 of the initial contents in lower-case hex.",
    known: known({
      sealed: differs(LOADER_CHOICES.variables),
      scan: {
        unknown: "for a map that is read-only for programs, unless it is known not to be frozen",
        at: ["bpf_prog_load", "bpf_prog"],
      },
    }),
  },
} as const satisfies SubjectFields;

export const MAP_FIELDS = {
  ...MAP_DEFINITION_FIELDS,
  memory: { type: AMOUNT, doc: "Upper bound in bytes of the kernel memory of the full map.", known: OF_MEMORY },
  memory_per_cpu: { type: AMOUNT, doc: "Additional bytes for each possible CPU.", known: OF_MEMORY },
} as const satisfies SubjectFields;

/** What the kernel reports about a loaded program (struct bpf_prog_info of linux/bpf.h). */
export const LOADED_FIELDS = {
  tag: {
    type: hex(8),
    doc: "8 bytes in lower-case hex: truncated SHA-256, or SHA-1 before Linux 6.18.",
    known: OF_LOAD,
  },
  verified_insns: {
    type: COUNT,
    doc:
      "Instructions that the verifier processed, counting repetitions: the verifier's work, not the run time of the " +
      "program.",
    known: OF_LOAD,
  },
  xlated_size: {
    type: COUNT,
    doc: "Size in bytes of the instructions after the verifier rewrote them.",
    known: OF_LOAD,
  },
  jited_size: {
    type: COUNT,
    doc: "Size in bytes of the machine code; 0 if the kernel interprets the program.",
    known: OF_LOAD,
  },
  map_ids: { type: list(COUNT), doc: "", known: OF_LOAD },
} as const satisfies SubjectFields;

export const FILE_FIELDS = {
  path: { type: TEXT, doc: "", known: OF_FILE },
  sha256: { type: hex(32), doc: "SHA-256 of the whole file in lower-case hex.", known: OF_FILE },
  data: { type: BYTES, doc: "", known: OF_FILE },
  signature: { type: orNull(BYTES, "if there is none"), doc: "Detached signature over `data`.", known: OF_FILE },
} as const satisfies SubjectFields;

/**
 * Where a fact comes from:
 *
 * - `load`: the request or the object file says it about the program;
 * - `code`: the analysis computes it from the facts of source `load`, so that it can be computed again;
 * - `origin`: the signatures and the file that came with the program;
 * - `kernel`: the kernel reports it after the load. Until then, it has the value `unloaded`.
 */
export type FactSource = "load" | "code" | "origin" | "kernel";

export interface ProgramField<T = unknown> extends SubjectField<T> {
  readonly source: FactSource;
  readonly unloaded?: T;
  /** The value for a program that a version of Countersign without this fact recorded. */
  readonly unrecorded?: T;
}

export const PROGRAM_FIELDS = {
  name: {
    type: TEXT,
    source: "load",
    doc: "Name of the program's function.",
    known: known({ offline: differs(LONG_NAME), sealed: differs("the loader chooses the name") }),
  },
  section: {
    type: orNull(TEXT, "for a load in a gate"),
    source: "load",
    doc: "Section of the object file.",
    known: OF_FILE,
  },
  type: {
    type: named("ProgramType"),
    source: "load",
    doc: "As bpftool spells it: `sched_cls` (tc), `xdp`, `kprobe` and so on, or `unknown`.",
    known: EVERYWHERE,
  },
  expected_attach_type: {
    type: orNull(named("AttachType"), "if the program's type has none, or it is not known"),
    source: "load",
    doc: "As bpftool spells it: `trace_fentry`, `lsm_mac` and so on.",
    known: known({ scan: { unknown: "unless a link says it" } }),
  },
  attach_to: {
    type: orNull(TEXT, "if the object or the load names none"),
    source: "load",
    doc: "The function or hook that it was made for.",
    known: known({ gate: differs(NAMES_NO_TARGET), scan: { unknown: "if the type's name cannot be read" } }),
  },
  license: {
    type: TEXT,
    source: "load",
    doc: "As the program declares it.",
    known: known({
      sealed: differs("the guard sees only whether the licence is compatible with the GPL"),
      scan: NOT_REPORTED,
    }),
  },
  gpl_compatible: {
    type: FLAG,
    source: "code",
    doc: "Whether the licence allows calls of GPL-only helpers.",
    known: EVERYWHERE,
  },
  insn_cnt: {
    type: COUNT,
    source: "code",
    doc: "Number of 8-byte slots: an ld_imm64 counts as two, as in the kernel.",
    known: known({ described: ASSEMBLED, scan: NOT_KEPT }),
  },
  insns: {
    type: BYTES,
    source: "load",
    doc:
      "The instructions that libbpf would pass to the kernel, with zeroed map fds, in the byte order of the object. " +
      "`signature` is over these.",
    known: OF_CODE,
  },
  raw_insns: {
    type: BYTES,
    source: "load",
    doc: "The instructions as passed to bpf(2). `kernel_signature` is over these.",
    known: {
      ...OF_CODE,
      offline: { "same-as": "insns" },
      sealed: differs("they have the fds of the load"),
    },
  },
  digest: { type: hex(32), source: "code", doc: "SHA-256 of `insns` in lower-case hex.", known: OF_DIGEST },
  tag: {
    type: hex(8),
    source: "code",
    doc: "First 8 bytes of `digest`, which is the kernel's tag from Linux 6.18 on.",
    known: OF_DIGEST,
  },
  helpers: {
    type: list(named("HelperName")),
    source: "code",
    doc: "The kernel's names (`bpf_map_lookup_elem`; `helper#250` if it is newer than the tables), sorted.",
    known: known({ scan: NOT_KEPT }),
  },
  kfuncs: {
    type: list(TEXT),
    source: "code",
    doc: "Names (`kfunc#1234` with the BTF id if a live load gives no name), sorted.",
    known: known({ scan: NOT_KEPT }),
  },
  maps: {
    type: list(object("MapFacts", MAP_FIELDS)),
    source: "load",
    doc: "The maps that the program refers to, in the order of its instructions.",
    known: known({ scan: { unknown: "if the kernel does not list all of them" } }),
  },
  effects: {
    type: object("Effects", EFFECT_FIELDS),
    source: "code",
    doc: "What the program may do.",
    known: OF_EFFECTS,
  },
  evidence: {
    type: list(object("Evidence", EVIDENCE_FIELDS)),
    source: "code",
    withheld: true,
    doc: "The reasons for effects.",
    known: OF_EFFECTS,
  },
  signature: {
    type: orNull(BYTES, "if there is none"),
    source: "origin",
    doc: "Detached signature over `insns`, from the signature store or from a file beside the object.",
    known: OF_CODE,
  },
  statements: {
    type: list(object("Statement", STATEMENT_FIELDS)),
    source: "origin",
    unrecorded: [],
    doc:
      "The program statements that it matches, in the order of their `sha256`. They count only if `verify_program` " +
      "is 0.",
    known: OF_STATEMENTS,
  },
  mismatches: {
    type: list(object("Mismatch", MISMATCH_FIELDS)),
    source: "origin",
    unrecorded: [],
    doc: "How it differs from the closest statements that it does not match: at most 8.",
    known: OF_STATEMENTS,
  },
  kernel_signature: {
    type: orNull(BYTES, "if the load has none"),
    source: "origin",
    doc: "Signature over `raw_insns` from bpf_attr (`signature`).",
    known: OF_LOADER,
  },
  kernel_keyring: {
    type: orNull(TEXT, "if `gate.keyrings` maps that id to none"),
    source: "origin",
    doc: "The keyring of the configuration for `keyring_id` of bpf_attr.",
    known: OF_LOADER,
  },
  object: {
    type: orNull(object("ObjectFile", FILE_FIELDS), "for a load in a gate"),
    source: "origin",
    doc: "The object file that the program came from.",
    known: { ...OF_FILE, described: "null" },
  },
  loaded: {
    type: orNull(object("LoadedFacts", LOADED_FIELDS), "unless the kernel has loaded the program"),
    source: "kernel",
    unloaded: null,
    doc: "What the kernel reports about the loaded program, at hook `bpf_prog` of a gate.",
    known: { ...OF_LOAD, offline: "null" },
  },
  rewritten: {
    type: FLAG,
    source: "kernel",
    unloaded: false,
    doc: "Whether the kernel loaded instructions other than those that were judged (bpf_core_apply, kernel/bpf/btf.c).",
    known: known({ offline: differs(REPORTED), scan: differs("it is false: nobody judged the program") }),
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
