/** Where a program is attached, as the target itself says: also without a link. */
export type Place =
  | CgroupPlace
  | MapPlace
  | ElementPlace
  | NetnsPlace
  | InterfacePlace
  | ActionPlace
  | RoutePlace
  | EventPlace
  | StructOpsPlace;

interface Attached {
  /** The program's id. */
  readonly program: number;
}

export interface CgroupPlace extends Attached {
  readonly at: "cgroup";
  /** Of enum bpf_attach_type. */
  readonly attachType: string;
  /** The path in the unified hierarchy. */
  readonly path: string;
  /** The inode number of the cgroup, which links have too. */
  readonly cgroupId: bigint;
}

/** A map of sockets, whose messages the program judges. */
export interface MapPlace extends Attached {
  readonly at: "map";
  readonly attachType: string;
  readonly map: number;
}

/** An element of an array of programs, or of a map of devices or processors. */
export interface ElementPlace extends Attached {
  readonly at: "element";
  readonly map: number;
  readonly index: number;
}

export interface NetnsPlace extends Attached {
  readonly at: "netns";
  readonly attachType: string;
  /** The inode number of the network namespace. */
  readonly netns: number;
}

export interface InterfacePlace extends Attached {
  readonly at: "interface";
  readonly attachType: string;
  readonly ifindex: number;
  /** In its network namespace; null if it is unknown. */
  readonly name: string | null;
  /** The inode number of the network namespace. */
  readonly netns: number;
  /** The filter of tc that has the program; absent if it is attached without one. */
  readonly filter?: TcFilter;
}

/** One filter, by what tc(8) and the kernel name it by. */
export interface TcFilter {
  /** The interface and the qdisc or class of which the filter was listed. */
  readonly listed: { readonly ifindex: number; readonly parent: number };
  /** The number of the block that several interfaces share; null for a filter of one interface. */
  readonly block: number | null;
  /** tcm_info of linux/rtnetlink.h: the priority in the upper 16 bits, the protocol below. */
  readonly info: number;
  readonly chain: number;
  readonly handle: number;
}

/** A tc action of kind bpf, with or without filters that use it. */
export interface ActionPlace extends Attached {
  readonly at: "action";
  /** The index of the action among those of its kind in its network namespace. */
  readonly index: number;
  /** The inode number of the network namespace. */
  readonly netns: number;
}

/** A route with a program, whose packets pass through a tunnel of kind bpf or seg6local. */
export interface RoutePlace extends Attached {
  readonly at: "route";
  /** `lwt_in`, `lwt_out`, `lwt_xmit` or `lwt_seg6local`: the type of its program too. */
  readonly attachType: string;
  /** As ip(8) prints it: `10.1.0.0/16`, or `default`. */
  readonly destination: string;
  /** What whoever added the route calls the program: no name of the kernel; null if there is none. */
  readonly name: string | null;
  /** The inode number of the network namespace. */
  readonly netns: number;
  /** Whether it is this program: the kernel names none, so that any loaded program of this type can be that one. */
  readonly isCertain: boolean;
}

/** An event of perf_event_open(2) that a process has a descriptor of. */
export interface EventPlace extends Attached {
  readonly at: "event";
  /** `tracepoint`, `kprobe`, `kretprobe`, `uprobe` or `uretprobe`. */
  readonly event: string;
  /** The tracepoint, the function or the file; null if the kernel does not name it. */
  readonly name: string | null;
  readonly offset: number;
  readonly pid: number;
}

/** A function of a structure of the kernel, which a map of struct_ops registers. */
export interface StructOpsPlace extends Attached {
  readonly at: "struct_ops";
  readonly map: number;
  /** The name of the function in the structure. */
  readonly member: string;
}
