import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { ERRNO, errorName } from "../../errno.js";
import { openPinned } from "../../sys/bpf-objects.js";
import { readSmall } from "../../sys/file.js";
import { syscall } from "../../sys/libc.js";
import { namespaceOf } from "../../sys/namespace.js";
import { NR } from "../../sys/numbers.js";
import { keyOf, type PinReference } from "../model/references.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import { type BpfMount, bpfMounts } from "./bpf-mounts.js";
import { describedObject } from "./descriptor.js";

/** Maximum number of names in BPF file systems that are read: a container can make as many as it has memory for. */
const MAX_NAMES = 200_000;

export interface PinReferences {
  readonly references: readonly (readonly [key: string, reference: PinReference])[];
  readonly view: View;
}

/**
 * The pins in the BPF file systems of all mount namespaces that a process is in. A file system that several namespaces
 * have is read once. Not seen are those that another mount covers, or that are mounted nowhere.
 */
export function pinReferences(pids: readonly number[]): PinReferences {
  const pins = new Pins();
  for (const [namespace, place] of mountNamespaces(pids)) pins.readNamespace(namespace, place);
  return { references: pins.references, view: pins.view() };
}

/** A folder of /proc for each mount namespace; that of this process is the first. */
function mountNamespaces(pids: readonly number[]): ReadonlyMap<number, string> {
  const places = new Map([[namespaceOf("self", "mnt"), "/proc/self"]]);
  for (const pid of pids) {
    const namespace = namespaceOf(pid, "mnt");
    // kernel threads and processes that exit have none
    if (namespace !== 0 && !places.has(namespace)) places.set(namespace, `/proc/${pid}`);
  }
  return places;
}

class Pins {
  readonly references: (readonly [string, PinReference])[] = [];
  readonly #own = namespaceOf("self", "mnt");
  /** File systems and folders of them that were read. */
  readonly #done = new Set<string>();
  readonly #failed: string[] = [];
  #names = 0;

  view(): View {
    const name = "pins";
    const reasons = this.#failed.slice(0, 5);
    if (this.#failed.length > 5) reasons.push(`${this.#failed.length - 5} more`);
    if (this.#names > MAX_NAMES) reasons.push(`only ${MAX_NAMES} names were read`);
    return reasons.length === 0 ? completeView(name) : incompleteView(name, reasons.join(", "));
  }

  readNamespace(namespace: number, place: string): void {
    const mounts = bpfMounts(textOf(`${place}/mountinfo`));
    for (const mount of mounts) {
      const key = `${mount.device} ${mount.root}`;
      if (this.#done.has(key)) continue;
      const folder = `${place}/root${mount.path}`;
      // a mount that another one covers, or a link in the path of another root folder, leads to another device
      if (deviceOf(folder) !== mount.device) continue;
      this.#done.add(key);
      this.#readFolder(folder, mount, namespace === this.#own ? null : namespace, "");
    }
  }

  #readFolder(folder: string, mount: BpfMount, mountNamespace: number | null, below: string): void {
    for (const entry of entriesOf(`${folder}${below}`)) {
      this.#names += 1;
      if (this.#names > MAX_NAMES) return;
      const path = `${below}/${entry.name}`;
      if (entry.isDirectory()) this.#readFolder(folder, mount, mountNamespace, path);
      else if (entry.isFile()) this.#readPin(`${folder}${path}`, `${mount.path}${path}`, mountNamespace);
    }
  }

  #readPin(file: string, path: string, mountNamespace: number | null): void {
    const fd = openPinned(file);
    if (fd === -ERRNO.ENOENT) return;
    if (fd < 0) {
      this.#failed.push(`${path}: ${errorName(-fd)}`);
      return;
    }
    const object = describedObject(readSmall(`/proc/thread-self/fdinfo/${fd}`) ?? "");
    syscall(NR.close, fd);
    if (object !== null) this.references.push([keyOf(object), { by: "pin", path, mountNamespace }]);
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

/** `MAJOR:MINOR` (gnu_dev_major of sys/sysmacros.h); null if there is no such path. */
function deviceOf(path: string): string | null {
  try {
    const { dev } = statSync(path, { bigint: true });
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
    const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn & 0xffffffffn);
    return `${major}:${minor}`;
  } catch {
    return null;
  }
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
