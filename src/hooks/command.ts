/**
 * The subject of hook `bpf`: one bpf(2) command. If the gate carries the command out itself, it has copied the whole
 * bpf_attr. For other commands only the registers are known, and each fact that would come from the task's memory is
 * null.
 */
export interface CommandSubject {
  /** Spelled as in linux/bpf.h, such as `BPF_LINK_CREATE`. */
  readonly name: string;
  /** SHA-256 of the BTF for BPF_BTF_LOAD, of these facts for other commands; empty if only the registers are known. */
  readonly digest: string;
  readonly cmd: number;
  /** Size of bpf_attr in bytes; null offline, since it depends on the loader. */
  readonly size: number | null;
  /**
   * The program that is attached, detached, run or pinned, or the program of the link; null for a detachment that names
   * none.
   */
  readonly program: ProgramReference | null;
  /** The map that is pinned, or that is attached (a map of type struct_ops). */
  readonly map: MapReference | null;
  readonly attach: AttachFacts | null;
  readonly run: RunFacts | null;
  /** The path at which an object is pinned, or from which it is fetched (BPF_OBJ_PIN, BPF_OBJ_GET). */
  readonly path: string | null;
  readonly btf: BtfFacts | null;
}

export interface ProgramReference {
  readonly name: string;
  readonly type: string;
  /** 8 bytes, lower-case hex. */
  readonly tag: string;
  /** The digest of the program's subject; null if this gate did not judge the program. */
  readonly digest: string | null;
}

export interface MapReference {
  readonly name: string;
  readonly type: string;
}

/** Facts of BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_PROG_ATTACH, BPF_PROG_DETACH and BPF_RAW_TRACEPOINT_OPEN. */
export interface AttachFacts {
  /**
   * The attach type as bpftool spells it; null if the command has none, and for `ext` programs, whose links ignore it.
   */
  readonly type: string | null;
  readonly flags: number;
  readonly target: AttachTarget;
}

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

export type TargetKind = (typeof TARGET_KINDS)[number];

/** The object that a program is attached to. Fields that do not apply to its kind are null. */
export interface AttachTarget {
  readonly kind: string;
  /** Index of an interface in the task's network namespace. */
  readonly ifindex: number | null;
  /** Path of a cgroup in the unified hierarchy, or of the file that uprobes are placed in. */
  readonly path: string | null;
  /** Name of a map, a tracepoint, or the function or iterator that the program was loaded for. */
  readonly name: string | null;
  /** Another program: the one that is traced or partly replaced, or the previous program of a link. */
  readonly program: ProgramReference | null;
  /** BTF id of a function in the BTF of `program`. */
  readonly btf_id: number | null;
  /** Inode number of a network namespace, as in `current.namespaces`. */
  readonly namespace: number | null;
  /** Number of probed functions or places. */
  readonly count: number | null;
  /** Symbols of all kprobes; null if they are given as addresses, or if there are more than 1024. */
  readonly symbols: readonly string[] | null;
  /** File offsets of all uprobes; null if there are more than 1024. */
  readonly offsets: readonly number[] | null;
  /** Id, in the gate's pid namespace, of the process that uprobes apply to; 0 for any process. */
  readonly pid: number | null;
}

/** Facts of BPF_PROG_TEST_RUN. Sizes are in bytes. */
export interface RunFacts {
  readonly repeat: number;
  readonly flags: number;
  readonly data_size_in: number;
  readonly data_size_out: number;
  readonly ctx_size_in: number;
  readonly ctx_size_out: number;
}

/** Facts of BPF_BTF_LOAD. */
export interface BtfFacts {
  readonly size: number;
  readonly sha256: string;
}
