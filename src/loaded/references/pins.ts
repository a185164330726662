import { statSync } from "node:fs";
import { ERRNO, errorName } from "../../errno.js";
import { openPinned } from "../../sys/bpf-objects.js";
import { keyOf, type PinReference } from "../model/references.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import { type MountNamespace, mountsOf } from "../mounts/mount-namespaces.js";
import type { MountPoint } from "../mounts/mount-points.js";
import { Opened } from "../reads/opened.js";
import { components, type Raw, type Reads } from "../reads/reads.js";
import { bigRead, fileResult, namesRead, textOf } from "../reads/values.js";
import { describedObject, descriptionOfFd } from "./descriptor.js";

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
export function pinReferences(reads: Reads, namespaces: readonly MountNamespace[]): PinReferences {
  const pins = new Pins(reads);
  for (const namespace of namespaces) pins.readNamespace(namespace);
  return { references: pins.references, view: pins.view() };
}

class Pins {
  readonly references: (readonly [string, PinReference])[] = [];
  /** File systems and folders of them that were read. */
  readonly #done = new Set<string>();
  readonly #failed: string[] = [];
  #names = 0;

  constructor(readonly reads: Reads) {}

  view(): View {
    const name = "pins";
    const reasons = this.#failed.slice(0, 5);
    if (this.#failed.length > 5) reasons.push(`${this.#failed.length - 5} more`);
    if (this.#names > MAX_NAMES) reasons.push(`only ${MAX_NAMES} names were read`);
    return reasons.length === 0 ? completeView(name) : incompleteView(name, reasons.join(", "));
  }

  readNamespace(namespace: MountNamespace): void {
    for (const mount of mountsOf(namespace, "bpf")) {
      const key = `${mount.device} ${mount.root}`;
      if (this.#done.has(key)) continue;
      const folder = `${namespace.root}${mount.path}`;
      // a mount that another one covers, or a link in the path of another root folder, leads to another device
      if (deviceOf(this.reads, folder) !== mount.device) continue;
      this.#done.add(key);
      this.#readFolder(folder, mount, namespace.number, "");
    }
  }

  #readFolder(folder: string, mount: MountPoint, mountNamespace: number | null, below: string): void {
    const entries = namesRead(this.reads, `${folder}${below}`);
    // a folder that was removed meanwhile has no pins
    for (const entry of typeof entries === "number" ? [] : entries) {
      this.#names += 1;
      if (this.#names > MAX_NAMES) return;
      const path = `${below}/${entry.name}`;
      if (entry.type === "folder") this.#readFolder(folder, mount, mountNamespace, path);
      else if (entry.type === "file") this.#readPin(`${folder}${path}`, `${mount.path}${path}`, mountNamespace);
    }
  }

  #readPin(file: string, path: string, mountNamespace: number | null): void {
    const description = this.reads.bytes(`${components(file)}/@object`, () => pinned(file));
    if (description === -ERRNO.ENOENT) return;
    if (typeof description === "number") {
      this.#failed.push(`${path}: ${errorName(-description)}`);
      return;
    }
    const object = describedObject(textOf(description) ?? "");
    if (object !== null) this.references.push([keyOf(object), { by: "pin", path, mountNamespace }]);
  }
}

/** What the kernel tells of the object that a file pins. */
function pinned(file: string): Raw {
  const object = new Opened(() => openPinned(file));
  const description = object.use(descriptionOfFd);
  object.close();
  return description;
}

/** `MAJOR:MINOR` (gnu_dev_major of sys/sysmacros.h); null if there is no such path. */
function deviceOf(reads: Reads, path: string): string | null {
  const dev = bigRead(reads, `${components(path)}/@device`, () =>
    fileResult(() => statSync(path, { bigint: true }).dev),
  );
  if (typeof dev === "number") return null;
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn & 0xffffffffn);
  return `${major}:${minor}`;
}
