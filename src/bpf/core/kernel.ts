import type { Btf } from "../btf/btf.js";
import type { BtfKind } from "../btf/btf-type.js";
import { essentialName } from "../btf/essential-name.js";
import { kindFamily } from "./compatible.js";
import { coreError } from "./core-error.js";
import type { Kallsyms } from "./kallsyms.js";

/** BTF of a kernel module, split over that of vmlinux. */
export interface KernelModule {
  readonly name: string;
  readonly btf: Btf;
}

/** A type of the kernel. `module` is null for one of vmlinux. */
export interface KernelType {
  readonly btf: Btf;
  readonly id: number;
  readonly module: string | null;
}

/** Whether relocations looked into the modules of a kernel, or asked for its symbols, whether or not there are any. */
export interface KernelUse {
  readonly modules: boolean;
  readonly kallsyms: boolean;
}

interface Candidates {
  readonly types: readonly KernelType[];
  /** Whether modules were searched. */
  readonly modules: boolean;
}

/** What programs are relocated for: the types of a kernel, and the addresses of its symbols. */
export class Kernel {
  readonly #candidates = new Map<string, Candidates>();
  #has64Bits: boolean | undefined;
  readonly #kallsyms: Kallsyms | null;
  #used: KernelUse = UNUSED;
  readonly #readModules: () => readonly KernelModule[];
  #modules: readonly KernelModule[] | undefined;

  /**
   * `modules` is in the order of their BTF ids, in which loaders search them. A function is called when a program needs
   * what vmlinux does not have, and until it has returned.
   */
  constructor(
    readonly vmlinux: Btf,
    modules: readonly KernelModule[] | (() => readonly KernelModule[]) = [],
    kallsyms: Kallsyms | null = null,
  ) {
    this.#kallsyms = kallsyms;
    this.#readModules = typeof modules === "function" ? modules : () => modules;
    if (typeof modules !== "function") this.#modules = this.#checked(modules);
  }

  /**
   * Calls a function that relocates programs, and says what it used besides the BTF of vmlinux. What the kernel keeps
   * of earlier calls counts as used, too. The function must not relocate an object that was relocated for this kernel
   * before, of which other parts are kept.
   */
  use<Result>(relocate: () => Result): { readonly result: Result; readonly used: KernelUse } {
    this.#used = UNUSED;
    const result = relocate();
    return { result, used: this.#used };
  }

  /** Null if they are not known: they change at each boot. */
  get kallsyms(): Kallsyms | null {
    this.#mark("kallsyms");
    return this.#kallsyms;
  }

  /** In the order of their BTF ids. Throws CORE_MALFORMED, and what reading them throws. */
  get modules(): readonly KernelModule[] {
    this.#mark("modules");
    this.#modules ??= this.#checked(this.#readModules());
    return this.#modules;
  }

  #mark(what: keyof KernelUse): void {
    if (!this.#used[what]) this.#used = { ...this.#used, [what]: true };
  }

  #checked(modules: readonly KernelModule[]): readonly KernelModule[] {
    for (const { name, btf } of modules)
      if (btf.base !== this.vmlinux)
        throw coreError("CORE_MALFORMED", `the BTF of module \`${name}\` is not over that of vmlinux`, SAME_KERNEL);
    return modules;
  }

  /**
   * The types with the same essential name, of one kind, in ascending order of ids (bpf_core_find_cands). Modules are
   * searched only if vmlinux has none. Throws CORE_UNSUPPORTED if there are too many, and for a 32-bit kernel.
   */
  candidates(kind: BtfKind, name: string): readonly KernelType[] {
    this.require64Bits();
    const family = kindFamily(kind);
    const key = `${family} ${essentialName(name)}`;
    let found = this.#candidates.get(key);
    if (found === undefined) {
      const of = (btf: Btf, module: string | null) =>
        [...btf.candidates(name)]
          .filter((id) => kindFamily(btf.kind(id)) === family)
          .map((id) => ({ btf, id, module }));
      const own = of(this.vmlinux, null);
      const types = own.length > 0 ? own : this.modules.flatMap(({ name, btf }) => of(btf, name));
      if (types.length > MAX_CANDIDATES)
        throw coreError("CORE_UNSUPPORTED", `the kernel has more than ${MAX_CANDIDATES} types \`${name}\``);
      found = { types, modules: own.length === 0 };
      this.#candidates.set(key, found);
    }
    if (found.modules) this.#mark("modules");
    return found.types;
  }

  /** Throws CORE_UNSUPPORTED for a 32-bit kernel: relocations count 8 bytes for each pointer. */
  require64Bits(): void {
    this.#has64Bits ??= has64Bits(this.vmlinux);
    if (!this.#has64Bits) throw coreError("CORE_UNSUPPORTED", ...OF_32_BITS);
  }

  /** The first type of this kind and name: in vmlinux, then in modules (find_ksym_btf_id). */
  find(kind: BtfKind, name: string): KernelType | null {
    const id = this.vmlinux.find(kind, name);
    if (id !== 0) return { btf: this.vmlinux, id, module: null };
    for (const { name: module, btf } of this.modules) {
      const own = btf.findOwn(kind, name);
      if (own !== 0) return { btf, id: own, module };
    }
    return null;
  }
}

const OF_32_BITS = [
  "the BTF is that of a 32-bit kernel, whose pointers have 4 bytes",
  "name the BTF of a 64-bit kernel",
] as const;

/** Names of C's `long` and `unsigned long`. */
const LONGS: ReadonlySet<string> = new Set([
  ...["long", "long int", "int long", "unsigned long", "long unsigned", "unsigned long int", "unsigned int long"],
  ...["long unsigned int", "long int unsigned", "int unsigned long", "int long unsigned"],
]);

/** Whether pointers have 8 bytes, as `long` has (determine_ptr_size of libbpf). True if there is no such type. */
function has64Bits(btf: Btf): boolean {
  for (const id of btf.all("int")) {
    const size = btf.size(id);
    if ((size === 4 || size === 8) && LONGS.has(btf.name(id))) return size === 8;
  }
  return true;
}

const UNUSED: KernelUse = { modules: false, kallsyms: false };

/** Maximum number of types of one name. Linux 6.18 has at most 4, and with all its modules a few dozen. */
const MAX_CANDIDATES = 1024;

const SAME_KERNEL = "read the BTF of modules with that of their own kernel as base";
