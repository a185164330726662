/** Facts that the engine computes about BPF code. Fields have the names that policies see, which are the kernel's. */

/** True means that the program may do it. An effect is never false if the program can do it. */
export const EFFECTS = [
  "reads_kernel_memory",
  "reads_user_memory",
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

/** `read_only` is true if no effect that changes anything is true. `decides` for a record of perf changes nothing. */
export type Effects = Readonly<Record<EffectName | "read_only", boolean>>;

/** The reason for an effect. */
export interface Evidence {
  readonly effect: EffectName;
  /** Index of the instruction in `insns`, in units of 8 bytes; null if the reason is the program's type alone. */
  readonly insn: number | null;
  /** The instruction in the syntax of llvm-objdump. */
  readonly text: string | null;
  /** `file.c:12` from .BTF.ext; null without it. */
  readonly source: string | null;
  /** One line: why the instruction can have the effect. */
  readonly because: string;
  /** Whether this evidence makes `read_only` false. */
  readonly ends_read_only: boolean;
}

/** The parameters with which a map is created. */
export interface MapDefinition {
  readonly name: string;
  /** As bpftool spells it: `hash`, `array`, `ringbuf` and so on, or `unknown`. */
  readonly type: string;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly flags: number;
  /**
   * SHA-256 of the initial contents in lower-case hex, if the map is frozen and read-only for programs; in a live load
   * also if it is frozen and exclusive to the program. Otherwise null.
   */
  readonly contents: string | null;
}

export interface MapFacts extends MapDefinition {
  /** Upper bound in bytes of the kernel memory of the full map. */
  readonly memory: number;
  /** Additional bytes for each possible CPU. */
  readonly memory_per_cpu: number;
}

export interface ProgramFacts {
  readonly name: string;
  readonly section: string | null;
  /** As bpftool spells it: `sched_cls`, `xdp`, `kprobe` and so on, or `unknown`. */
  readonly type: string;
  readonly expected_attach_type: string | null;
  readonly attach_to: string | null;
  readonly license: string;
  readonly gpl_compatible: boolean;
  /** Number of 8-byte slots: an ld_imm64 counts as two, as in the kernel. */
  readonly insn_cnt: number;
  /** The instructions that libbpf would pass to the kernel, with zeroed map fds, in the byte order of the object. */
  readonly insns: Uint8Array;
  /** The instructions as passed to bpf(2); for a file the same as `insns`. */
  readonly raw_insns: Uint8Array;
  /** SHA-256 of `insns` in lower-case hex. */
  readonly digest: string;
  /** First 8 bytes of `digest`, which is the kernel's tag from Linux 6.18 on. */
  readonly tag: string;
  /** The kernel's names (`bpf_map_lookup_elem`; `helper#250` if it is newer than the tables), sorted. */
  readonly helpers: readonly string[];
  /** Names (`kfunc#1234` with the BTF id if a live load gives no name), sorted. */
  readonly kfuncs: readonly string[];
  /** The maps that the program refers to, in the order of its instructions. */
  readonly maps: readonly MapFacts[];
  readonly effects: Effects;
  readonly evidence: readonly Evidence[];
}

export interface ObjectFacts {
  /** SHA-256 of the whole file in lower-case hex. */
  readonly sha256: string;
  readonly byte_order: "little" | "big";
  readonly programs: readonly ProgramFacts[];
  /** All maps that libbpf creates before it loads programs, in its order, including those that no program refers to. */
  readonly maps: readonly MapFacts[];
}
