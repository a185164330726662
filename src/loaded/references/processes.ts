import { ERRNO } from "../../errno.js";
import { openProcess, takeFd } from "../../sys/pidfd.js";
import { keyOf, type ProcessReference } from "../model/references.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import type { EventDescriptor } from "../places/event-places.js";
import { type NetworkHolder, netnsNumber, networksOfSockets } from "../places/network-namespaces.js";
import { Opened } from "../reads/opened.js";
import type { Raw, Reads } from "../reads/reads.js";
import {
  fileRead,
  linkRead,
  namespaceRead,
  namesRead,
  numbersRead,
  pairsRead,
  textOf,
  textRead,
} from "../reads/values.js";
import { cgroupOwner } from "./cgroup-owner.js";
import { describedObject, descriptionOfFd, isBpfObject, isLink } from "./descriptor.js";
import { linksIn } from "./folder-links.js";

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
  const links = reads.bytes(`proc/${pid}/fd/@links`, () => linksIn(`/proc/${pid}/fd`));
  // without permission nothing is known; a process that has exited has none
  if (typeof links === "number") return links === -ERRNO.EACCES || links === -ERRNO.EPERM ? null : counts;
  const sockets: number[] = [];
  for (const [name, target] of furtherLinks(links)) {
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

const [NUL, SLASH, LETTER_N, LETTER_P] = [0, 0x2f, 0x6e, 0x70];

/**
 * Names and targets of links, without those that lead nowhere further: pipes, and files but `…/net/tun`. Most links are
 * such ones, of which no texts are made.
 */
function* furtherLinks(links: Uint8Array): Generator<readonly [name: string, target: string]> {
  const bytes = Buffer.from(links.buffer, links.byteOffset, links.byteLength);
  for (let start = 0; start < bytes.length; ) {
    const target = bytes.indexOf(NUL, start) + 1;
    const end = target === 0 ? -1 : bytes.indexOf(NUL, target);
    if (end === -1) return;
    const first = bytes[target];
    if (first !== LETTER_P && (first !== SLASH || bytes[end - 1] === LETTER_N))
      yield [bytes.toString("latin1", start, target - 1), bytes.toString("latin1", target, end)];
    start = end + 1;
  }
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

function descriptionOf(reads: Reads, pid: number): Omit<ProcessReference, "descriptors"> {
  const owner = cgroupOwner(textRead(reads, `/proc/${pid}/cgroup`) ?? "");
  return { by: "process", pid, exe: linkRead(reads, `/proc/${pid}/exe`), ...owner };
}
