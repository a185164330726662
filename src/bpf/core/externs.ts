import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import { essentialName } from "../btf/essential-name.js";
import { typesAreCompatible } from "./compatible.js";
import { coreError } from "./core-error.js";
import type { Kernel, KernelType } from "./kernel.js";
import type { Steps } from "./steps.js";

/** A symbol that an object expects of the kernel, in libbpf's order of all of them. */
export interface KernelExtern {
  readonly name: string;
  readonly kind: "kconfig" | "ksym" | "kfunc";
  /** For a typed symbol the type of the variable without modifiers, or the FUNC_PROTO; 0 for a typeless symbol. */
  readonly typeId: number;
  readonly weak: boolean;
}

/** What the kernel has for an extern. */
export type ResolvedExtern =
  /** A variable in the map `.kconfig`: references to it are relocated as references to that map. */
  | { readonly to: "kconfig" }
  /** A weak symbol that the kernel lacks. */
  | { readonly to: "nothing" }
  | { readonly to: "address"; readonly address: bigint }
  /** A variable or function in the BTF of vmlinux or a module; `index` is the index in fd_array, 0 for vmlinux. */
  | { readonly to: "type"; readonly id: number; readonly module: string | null; readonly index: number }
  /** A typeless symbol, whose address is not known without kallsyms. */
  | { readonly to: "unknown" };

/** fd_array is indexed by a field of 16 bits, signed. */
const MAX_INDEX = 0x7fff;

/**
 * Resolves the externs of an object (bpf_object__resolve_externs). As in libbpf, a symbol that is not weak must exist
 * even if no program uses it. Throws CORE_UNRESOLVED, and CORE_AMBIGUOUS for symbols with several addresses.
 */
export function resolveExterns(
  externs: readonly KernelExtern[],
  btf: Btf | null,
  kernel: Kernel,
  steps: Steps,
): readonly ResolvedExtern[] {
  const indexes = new Map<string, number>();
  const typeless = externs.some(({ kind, typeId }) => kind === "ksym" && typeId === 0);
  return externs.map((extern) => {
    try {
      return resolve(extern, btf, kernel, typeless, indexes, steps);
    } catch (error) {
      throw error instanceof CountersignError ? error.within(`extern ${extern.name}`) : error;
    }
  });
}

function resolve(
  extern: KernelExtern,
  btf: Btf | null,
  kernel: Kernel,
  typeless: boolean,
  indexes: Map<string, number>,
  steps: Steps,
): ResolvedExtern {
  if (extern.kind === "kconfig") return { to: "kconfig" };
  if (extern.typeId === 0 || btf === null) return addressOf(extern, kernel);
  const found = findTyped(extern, btf, kernel, steps);
  if (found !== null)
    return { to: "type", id: found.id, module: found.module, index: indexOf(extern, found.module, indexes) };
  // If the object has a typeless symbol, libbpf reads kallsyms, and then marks typed variables found there as resolved.
  const named = typeless && extern.kind === "ksym" ? (kernel.kallsyms?.address(extern.name) ?? null) : null;
  return named === null ? { to: "nothing" } : { to: "type", id: 0, module: null, index: 0 };
}

function addressOf({ name, weak }: KernelExtern, { kallsyms }: Kernel): ResolvedExtern {
  if (kallsyms === null) return { to: "unknown" };
  const address = kallsyms.address(name);
  if (address !== null) return { to: "address", address };
  if (weak) return { to: "nothing" };
  throw coreError("CORE_UNRESOLVED", "the kernel has no such symbol");
}

/** Null if a weak symbol does not exist, or a weak function has another type. */
function findTyped(
  { name, kind, typeId, weak }: KernelExtern,
  btf: Btf,
  kernel: Kernel,
  steps: Steps,
): KernelType | null {
  steps.begin();
  const found = kind === "kfunc" ? kernel.find("func", essentialName(name)) : kernel.find("var", name);
  if (found === null) {
    if (weak) return null;
    throw coreError("CORE_UNRESOLVED", `neither vmlinux nor a module has a ${kind} of this name in its BTF`);
  }
  const type = found.btf.target(found.id);
  const its = kind === "kfunc" ? type : found.btf.resolve(type);
  if (typesAreCompatible(btf, typeId, found.btf, its, steps)) return found;
  if (weak && kind === "kfunc") return null;
  const of = found.module === null ? "vmlinux" : `module ${found.module}`;
  throw coreError("CORE_UNRESOLVED", `its type is not that of ${of}`, "declare it as this kernel's BTF does");
}

/** Index of a module's BTF in fd_array: 1 for the module of the first extern function that needs one, and so on. */
function indexOf({ kind }: KernelExtern, module: string | null, indexes: Map<string, number>): number {
  if (module === null || kind !== "kfunc") return 0;
  let index = indexes.get(module);
  if (index === undefined) {
    index = indexes.size + 1;
    if (index > MAX_INDEX) throw coreError("CORE_UNSUPPORTED", `needs more than ${MAX_INDEX} modules`);
    indexes.set(module, index);
  }
  return index;
}
