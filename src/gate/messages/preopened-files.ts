import { fstatSync, readSync } from "node:fs";
import { release } from "node:os";
import type { Config } from "../../config/config.js";
import { ERRNO, errorName } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { placing } from "../../path-places.js";
import { openFile, openFolder, openIn } from "../../sys/file.js";
import { close } from "../../sys/pidfd.js";
import { statementNames } from "../../trust/store.js";
import type { KernelFiles } from "../recognition/live-kernel.js";

/**
 * Files that the gate opens before the command starts, for all its decision threads, because the command may be able to
 * replace them or mount others over them. The fds are never closed. Plain data, passed by message.
 */
export interface PreopenedFiles {
  /** Folders of signatures, in the order of the configuration. */
  readonly signatures: readonly PreopenedFolder[];
  /** Fds of files of the kernel; negative for one that cannot be opened. */
  readonly kernelBtf: number;
  readonly kernelConfig: number;
  readonly kallsyms: number;
  readonly versionSignature: number;
  readonly possibleCpus: number;
}

interface PreopenedFolder {
  readonly path: string;
  readonly fd: number;
  /** Names of the statements that were in it when it was opened. */
  readonly statements: readonly string[];
}

const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: "let the gate's user search the folder and those above it",
  ENOTDIR: "name a folder, not a file, under `signatures`",
  EMFILE: "raise the limit of open files: `ulimit -n`",
};

/** Throws FILE_UNREADABLE if a folder of signatures cannot be opened. */
export function preopenFiles(config: Config): PreopenedFiles {
  return {
    signatures: placing(config, () => config.signatures.map(preopened)),
    kernelBtf: firstOf(KERNEL_FILES.kernelBtf),
    kernelConfig: firstOf(KERNEL_FILES.kernelConfig),
    kallsyms: firstOf(KERNEL_FILES.kallsyms),
    versionSignature: firstOf(KERNEL_FILES.versionSignature),
    possibleCpus: firstOf(KERNEL_FILES.possibleCpus),
  };
}

function preopened(path: string): PreopenedFolder {
  const fd = openFolder(path);
  if (fd >= 0) return { path, fd, statements: statementNames(`/proc/self/fd/${fd}`, path) };
  throw new CountersignError("FILE_UNREADABLE", `cannot be opened as a folder of signatures: ${errorName(-fd)}`, {
    place: path,
    remedy: REMEDIES[errorName(-fd)] ?? "create the folder, or remove it from `signatures`",
  });
}

/** Where the files of the kernel are: the first path that can be opened counts. */
const KERNEL_FILES = {
  kernelBtf: ["/sys/kernel/btf/vmlinux"],
  kernelConfig: ["/proc/config.gz", `/boot/config-${release()}`],
  kallsyms: ["/proc/kallsyms"],
  versionSignature: ["/proc/version_signature"],
  possibleCpus: ["/sys/devices/system/cpu/possible"],
} as const;

function firstOf(paths: readonly string[]): number {
  let fd = -ERRNO.ENOENT;
  for (const path of paths) {
    fd = openFile(path);
    if (fd >= 0) return fd;
  }
  return fd;
}

/** The files of the kernel by their fds, or by their paths without any. */
export function kernelFiles(preopened: PreopenedFiles | null): KernelFiles {
  const read = (name: keyof typeof KERNEL_FILES) => (preopened === null ? readPath(name) : readFd(preopened[name]));
  return {
    vmlinux: () => read("kernelBtf"),
    config: () => read("kernelConfig"),
    kallsyms: () => read("kallsyms"),
    versionSignature: () => read("versionSignature")?.toString("latin1") ?? null,
    possibleCpus: () => read("possibleCpus")?.toString("latin1") ?? null,
  };
}

function readPath(name: keyof typeof KERNEL_FILES): Buffer | null {
  const fd = firstOf(KERNEL_FILES[name]);
  if (fd < 0) return null;
  const bytes = readFd(fd);
  close(fd);
  return bytes;
}

/** Size of the buffer for a file that does not know its own size, such as those of /proc. */
const CHUNK = 1 << 20;
/** /proc/kallsyms has 10 to 20 MB. */
const MAX_KERNEL_FILE = 256 * 2 ** 20;

/**
 * Reads from the beginning by explicit offsets, because other threads read by the same open file description. One read
 * returns no more than a page of most of these files. Null for a file that cannot be read.
 */
function readFd(fd: number): Buffer | null {
  if (fd < 0) return null;
  try {
    let bytes = Buffer.allocUnsafe(Math.max(fstatSync(fd).size + 1, CHUNK));
    for (let length = 0; length < MAX_KERNEL_FILE; ) {
      if (length === bytes.length) bytes = Buffer.concat([bytes, Buffer.allocUnsafe(Math.max(CHUNK, length))]);
      const count = readSync(fd, bytes, length, bytes.length - length, length);
      if (count === 0) return bytes.subarray(0, length);
      length += count;
    }
  } catch {
    return null;
  }
  return null;
}

/** The folders of signatures in the form that an engine expects. Files in them are opened relative to the fds. */
export function preopenedFolders({ signatures }: PreopenedFiles) {
  return signatures.map(({ path, fd, statements }) => ({
    path,
    open: (name: string) => openIn(fd, name),
    close,
    statements: () => statements,
  }));
}
