import { readdirSync } from "node:fs";
import { ERRNO } from "../../errno.js";
import { readLink } from "../../sys/file.js";
import { openProcess, takeFd } from "../../sys/pidfd.js";
import { keyOf, type ProcessReference } from "../model/references.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import type { EventDescriptor } from "../places/event-places.js";
import { netnsNumber } from "../places/network-namespaces.js";
import { Opened } from "../reads/opened.js";
import type { Raw, Reads } from "../reads/reads.js";
import {
  fileRead,
  fileResult,
  linkRead,
  namespaceRead,
  namesRead,
  numbersRead,
  stringsIn,
  textOf,
  textRead,
} from "../reads/values.js";
import { cgroupOwner } from "./cgroup-owner.js";
import { describedObject, descriptionOfFd, isBpfObject, isLink } from "./descriptor.js";

/** PROC_PID_INIT_INO of linux/proc_ns.h: the inode number of the first pid namespace. */
const FIRST_PID_NAMESPACE = 4026531836;

/** The processes that this one sees, by pid, without itself. */
export function visibleProcesses(reads: Reads): readonly number[] {
  const entries = namesRead(reads, "/proc");
  const own = numbersRead(reads, "@process/pid", () => [process.pid]);
  if (typeof entries === "number" || typeof own === "number") return [];
  return entries
    .filter(({ name }) => /^\d{1,10}$/.test(name))
    .map(({ name }) => Number(name))
    .filter((pid) => pid !== own[0]);
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
export function processReferences(reads: Reads, pids: readonly number[]): ProcessReferences {
  const references: (readonly [string, ProcessReference])[] = [];
  const denied: number[] = [];
  const found: Found = { networks: new Map(), events: [] };
  for (const pid of pids) {
    const counts = countedObjects(reads, pid, found);
    if (counts === null) denied.push(pid);
    else if (counts.size > 0) {
      const described = descriptionOf(reads, pid);
      for (const [key, descriptors] of counts) references.push([key, { ...described, descriptors }]);
    }
  }
  return { references, ...found, view: viewOf(reads, pids.length, denied) };
}

function viewOf(reads: Reads, count: number, denied: readonly number[]): View {
  const name = "processes";
  if (namespaceRead(reads, "self", "pid") !== FIRST_PID_NAMESPACE)
    return incompleteView(name, `this pid namespace shows ${count} processes, and the machine may have others`);
  if (denied.length === 0) return completeView(name);
  return incompleteView(name, `the descriptors of ${denied.length} processes may not be read, such as ${denied[0]}`);
}

/**
 * How many descriptors a process has of each object; null if they may not be read. Adds the network namespaces and
 * perf events that it has descriptors of.
 */
function countedObjects(reads: Reads, pid: number, found: Found): ReadonlyMap<string, number> | null {
  const counts = new Map<string, number>();
  const links = reads.bytes(`proc/${pid}/fd/@links`, () => linksOf(`/proc/${pid}/fd`));
  // without permission nothing is known; a process that has exited has none
  if (typeof links === "number") return links === -ERRNO.EACCES || links === -ERRNO.EPERM ? null : counts;
  const words = stringsIn(links);
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [name, target] = [words[at]!, words[at + 1]!];
    const network = netnsNumber(target);
    if (network !== null) found.networks.set(network, `/proc/${pid}/fd/${name}`);
    if (target === "anon_inode:[perf_event]") found.events.push({ pid, fd: Number(name) });
    if (!isBpfObject(target)) continue;
    const description = descriptionOfDescriptor(reads, pid, name, target);
    if (description === -ERRNO.EPERM) return null;
    const object = describedObject(textOf(description) ?? "");
    if (object === null) continue;
    const key = keyOf(object);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** What the kernel tells of a descriptor of a process. That of a link is copied: see {@link descriptionOfFd}. */
function descriptionOfDescriptor(reads: Reads, pid: number, name: string, target: string): Raw {
  if (!isLink(target)) return fileRead(reads, `/proc/${pid}/fdinfo/${name}`);
  return reads.bytes(`proc/${pid}/fd/${name}/@object`, () => {
    const task = new Opened(() => openProcess(pid));
    const copy = new Opened(() => task.use((pidfd) => takeFd(pidfd, Number(name))));
    const description = copy.use(descriptionOfFd);
    copy.close();
    task.close();
    return description;
  });
}

/**
 * The names in a folder with the targets of these links, each with a NUL at its end. One that goes meanwhile is left
 * out.
 */
function linksOf(folder: string): Raw {
  return fileResult(() => {
    const links = readdirSync(folder).map((name) => [name, readLink(`${folder}/${name}`)] as const);
    return Buffer.from(links.map(([name, target]) => (target === null ? "" : `${name}\0${target}\0`)).join(""));
  });
}

function descriptionOf(reads: Reads, pid: number): Omit<ProcessReference, "descriptors"> {
  const owner = cgroupOwner(textRead(reads, `/proc/${pid}/cgroup`) ?? "");
  return { by: "process", pid, exe: linkRead(reads, `/proc/${pid}/exe`), ...owner };
}
