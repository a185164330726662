import { elfSection } from "../image/elf-section.js";
import type { ByteSource } from "../source/byte-source.js";
import { unsupported } from "../source/kernel-error.js";

/** The BTF of a kernel module: split BTF, whose base is that of vmlinux. */
export interface ModuleBtf {
  /** As the kernel names it: with `_` for `-`. */
  readonly name: string;
  readonly btf: Uint8Array;
}

/** Which modules to read, by their names, and a function to call for each that is read. */
export interface ModuleRequest {
  wants(name: string): boolean;
  step(name: string): void;
}

/** Limit in bytes for the BTF of one module. The largest of Debian's has 1 MB. */
export const MAX_MODULE_BTF = 16 * 1024 * 1024;

/** `ext4` for `kernel/fs/ext4/ext4.ko.xz`; null for other files. */
export function moduleNameOf(path: string): string | null {
  const name = /([^/]+)\.ko(?:\.(?:xz|zst|gz))?$/.exec(path)?.[1];
  return name === undefined ? null : name.replaceAll("-", "_");
}

/**
 * The BTF in a module's file (`.ko`); null if it has none. Throws KERNEL_MALFORMED, FILE_TOO_LARGE, and
 * KERNEL_UNSUPPORTED for a module that was built outside of the kernel's tree, whose BTF has a base of its own.
 */
export function btfOfModule(name: string, file: ByteSource): ModuleBtf | null {
  const btf = elfSection(file, ".BTF", MAX_MODULE_BTF);
  if (btf === null) return null;
  if (elfSection(file, ".BTF.base", MAX_MODULE_BTF) !== null)
    throw unsupported(file.place, "has its own base BTF, which the kernel adapts when it loads the module", OF_MACHINE);
  return { name, btf: btf.slice() };
}

const OF_MACHINE = "name /sys/kernel/btf/vmlinux on a machine that has loaded the module, or a copy of that folder";
