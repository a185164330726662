/**
 * What hook `bpf` is about. A gate that carries a command out itself has copied all of it; of any other command registers
 * alone are known, and what memory would tell is null.
 */
export interface CommandSubject {
  /** As linux/bpf.h has it: `BPF_LINK_CREATE`. */
  readonly name: string;
  /** SHA-256 of BTF that is loaded, else of these facts; empty where registers alone are known. */
  readonly digest: string;
  readonly cmd: number;
  /** Size of bpf_attr in bytes; null offline, since it depends on the loader. */
  readonly size: number | null;
  /** The program that is attached, detached, run or pinned, or whose link is; null for a detachment that names none. */
  readonly program: ProgramReference | null;
  /** The map that is pinned, or attached (struct_ops). */
  readonly map: MapReference | null;
  readonly attach: AttachFacts | null;
  readonly run: RunFacts | null;
  /** Where an object is pinned, or fetched from. */
  readonly path: string | null;
  readonly btf: BtfFacts | null;
}

export interface ProgramReference {
  readonly name: string;
  readonly type: string;
  /** 8 bytes, lower-case hex. */
  readonly tag: string;
  /** Null where it was not judged here. */
  readonly digest: string | null;
}

export interface MapReference {
  readonly name: string;
  readonly type: string;
}

/** Of BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_PROG_ATTACH, BPF_PROG_DETACH and BPF_RAW_TRACEPOINT_OPEN. */
export interface AttachFacts {
  /** As bpftool writes it; null where the command has none, and for an `ext` program, whose links it says nothing of. */
  readonly type: string | null;
  readonly flags: number;
  readonly target: AttachTarget;
}

/** What a program can be put to. */
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

export type TargetKind = (typeof TARGET_KINDS)[number];

/** What a program is put to. What does not belong to its kind is null. */
export interface AttachTarget {
  readonly kind: string;
  /** Of an interface, in the task's own network. */
  readonly ifindex: number | null;
  /** Of a cgroup in the unified hierarchy, or of the file that uprobes are for. */
  readonly path: string | null;
  /** Of a map, a tracepoint, or of the function or iterator that the program was loaded for. */
  readonly name: string | null;
  /** Another program: one that is traced or replaced in part, or the one that a link had before. */
  readonly program: ProgramReference | null;
  /** The id of a function in that program's BTF. */
  readonly btf_id: number | null;
  /** The inode of a network namespace, as in `current.namespaces`. */
  readonly namespace: number | null;
  /** How many functions or places are probed. */
  readonly count: number | null;
  /** Of kprobes, all of them; null where they are named by address, or are more than 1024. */
  readonly symbols: readonly string[] | null;
  /** Of uprobes, in the file: all of them; null where they are more than 1024. */
  readonly offsets: readonly number[] | null;
  /** Of the process that uprobes are for, as the gate counts processes; 0 for any. */
  readonly pid: number | null;
}

/** Of BPF_PROG_TEST_RUN: sizes in bytes. */
export interface RunFacts {
  readonly repeat: number;
  readonly flags: number;
  readonly data_size_in: number;
  readonly data_size_out: number;
  readonly ctx_size_in: number;
  readonly ctx_size_out: number;
}

/** Of BPF_BTF_LOAD. */
export interface BtfFacts {
  readonly size: number;
  readonly sha256: string;
}
