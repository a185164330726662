/**
 * A live BPF_PROG_LOAD, with what its fds refer to. Names that a loader chooses are left out, since they prove nothing.
 */
export interface LiveProgramLoad {
  /** The instructions as the task passed them, in the byte order of this (little-endian) machine. */
  readonly insns: Uint8Array;
  /** Numbers of linux/bpf.h. */
  readonly type: number;
  readonly expectedAttachType: number;
  readonly flags: number;
  readonly ifindex: number;
  readonly license: string;
  readonly attach: LiveAttachTarget;
  /** SHA-256 of the BTF behind prog_btf_fd; null if there is none. */
  readonly btf: string | null;
  readonly funcInfo: LiveRecords;
  readonly coreRelos: LiveRecords;
  /** The map of each `ld_imm64` that refers to one by its fd, by slot. The same map is the same object. */
  readonly maps: ReadonlyMap<number, LiveMap>;
  /**
   * The BTF object of the kernel by slot: of each `ld_imm64` with src 3 and an fd, and of each kfunc call with an index
   * into fd_array. `vmlinux` or the name of a module; null for an fd that is no BTF of the kernel.
   */
  readonly btfObjects: ReadonlyMap<number, string | null>;
  /** `fd_array_cnt`: the number of entries of fd_array that the kernel binds to the program. */
  readonly boundFds: number;
}

/** An array of records in bpf_attr. */
export interface LiveRecords {
  readonly bytes: Uint8Array;
  readonly size: number;
}

/** What the program attaches to; `btfId` 0 if it names nothing. */
export interface LiveAttachTarget {
  readonly btfId: number;
  /** The BTF object of the kernel, or the program, that `btfId` belongs to. Null for an fd that is neither. */
  readonly of: string | LiveTargetProgram | null;
  /** For people: the name of the type; null if it is not known. */
  readonly name: string | null;
}

/** The program that another one attaches to (attach_prog_fd). */
export interface LiveTargetProgram {
  readonly id: number;
  /** Whether this program is recognised as a stated one. */
  readonly recognised: boolean;
  /** The name of the function behind `btfId` in the program's BTF; null if it is not known. */
  readonly function: string | null;
}

/** How a map was created: the attr of BPF_MAP_CREATE, or what the kernel reports. */
export interface LiveMapDefinition {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** Decimal digits: 64 bits. */
  readonly mapExtra: string;
  readonly ifindex: number;
  /** SHA-256 of the map's BTF; null if it has none. */
  readonly btf: string | null;
  readonly keyTypeId: number;
  readonly valueTypeId: number;
}

export interface LiveMap extends LiveMapDefinition {
  /** The definition of the map that a map of maps holds; null if it is not known. */
  readonly inner: LiveMapDefinition | null;
  /** The kernel's id. */
  readonly id: number;
  /** Null if the gate did not see the creation. */
  readonly numaNode: number | null;
  readonly frozen: boolean;
  /** The value of an array with one element that is frozen and that programs cannot write to; null for other maps. */
  readonly contents: Uint8Array | null;
  /** Reads the BTF of the map, or of the map that it holds; null if there is none, or if it cannot be read. */
  readonly readBtf: (of: "map" | "inner") => Uint8Array | null;
  /** Who created the map through this gate: the process that loads the program, or another one. */
  readonly creator: "loader" | "other" | null;
  /** The stated maps that it is for recognised programs; at most {@link MAX_ROLES}. */
  readonly roles: readonly MapRole[];
}

/** The stated map that a map of the kernel is for a recognised program: the object's SHA-256, and the name in it. */
export interface MapRole {
  readonly object: string;
  readonly name: string;
}

/** Maximum number of roles that are remembered of a map; any other map is shared by fewer programs. */
export const MAX_ROLES = 64;
