/**
 * What the engine finds out about BPF code by itself. Fields are named as policies see them: the kernel's names.
 */

/** True means *may*: a program that can do a thing never has it false. */
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

/** `read_only` is true when no effect that changes anything is; `decides` over a record of perf's changes nothing. */
export type Effects = Readonly<Record<EffectName | "read_only", boolean>>;

/** Why an effect is true. */
export interface Evidence {
  readonly effect: EffectName;
  /**
   * Index of the instruction (in units of 8 bytes) in `insns`, or null where the program's type alone is the reason.
   */
  readonly insn: number | null;
  /** The instruction as llvm-objdump writes it. */
  readonly text: string | null;
  /** `file.c:12` from .BTF.ext, where there is one. */
  readonly source: string | null;
  /** One line: what about it makes the effect true. */
  readonly because: string;
  /** Whether `read_only` is false for it. */
  readonly ends_read_only: boolean;
}

/** A map as it is asked for. */
export interface MapDefinition {
  readonly name: string;
  /** As bpftool writes it: `hash`, `array`, `ringbuf` … or `unknown` */
  readonly type: string;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly flags: number;
  /**
   * SHA-256 of the initial contents, lower-case hex, where they are frozen and read-only; of a live load also where
   * they are frozen and the map is exclusive to the program. Else null.
   */
  readonly contents: string | null;
}

export interface MapFacts extends MapDefinition {
  /** Bytes of the kernel's memory that it takes when it is full, at most. */
  readonly memory: number;
  /** Bytes that it takes beside, once for each possible CPU. */
  readonly memory_per_cpu: number;
}

export interface ProgramFacts {
  readonly name: string;
  readonly section: string | null;
  /** As bpftool writes it: `sched_cls`, `xdp`, `kprobe` … or `unknown` */
  readonly type: string;
  readonly expected_attach_type: string | null;
  readonly attach_to: string | null;
  readonly license: string;
  readonly gpl_compatible: boolean;
  /** Instructions of 8 bytes; an ld_imm64 counts as two, as the kernel counts. */
  readonly insn_cnt: number;
  /** As libbpf would hand them over, with map fds zeroed; always in little-endian byte order of struct bpf_insn on a
   * little-endian object, and in the object's own order otherwise. */
  readonly insns: Uint8Array;
  /** As given to bpf(2); for a file the same as `insns`. */
  readonly raw_insns: Uint8Array;
  /** SHA-256 of `insns`, lower-case hex. */
  readonly digest: string;
  /** First 8 bytes of `digest`: the kernel's own tag from 6.18 on. */
  readonly tag: string;
  /** The kernel's names (`bpf_map_lookup_elem`; `helper#250` where it is newer than the tables), sorted. */
  readonly helpers: readonly string[];
  /** Names (`kfunc#1234`, its BTF id, where a live load gives no more), sorted. */
  readonly kfuncs: readonly string[];
  /** Those that it refers to, in the order of its instructions. */
  readonly maps: readonly MapFacts[];
  readonly effects: Effects;
  readonly evidence: readonly Evidence[];
}

export interface ObjectFacts {
  /** SHA-256 of the whole file, lower-case hex. */
  readonly sha256: string;
  readonly byte_order: "little" | "big";
  readonly programs: readonly ProgramFacts[];
  /** All that libbpf creates before it loads programs, in its order, whether a program refers to them or not. */
  readonly maps: readonly MapFacts[];
}
