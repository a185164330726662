import type { Container, Current } from "../policy/current.js";
import { CAPABILITY_NAMES } from "./capabilities.js";
import type { Foreign, Identity } from "./sys/credentials.js";
import { readLink, readSmall } from "./sys/file.js";

/** Who asks, as the gate needs it: what policies see, and what a call must be made with. */
export interface Asker {
  readonly current: Current;
  /** `filesystem`: whether a path will be looked up. */
  identity(filesystem: boolean): Identity;
}

/**
 * Reads who a task is out of /proc (proc_pid_status(5), cgroups(7), namespaces(7)); null where it is gone. All of it is the
 * kernel's word except comm and exe, which the task chooses. Uids are those of the gate's own user namespace.
 */
export function readAsker(tid: number, container: Container | null): Asker | null {
  const task = `/proc/${tid}`;
  const status = readSmall(`${task}/status`);
  if (status === null) return null;
  const fields = parseStatus(status);
  if (fields === null) return null;
  const namespaces = readNamespaces(task);
  const own = ownNamespaces();
  // capabilities of a task in another user namespace are good for nothing in the gate's
  const effective = namespaces.user === own.user ? fields.effective : 0n;
  const current: Current = {
    pid: fields.tgid,
    tid,
    uid: fields.uid,
    euid: fields.euid,
    gid: fields.gid,
    comm: fields.comm,
    exe: readLink(`${task}/exe`),
    cgroup: cgroupOf(readSmall(`${task}/cgroup`)),
    capabilities: capabilityNames(effective),
    namespaces,
    container,
  };
  return {
    current,
    identity(filesystem) {
      const network = namespaces.net !== own.net;
      const foreign: Foreign | null =
        network || filesystem ? { task, network, filesystem, groups: fields.groups } : null;
      return {
        capabilities: effective,
        uid: fields.uid,
        euid: fields.euid,
        gid: fields.gid,
        egid: fields.egid,
        foreign,
      };
    },
  };
}

/** The lines of /proc/TID/status that count; null where one is missing. */
export function parseStatus(text: string): Status | null {
  const number = (name: string, index: number, radix = 10): number => {
    const start = text.indexOf(`\n${name}:\t`);
    if (start < 0) return Number.NaN;
    const line = text.slice(start + name.length + 3, text.indexOf("\n", start + 1));
    return Number.parseInt(line.split("\t")[index] ?? "", radix);
  };
  const effective = /\nCapEff:\t([0-9a-f]{16})\n/.exec(text)?.[1];
  const groups = /\nGroups:\t([0-9 ]*)\n/.exec(text)?.[1]?.trim();
  const comm = /^Name:\t(.*)\n/.exec(text)?.[1];
  const status = {
    comm: comm ?? "",
    tgid: number("Tgid", 0),
    uid: number("Uid", 0),
    euid: number("Uid", 1),
    gid: number("Gid", 0),
    egid: number("Gid", 1),
    groups: groups ? groups.split(" ").map(Number) : [],
    effective: BigInt(`0x${effective ?? "0"}`),
  };
  const whole = comm !== undefined && effective !== undefined;
  return whole && [status.tgid, status.uid, status.euid, status.gid, status.egid].every(Number.isInteger)
    ? status
    : null;
}

export interface Status {
  readonly comm: string;
  readonly tgid: number;
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  readonly groups: readonly number[];
  readonly effective: bigint;
}

const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] as const;
type Namespaces = Readonly<Record<string, number>>;

let own: Namespaces | undefined;

function ownNamespaces(): Namespaces {
  own ??= readNamespaces("/proc/self");
  return own;
}

/** `net:[4026531840]`: the kind and the inode's number. One that cannot be read is 0, which is nobody's. */
function readNamespaces(task: string): Namespaces {
  const found: Record<string, number> = {};
  for (const kind of NAMESPACES) {
    const link = readLink(`${task}/ns/${kind}`);
    found[kind] = link === null ? 0 : Number.parseInt(link.slice(kind.length + 2, -1), 10);
  }
  return found;
}

/** The path in the unified hierarchy: the line `0::/path`. */
function cgroupOf(text: string | null): string | null {
  if (text === null) return null;
  const start = text.startsWith("0::") ? 0 : text.indexOf("\n0::") + 1;
  if (start === 0 && !text.startsWith("0::")) return null;
  return text.slice(start + 3, text.indexOf("\n", start));
}

const remembered = new Map<bigint, readonly string[]>();
/** Sets of capabilities seen lately; few exist on a machine. */
const REMEMBERED = 256;

function capabilityNames(set: bigint): readonly string[] {
  const known = remembered.get(set);
  if (known !== undefined) return known;
  const names: string[] = [];
  for (let bit = 0; bit < 64; bit += 1)
    if ((set >> BigInt(bit)) & 1n) names.push(CAPABILITY_NAMES[bit] ?? `CAP_${bit}`);
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(set, names);
  return names;
}
