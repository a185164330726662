import type { KernelUse } from "../../bpf/core/kernel.js";
import type { Variant } from "../../bpf/core/variant.js";
import type { ResolvedProgram, ResolvedPrograms } from "../../bpf/resolved-object.js";
import { restoredPrograms, type StoredProgram, storedPrograms } from "../../bpf/stored-programs.js";
import type { CacheFolder, CacheKey } from "../../cache-folder.js";

/** SHA-256 of what relocations use of a kernel. The functions are called for objects that need it. */
export interface KernelDigests {
  /** Of the BTF of vmlinux. */
  readonly vmlinux: string;
  /** Of all modules; null if it is not known, so that no result is. */
  modules(): string | null;
  /** Null if there are none. */
  kallsyms(): string | null;
}

/** What is stored for an object on a kernel's vmlinux. */
interface Entry {
  readonly used: KernelUse;
  /** Null if they depend on more than vmlinux, and have an entry of their own. */
  readonly programs: readonly StoredProgram[] | null;
}

/**
 * The programs of objects on one kernel, as earlier runs resolved them. They are valid for exactly this object, loader
 * and BTF of vmlinux, and if they used modules or kallsyms, for exactly these.
 */
export class RelocationCache {
  constructor(
    private readonly folder: CacheFolder,
    private readonly digests: KernelDigests,
  ) {}

  /** `object` is the SHA-256 of the object. Null if its programs are not known. */
  find(object: string, variant: Variant): readonly ResolvedProgram[] | null {
    const entry = this.folder.read<Entry>(this.#keyOf(object, variant));
    if (entry === null) return null;
    if (entry.programs !== null) return restoredPrograms(entry.programs);
    const key = this.#fullKeyOf(object, variant, entry.used);
    const programs = key === null ? null : this.folder.read<readonly StoredProgram[]>(key);
    return programs === null ? null : restoredPrograms(programs);
  }

  add(object: string, variant: Variant, { programs, used }: ResolvedPrograms): void {
    const stored = storedPrograms(programs);
    if (stored === null) return;
    const key = this.#keyOf(object, variant);
    if (!used.modules && !used.kallsyms) {
      this.folder.add(key, { used, programs: stored } satisfies Entry);
      return;
    }
    // other modules can have kept the object from asking for symbols; then its result with these is looked up with both
    const before = this.folder.read<Entry>(key)?.used;
    const all = {
      modules: used.modules || before?.modules === true,
      kallsyms: used.kallsyms || before?.kallsyms === true,
    };
    const full = this.#fullKeyOf(object, variant, all);
    if (full === null) return;
    this.folder.add(key, { used: all, programs: null } satisfies Entry);
    this.folder.add(full, stored);
  }

  #keyOf(object: string, variant: Variant): CacheKey {
    return { kind: "programs", of: [object, variant, this.digests.vmlinux] };
  }

  #fullKeyOf(object: string, variant: Variant, used: KernelUse): CacheKey | null {
    const modules = used.modules ? this.digests.modules() : "";
    if (modules === null) return null;
    const kallsyms = used.kallsyms ? (this.digests.kallsyms() ?? "none") : "";
    return { kind: "programs", of: [object, variant, this.digests.vmlinux, modules, kallsyms] };
  }
}
