/** What the kernel reports about a loaded program (struct bpf_prog_info). */
export interface ProgramReport {
  readonly id: number;
  /** As `bpf_prog_load` sees it. */
  readonly type: string;
  /** At most 15 characters. */
  readonly name: string;
  /** 8 bytes in hex: since Linux 6.18 the first of a SHA-256, before that of a SHA-1. */
  readonly tag: string;
  /** In nanoseconds since the machine booted. */
  readonly loadTime: bigint;
  /** The user who loaded it, in the first user namespace. */
  readonly uid: number;
  readonly gplCompatible: boolean;
  /** The maps that it uses, by id. */
  readonly maps: readonly number[];
  /** Null if it has no BTF. */
  readonly btfId: number | null;
  /** The type in a BTF object for which it was loaded, such as the function that it traces; null if there is none. */
  readonly loadedFor: { readonly btfObject: number; readonly btfId: number } | null;
  /** Sizes in bytes; `jited` is 0 if it is interpreted. */
  readonly translated: number;
  readonly jited: number;
  /** 0 before Linux 5.16. */
  readonly verifiedInsns: number;
  /** Since statistics were enabled; 0 if they never were. */
  readonly runs: { readonly count: bigint; readonly nanoseconds: bigint };
  /** The device that it was loaded for, in a namespace of its own; null if there is none. */
  readonly device: Device | null;
}

/** A network device, by its number in its own network namespace. */
export interface Device {
  readonly ifindex: number;
  /** The inode number of the network namespace. */
  readonly netns: bigint;
}

/** What the kernel reports about a map (struct bpf_map_info). */
export interface MapReport {
  readonly id: number;
  readonly type: string;
  /** At most 15 characters. */
  readonly name: string;
  /** Sizes in bytes. */
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_* of linux/bpf.h. */
  readonly flags: number;
  /** Whether user space can no longer change it; null if unknown. */
  readonly frozen: boolean | null;
  readonly btfId: number | null;
  /** The type of a map of struct_ops, in the BTF of the kernel or of a module; null for other maps. */
  readonly kernelType: { readonly btfObject: number; readonly btfId: number } | null;
  readonly device: Device | null;
}

/** What the kernel reports about a link (struct bpf_link_info). */
export interface LinkReport {
  readonly id: number;
  /** Of {@link LINK_TYPES}; `unknown` for one that is newer. */
  readonly type: string;
  /** Null if it has none, as a link of struct_ops. */
  readonly program: number | null;
  /** What it is attached to: the fields of its type. */
  readonly target: LinkTarget;
}

/** The fields of a link's type, by their names in struct bpf_link_info. */
export type LinkTarget = Readonly<Record<string, string | number | bigint | null>>;

/** A map of struct_ops: it implements an interface of the kernel by programs. */
export interface StructOps {
  /** The map's id. */
  readonly map: number;
  /** The kernel's structure, such as `tcp_congestion_ops`; null if its BTF cannot be read. */
  readonly structure: string | null;
}
