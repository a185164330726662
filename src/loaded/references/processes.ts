import { readdirSync } from "node:fs";
import { readLink, readSmall } from "../../sys/file.js";
import { namespaceOf } from "../../sys/namespace.js";
import { keyOf, type ProcessReference } from "../model/references.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import type { EventDescriptor } from "../places/event-places.js";
import { netnsNumber } from "../places/network-namespaces.js";
import { cgroupOwner } from "./cgroup-owner.js";
import { describedObject, isBpfObject } from "./descriptor.js";

/** PROC_PID_INIT_INO of linux/proc_ns.h: the inode number of the first pid namespace. */
const FIRST_PID_NAMESPACE = 4026531836;

/** The processes that this one sees, by pid, without itself. */
export function visibleProcesses(): readonly number[] {
  const names = readdirSync("/proc");
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

export interface ProcessReferences {
  readonly references: readonly (readonly [key: string, reference: ProcessReference])[];
  readonly view: View;
  /** Paths of descriptors of network namespaces, by the inode numbers of these. */
  readonly networks: ReadonlyMap<number, string>;
  readonly events: readonly EventDescriptor[];
}

/** The descriptors that lead to further views. */
interface Found {
  readonly networks: Map<number, string>;
  readonly events: EventDescriptor[];
}

/**
 * The descriptors of BPF objects that processes have. The links in /proc/PID/fd are read first: only descriptors of BPF
 * objects are then asked for their ids. Processes that exit meanwhile are left out.
 */
export function processReferences(pids: readonly number[]): ProcessReferences {
  const references: (readonly [string, ProcessReference])[] = [];
  const denied: number[] = [];
  const found: Found = { networks: new Map(), events: [] };
  for (const pid of pids) {
    const counts = countedObjects(pid, found);
    if (counts === null) denied.push(pid);
    else if (counts.size > 0) {
      const described = descriptionOf(pid);
      for (const [key, descriptors] of counts) references.push([key, { ...described, descriptors }]);
    }
  }
  return { references, ...found, view: viewOf(pids.length, denied) };
}

function viewOf(count: number, denied: readonly number[]): View {
  const name = "processes";
  if (namespaceOf("self", "pid") !== FIRST_PID_NAMESPACE)
    return incompleteView(name, `this pid namespace shows ${count} processes, and the machine may have others`);
  if (denied.length === 0) return completeView(name);
  return incompleteView(name, `the descriptors of ${denied.length} processes may not be read, such as ${denied[0]}`);
}

/**
 * How many descriptors a process has of each object; null if they may not be read. Adds the network namespaces and
 * perf events that it has descriptors of.
 */
function countedObjects(pid: number, found: Found): ReadonlyMap<string, number> | null {
  const counts = new Map<string, number>();
  const names = namesIn(`/proc/${pid}/fd`);
  if (names === null) return null;
  for (const name of names) {
    const target = readLink(`/proc/${pid}/fd/${name}`) ?? "";
    const network = netnsNumber(target);
    if (network !== null) found.networks.set(network, `/proc/${pid}/fd/${name}`);
    if (target === "anon_inode:[perf_event]") found.events.push({ pid, fd: Number(name) });
    if (!isBpfObject(target)) continue;
    const object = describedObject(readSmall(`/proc/${pid}/fdinfo/${name}`) ?? "");
    if (object === null) continue;
    const key = keyOf(object);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Empty if the process has exited; null if it is not this process's to read. */
function namesIn(folder: string): readonly string[] | null {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EACCES" || code === "EPERM" ? null : [];
  }
}

function descriptionOf(pid: number): Omit<ProcessReference, "descriptors"> {
  const owner = cgroupOwner(readSmall(`/proc/${pid}/cgroup`) ?? "");
  return { by: "process", pid, exe: readLink(`/proc/${pid}/exe`), ...owner };
}
