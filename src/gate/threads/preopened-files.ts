import { fstatSync, readFileSync, readSync } from "node:fs";
import type { Config } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import { openFile, openFolder, openIn } from "../sys/file.js";
import { close } from "../sys/pidfd.js";

/**
 * Files that a gate opens before its command starts, for all of its decision threads, because the command may be able
 * to replace them or mount others over them. The fds stay open as long as the process lives. Plain data.
 */
export interface PreopenedFiles {
  /** Folders of signatures, in order. */
  readonly signatures: readonly { readonly path: string; readonly fd: number }[];
  /** The kernel's BTF; negative if there is none. */
  readonly kernelBtf: number;
}

/** Throws FILE_UNREADABLE for a folder of signatures that is missing or is none. */
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

/** The kernel's BTF; null if there is none. */
export function kernelBtf(preopened: PreopenedFiles | null): Uint8Array | null {
  try {
    return preopened === null ? readFileSync(KERNEL_BTF) : contentsOf(preopened.kernelBtf);
  } catch {
    return null;
  }
}

/** From the beginning, wherever other threads have read to. */
function contentsOf(fd: number): Uint8Array {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  for (let length = 0; length < bytes.length; ) {
    const count = readSync(fd, bytes, length, bytes.length - length, length);
    if (count === 0) return bytes.subarray(0, length);
    length += count;
  }
  return bytes;
}

/** The folders of signatures as an engine takes them, by their fds. */
export function preopenedFolders({ signatures }: PreopenedFiles) {
  return signatures.map(({ path, fd }) => ({ path, open: (name: string) => openIn(fd, name), close }));
}
