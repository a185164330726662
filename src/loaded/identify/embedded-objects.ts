import { readFileSync, statSync } from "node:fs";
import { objectsOfFile } from "../../bpf/embedded.js";
import { sha256 } from "../../bpf/insn/digest.js";
import { ERRNO } from "../../errno.js";
import { CountersignError } from "../../error.js";
import type { References } from "../model/references.js";
import type { Raw, Reads } from "../reads/reads.js";
import { invalidArchive } from "../reads/saved-error.js";
import { fileResult, textOf, textRead } from "../reads/values.js";
import type { KnownPlace } from "./known-program.js";

/** A BPF object that a file of a process embeds, or is. */
interface EmbeddedObject extends Pick<KnownPlace, "file" | "offset"> {
  readonly bytes: Uint8Array;
}

/** What is found of a file: where its objects are, and their SHA-256 in lower-case hex. */
interface FoundObject {
  readonly offset: number | null;
  readonly sha256: string;
}

/** Maximum sizes in bytes of a file that is searched, and of all of them. Executables of Go have more than 100 MB. */
const MAX_FILE = 1 << 28;
const MAX_FILES = 2 ** 33;

/**
 * The BPF objects in the executables and libraries of the processes that refer to a program, map or link. Files that
 * several processes have are read once. Their paths are those that the processes see.
 */
export class EmbeddedObjects {
  /** What the present files were: read again only for another result. */
  readonly #done = new Set<string>();
  readonly #bytes = new Map<string, Uint8Array>();
  /** Bytes of files that may still be read. */
  #left = MAX_FILES;

  constructor(private readonly reads: Reads) {}

  *of(references: References): Generator<EmbeddedObject> {
    const pids = new Set([...references.values()].flat().flatMap((each) => (each.by === "process" ? [each.pid] : [])));
    for (const pid of pids)
      for (const { path, through } of filesOf(this.reads, pid)) yield* this.#objectsOf(pid, path, through);
  }

  *#objectsOf(pid: number, path: string, through: string): Generator<EmbeddedObject> {
    const identity = textOf(
      this.reads.bytes(`@files/${pid}/${encodeURIComponent(path)}/@identity`, () => this.#identityOf(through)),
    );
    if (identity === null || this.#done.has(identity)) return;
    this.#done.add(identity);
    const name = `@files/${pid}/${encodeURIComponent(path)}/@objects`;
    const list = textOf(
      this.reads.bytes(name, () => fileResult(() => Buffer.from(JSON.stringify(this.#search(through))))),
    );
    for (const { offset, sha256: digest } of list === null ? [] : foundObjects(list, name)) {
      const bytes = this.reads.bytes(`@objects/${digest}`, () => this.#bytes.get(digest)!);
      if (typeof bytes !== "number") yield { file: path, offset, bytes };
    }
  }

  /** Device, inode and time of change; an errno for what is gone, no regular file, or too large. */
  #identityOf(path: string): Raw {
    const found = fileResult(() => statSync(path, { bigint: true }));
    if (typeof found === "number") return found;
    const { dev, ino, mtimeNs, size } = found;
    if (!found.isFile()) return -ERRNO.EINVAL;
    if (size > MAX_FILE || this.#left < size) return -ERRNO.E2BIG;
    const identity = `${dev} ${ino} ${mtimeNs}`;
    if (!this.#done.has(identity)) this.#left -= Number(size);
    return Buffer.from(identity);
  }

  /** Only the objects are kept, and not the file. */
  #search(through: string): readonly FoundObject[] {
    const objects = readableObjects(readFileSync(through));
    return objects.map(({ offset, bytes }) => {
      const digest = sha256(bytes);
      if (!this.#bytes.has(digest)) this.#bytes.set(digest, bytes.slice());
      return { offset: objects.length === 1 && offset === 0 ? null : offset, sha256: digest };
    });
  }
}

function readableObjects(file: Uint8Array): ReturnType<typeof objectsOfFile> {
  try {
    return objectsOfFile(file);
  } catch (error) {
    // a file with too many objects has none that is known
    if (error instanceof CountersignError) return [];
    throw error;
  }
}

/** Throws SCAN_ARCHIVE_INVALID. */
function foundObjects(text: string, name: string): readonly FoundObject[] {
  const list = parsed(text);
  const isFound = (one: Partial<FoundObject> | null) =>
    (one?.offset === null || Number.isSafeInteger(one?.offset)) && /^[0-9a-f]{64}$/.test(one?.sha256 ?? "");
  if (!Array.isArray(list) || !list.every(isFound)) throw invalidArchive("is no list of objects", name);
  return list;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * File systems whose files another process or machine provides, which may never answer. A process chooses what it maps:
 * such files are not read.
 */
const PROVIDED = /^(?:fuse\b|fuseblk$|virtiofs$|nfs|cifs$|smb|9p$|ceph$|afs$)/;

/** Whether the files of a device, such as `fe:00` of proc_pid_maps(5), can be read: it is mounted, and local. */
function isLocal(mountinfo: string, device: string): boolean {
  const wanted = device.split(":").map((part) => Number.parseInt(part, 16));
  return mountinfo.split("\n").some((line) => {
    const words = line.split(" ");
    const type = words[words.indexOf("-", 6) + 1] ?? "";
    return words[2] === wanted.join(":") && !PROVIDED.test(type);
  });
}

/**
 * The executable of a process and the files that it has mapped to execute, and paths through which they can be read.
 */
function filesOf(reads: Reads, pid: number): readonly { readonly path: string; readonly through: string }[] {
  const maps = textRead(reads, `/proc/${pid}/maps`) ?? "";
  const mounts = ["self", pid].map((of) => textRead(reads, `/proc/${of}/mountinfo`) ?? "");
  const found = new Map<string, string>();
  for (const [, from = "", to = "", device = "", path = ""] of maps.matchAll(EXECUTABLE))
    if (!found.has(path) && mounts.some((mountinfo) => isLocal(mountinfo, device)))
      found.set(path, `/proc/${pid}/map_files/${from}-${to}`);
  return [...found].map(([path, through]) => ({ path, through }));
}

/**
 * A line of proc_pid_maps(5) for a file that can be executed: the beginning and end of its range, which are its name in
 * map_files without leading zeros, its device and its path.
 */
const EXECUTABLE = /^0*([0-9a-f]+)-0*([0-9a-f]+) ..x. [0-9a-f]+ ([0-9a-f]+:[0-9a-f]+) [1-9]\d* +(\/.*)$/gm;
