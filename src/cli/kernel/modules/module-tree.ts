import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { CountersignError } from "../../../error.js";
import { readText } from "../../../input.js";
import { ModuleIndex } from "./module-index.js";

/** Limit in bytes for a file of depmod. Debian's modules.alias has 1.4 MB. */
const MAX_INDEX = 64 * 1024 * 1024;

/** The modules of one kernel in a root directory: `lib/modules/RELEASE`. */
export class ModuleTree {
  readonly index: ModuleIndex;

  /** Throws FILE_UNREADABLE if depmod(8) has written no modules.dep there, and FILE_TOO_LARGE. */
  constructor(
    readonly root: string,
    readonly release: string,
  ) {
    const dep = join(this.folder, "modules.dep");
    if (!existsSync(dep))
      throw new CountersignError("FILE_UNREADABLE", `is not there, so that modules of ${release} cannot be found`, {
        place: dep,
        remedy: "install the kernel's package or run depmod(8), or name the root directory that has it with `--root`",
      });
    const text = (name: string) => optionalText(join(this.folder, name));
    this.index = new ModuleIndex({
      dep: text("modules.dep"),
      alias: text("modules.alias"),
      softdep: text("modules.softdep"),
      weakdep: text("modules.weakdep"),
      builtin: text("modules.builtin"),
    });
  }

  get folder(): string {
    return folderOfModules(this.root, this.release);
  }

  /** The file of a module; null if this kernel does not have it. */
  fileOf(name: string): string | null {
    const path = this.index.pathOf(name);
    if (path === null) return null;
    return isAbsolute(path) ? join(this.root, path) : join(this.folder, path);
  }
}

/** Where a kernel's modules are. */
export function folderOfModules(root: string, release: string): string {
  const [first, second] = [join(root, "lib/modules", release), join(root, "usr/lib/modules", release)];
  return existsSync(first) || !existsSync(second) ? first : second;
}

/** Empty if the file is not there. Throws FILE_UNREADABLE, FILE_TOO_LARGE. */
function optionalText(path: string): string {
  return existsSync(path) ? readText(path, MAX_INDEX) : "";
}
