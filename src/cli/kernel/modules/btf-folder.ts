import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CountersignError } from "../../../error.js";
import { FileSource, startOf } from "../source/byte-source.js";
import { tooLarge } from "../source/kernel-error.js";
import { MAX_MODULE_BTF, type ModuleBtf, type ModuleRequest } from "./module-btf.js";

export const RUNNING_KERNEL = "/sys/kernel/btf/vmlinux";

/** Name of vmlinux' BTF in /sys/kernel/btf, beside which the kernel shows the BTF of each loaded module. */
const VMLINUX = "vmlinux";

/** Whether a BTF file has its modules beside it: in /sys/kernel/btf, or in a copy of that folder. */
export function hasModulesBeside(path: string): boolean {
  return basename(path) === VMLINUX;
}

/** The modules' BTF beside that of vmlinux, in the order of their names. Throws FILE_UNREADABLE, FILE_TOO_LARGE. */
export function modulesBeside(path: string, { wants }: ModuleRequest): readonly ModuleBtf[] {
  const folder = dirname(path);
  return namesIn(folder)
    .filter((name) => name !== VMLINUX && wants(name))
    .flatMap((name) => readBtf(name, join(folder, name)));
}

/** Other files than BTF are left out. */
function readBtf(name: string, path: string): readonly ModuleBtf[] {
  const file = new FileSource(path);
  try {
    if (!isBtf(startOf(file, 2))) return [];
    if (file.size > MAX_MODULE_BTF) throw tooLarge(path, MAX_MODULE_BTF);
    return [{ name, btf: file.read(0, file.size) }];
  } finally {
    file.close();
  }
}

/** Whether bytes begin with the magic number of BTF, in either byte order. */
export function isBtf(start: Uint8Array): boolean {
  return (start[0] === 0x9f && start[1] === 0xeb) || (start[0] === 0xeb && start[1] === 0x9f);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    throw new CountersignError("FILE_UNREADABLE", `cannot be read: ${(cause as NodeJS.ErrnoException).code}`, {
      place: folder,
      remedy: "check the folder's permissions",
      cause,
    });
  }
}
