import { readdirSync } from "node:fs";
import { ERRNO } from "../../errno.js";
import { readLink } from "../../sys/file.js";
import { openProcess, takeFd } from "../../sys/pidfd.js";
import { keyOf, type ProcessReference } from "../model/references.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import type { EventDescriptor } from "../places/event-places.js";
import { type NetworkHolder, netnsNumber, networksOfSockets } from "../places/network-namespaces.js";
import { Opened } from "../reads/opened.js";
import type { Raw, Reads } from "../reads/reads.js";
import {
  fileRead,
  fileResult,
  linkRead,
  namespaceRead,
  namesRead,
  numbersRead,
  pairsRead,
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
  /** Descriptors of network namespaces, and sockets in them, by the inode numbers of the namespaces. */
  readonly networks: ReadonlyMap<number, NetworkHolder>;
  readonly events: readonly EventDescriptor[];
}

/** The descriptors that lead to further views. */
interface Found {
  readonly networks: Map<number, NetworkHolder>;
  readonly events: EventDescriptor[];
  /** The sockets that were asked, by the targets of their links: processes can share one. */
  readonly sockets: Set<string>;
  /** The processes of which a descriptor may not be read. */
  readonly denied: Set<number>;
}

/**
 * The descriptors of BPF objects that processes have. The links in /proc/PID/fd are read first: only descriptors of BPF
 * objects are then asked for their ids. Processes that exit meanwhile are left out.
 */
export function processReferences(reads: Reads, pids: readonly number[]): ProcessReferences {
  const references: (readonly [string, ProcessReference])[] = [];
  const found: Found = { networks: new Map(), events: [], sockets: new Set(), denied: new Set() };
  for (const pid of pids) {
    const counts = countedObjects(reads, pid, found);
    if (counts === null) found.denied.add(pid);
    else if (counts.size > 0) {
      const described = descriptionOf(reads, pid);
      for (const [key, descriptors] of counts) references.push([key, { ...described, descriptors }]);
    }
  }
  const { networks, events, denied } = found;
  return { references, networks, events, view: viewOf(reads, pids.length, [...denied]) };
}

function viewOf(reads: Reads, count: number, denied: readonly number[]): View {
  const name = "processes";
  if (namespaceRead(reads, "self", "pid") !== FIRST_PID_NAMESPACE)
    return incompleteView(name, `this pid namespace shows ${count} processes, and the machine may have others`);
  if (denied.length === 0) return completeView(name);
  const processes = `${denied.length} process${denied.length === 1 ? "" : "es"}`;
  return incompleteView(name, `the descriptors of ${processes} may not be read, such as those of ${denied[0]}`);
}

/**
 * How many descriptors a process has of each object; null if they may not be read. Adds the network namespaces that it
 * has descriptors or sockets of, and its perf events.
 */
function countedObjects(reads: Reads, pid: number, found: Found): ReadonlyMap<string, number> | null {
  const counts = new Map<string, number>();
  const links = reads.bytes(`proc/${pid}/fd/@links`, () => linksOf(`/proc/${pid}/fd`));
  // without permission nothing is known; a process that has exited has none
  if (typeof links === "number") return links === -ERRNO.EACCES || links === -ERRNO.EPERM ? null : counts;
  const words = stringsIn(links);
  const sockets: number[] = [];
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [name, target] = [words[at]!, words[at + 1]!];
    const network = netnsNumber(target);
    if (network !== null) found.networks.set(network, `/proc/${pid}/fd/${name}`);
    if (target === "anon_inode:[perf_event]") found.events.push({ pid, fd: Number(name) });
    if (isNewSocket(target, found.sockets) || isTun(reads, pid, name, target)) sockets.push(Number(name));
    if (!isBpfObject(target)) continue;
    const description = descriptionOfDescriptor(reads, pid, name, target);
    if (description === -ERRNO.EPERM) return null;
    const object = describedObject(textOf(description) ?? "");
    if (object === null) continue;
    const key = keyOf(object);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  if (sockets.length > 0) addNetworks(reads, pid, sockets, found);
  return counts;
}

/** Whether the target of a link is a socket that was not asked yet. */
function isNewSocket(target: string, asked: Set<string>): boolean {
  if (!target.startsWith("socket:[") || asked.has(target)) return false;
  asked.add(target);
  return true;
}

/**
 * Whether a descriptor is one of a TUN device (tun_chr_show_fdinfo of drivers/net/tun.c). The path alone proves
 * nothing: a copy of a descriptor of another file can block when it is closed, as in FUSE.
 */
function isTun(reads: Reads, pid: number, name: string, target: string): boolean {
  if (!target.endsWith("/net/tun")) return false;
  return /^iff:/m.test(textRead(reads, `/proc/${pid}/fdinfo/${name}`) ?? "");
}

function addNetworks(reads: Reads, pid: number, sockets: readonly number[], { networks, denied }: Found): void {
  const pairs = pairsRead(reads, `proc/${pid}/fd/@networks`, () => networksOfSockets(pid, sockets));
  for (const [network, fd] of typeof pairs === "number" ? [] : pairs) {
    if (network === 0) denied.add(pid);
    else if (!networks.has(network)) networks.set(network, { pid, fd });
  }
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
