import { fstatSync, readFileSync, readSync } from "node:fs";
import type { Config } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import { openFile, openFolder, openIn } from "../sys/file.js";
import { close } from "../sys/pidfd.js";

/**
 * Files that the gate opens before the command starts, for all its decision threads, because the command may be able to
 * replace them or mount others over them. The fds are never closed. Plain data, passed by message.
 */
export interface PreopenedFiles {
  /** Folders of signatures, in the order of the configuration. */
  readonly signatures: readonly { readonly path: string; readonly fd: number }[];
  /** Fd of the kernel's BTF; negative if it cannot be opened. */
  readonly kernelBtf: number;
}

/** Throws FILE_UNREADABLE if a folder of signatures cannot be opened. */
export function preopenFiles({ signatures }: Config): PreopenedFiles {
  return {
    signatures: signatures.map((path) => {
      const fd = openFolder(path);
      if (fd >= 0) return { path, fd };
      throw new CountersignError("FILE_UNREADABLE", `is not a folder of signatures: errno ${-fd}`, {
        place: path,
        remedy: "create the folder, or remove it from `signatures`",
      });
    }),
    kernelBtf: openFile(KERNEL_BTF),
  };
}

const KERNEL_BTF = "/sys/kernel/btf/vmlinux";

/** The kernel's BTF; null if it cannot be read. */
export function kernelBtf(preopened: PreopenedFiles | null): Uint8Array | null {
  try {
    return preopened === null ? readFileSync(KERNEL_BTF) : contentsOf(preopened.kernelBtf);
  } catch {
    return null;
  }
}

/** Reads from the beginning by explicit offsets, because other threads read by the same open file description. */
function contentsOf(fd: number): Uint8Array {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  for (let length = 0; length < bytes.length; ) {
    const count = readSync(fd, bytes, length, bytes.length - length, length);
    if (count === 0) return bytes.subarray(0, length);
    length += count;
  }
  return bytes;
}

/** The folders of signatures in the form that an engine expects. Files in them are opened relative to the fds. */
export function preopenedFolders({ signatures }: PreopenedFiles) {
  return signatures.map(({ path, fd }) => ({ path, open: (name: string) => openIn(fd, name), close }));
}
