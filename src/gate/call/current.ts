import type { Container, Current } from "../../policy/current.js";
import { capabilitiesOf, type Foreign, type Identity, type Reach } from "../sys/credentials.js";
import { readLink, readSmall } from "../sys/file.js";
import { type ThreadInfo, threadInfo } from "../sys/pidfd.js";
import { CAPABILITY_NAMES } from "./capabilities.js";
import { parseStatus } from "./status.js";

/** Who asks, as the gate needs it: what policies see, and what a call must be made with. */
export interface Asker {
  readonly current: Current;
  /** What a call must be made with. Null where the task is gone. */
  identity(reach: Reach): Identity | null;
  /** Whether its processes are numbered as the gate numbers them. */
  readonly samePids: boolean;
}

/**
 * Who a thread is, null where it is gone. What takes time to find out is found out when it is first asked for, which is
 * while the thread waits: none of it can change by its own doing meanwhile. All of it is the kernel's word except comm and
 * exe, which the task chooses (proc_pid_status(5), cgroups(7), namespaces(7)).
 */
export function readAsker(tid: number, pidfd: number, container: Container | null): Asker | null {
  const task = `/proc/${tid}`;
  const info = threadInfo(pidfd) ?? fromStatus(task);
  if (info === null) return null;
  const kept: { comm?: string; exe?: string | null; cgroup?: string | null; namespaces?: Namespaces } = {};
  let effective: bigint | null | undefined;
  /** Capabilities in another user namespace than the gate's are good for nothing in the gate's. */
  const capabilities = () => {
    if (effective !== undefined) return effective;
    const same = namespaceOf(task, "user") === ownNamespaces().user;
    effective = same ? (capabilitiesOf(tid)?.effective ?? null) : 0n;
    return effective;
  };
  const current: Current = {
    pid: info.tgid,
    tid,
    uid: info.uid,
    euid: info.euid,
    gid: info.gid,
    container,
    get comm() {
      kept.comm ??= readSmall(`${task}/comm`)?.replace(/\n$/, "") ?? "";
      return kept.comm;
    },
    get exe() {
      if (kept.exe === undefined) kept.exe = readLink(`${task}/exe`);
      return kept.exe;
    },
    get cgroup() {
      if (kept.cgroup === undefined) kept.cgroup = unifiedCgroup(readSmall(`${task}/cgroup`));
      return kept.cgroup;
    },
    get capabilities() {
      return capabilityNames(capabilities() ?? 0n);
    },
    get namespaces() {
      kept.namespaces ??= readNamespaces(task);
      return kept.namespaces;
    },
  };
  return {
    current,
    get samePids() {
      return namespaceOf(task, "pid") === ownNamespaces().pid;
    },
    identity(reach) {
      const effective = capabilities();
      const net = namespaceOf(task, "net");
      if (effective === null || net === 0) return null;
      const network = net !== ownNamespaces().net;
      const foreign = network || reach !== "call" ? { task, network, ...beyond(task, reach) } : null;
      const { uid, euid, gid, egid } = info;
      return { capabilities: effective, uid, euid, gid, egid, foreign };
    },
  };
}

/** A task that nothing is known of. */
export const NO_TASK: Current = {
  ...{ pid: 0, tid: 0, uid: 0, euid: 0, gid: 0, comm: "", exe: null, cgroup: null },
  ...{ capabilities: [], namespaces: {}, container: null },
};

/** What a call needs beside credentials and network. A cgroup namespace that cannot be read is entered, which fails. */
function beyond(task: string, reach: Reach): Omit<Foreign, "task" | "network"> {
  if (reach === "call") return { cgroup: false, filesystem: false, groups: null };
  const groups = parseStatus(readSmall(`${task}/status`) ?? "")?.groups ?? [];
  const cgroup = namespaceOf(task, "cgroup") !== ownNamespaces().cgroup;
  return { cgroup, filesystem: reach === "path", groups };
}

function fromStatus(task: string): ThreadInfo | null {
  const status = readSmall(`${task}/status`);
  return status === null ? null : parseStatus(status);
}

const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] as const;
type Namespaces = Readonly<Record<string, number>>;

let own: Namespaces | undefined;

function ownNamespaces(): Namespaces {
  own ??= readNamespaces("/proc/self");
  return own;
}

function readNamespaces(task: string): Namespaces {
  return Object.fromEntries(NAMESPACES.map((kind) => [kind, namespaceOf(task, kind)]));
}

/** `net:[4026531840]`: the kind and the inode's number. One that cannot be read is 0, which is nobody's. */
function namespaceOf(task: string, kind: string): number {
  const link = readLink(`${task}/ns/${kind}`);
  return link === null ? 0 : Number.parseInt(link.slice(kind.length + 2, -1), 10);
}

/** The path in the unified hierarchy: the line `0::/path` of /proc/PID/cgroup. */
export function unifiedCgroup(text: string | null): string | null {
  return /^0::(.*)$/m.exec(text ?? "")?.[1] ?? null;
}

const remembered = new Map<bigint, readonly string[]>();
/** Sets of capabilities seen lately; few exist on a machine. */
const REMEMBERED = 256;

/** Names of a set of capabilities, one bit each; `CAP_63` for one that has no name yet. */
export function capabilityNames(set: bigint): readonly string[] {
  const known = remembered.get(set);
  if (known !== undefined) return known;
  const names: string[] = [];
  for (let bit = 0; bit < 64; bit += 1)
    if ((set >> BigInt(bit)) & 1n) names.push(CAPABILITY_NAMES[bit] ?? `CAP_${bit}`);
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(set, names);
  return names;
}
