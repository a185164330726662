import type { IdKind } from "../../sys/bpf.js";

/** One object of the kernel. */
export interface ObjectName {
  readonly kind: Exclude<IdKind, "btf">;
  readonly id: number;
}

/** A process that has descriptors of an object. */
export interface ProcessReference {
  readonly by: "process";
  readonly pid: number;
  /** Number of its descriptors of the object. */
  readonly descriptors: number;
  /** The path of its executable, which the process can choose; null for a kernel thread, or if it has exited. */
  readonly exe: string | null;
  /** The systemd unit of its cgroup; null if there is none. */
  readonly unit: string | null;
  /** The id of the container of its cgroup; null if there is none. */
  readonly container: string | null;
}

/** A file of a BPF file system. */
export interface PinReference {
  readonly by: "pin";
  /** As the processes of its mount namespace see it. */
  readonly path: string;
  /** The inode number of the mount namespace; null for that of this process. */
  readonly mountNamespace: number | null;
}

/** A link that has a program, a program that uses a map, or a map of struct_ops that a link has registered. */
export interface ObjectReference {
  readonly by: ObjectName["kind"];
  readonly id: number;
}

/** What keeps an object loaded. */
export type Reference = ProcessReference | PinReference | ObjectReference;

/** The references to objects, by {@link keyOf} of the object. */
export type References = ReadonlyMap<string, readonly Reference[]>;

export function keyOf({ kind, id }: ObjectName): string {
  return `${kind}:${id}`;
}
