import { Btf } from "../../bpf/btf/btf.js";
import { CountersignError } from "../../error.js";
import { btfRead } from "../reads/object-results.js";
import type { Reads } from "../reads/reads.js";
import { btfName } from "./btf-objects.js";

/** PREFIX + the name of a structure is the type of a struct_ops map's values (kernel/bpf/bpf_struct_ops.c). */
const PREFIX = "bpf_struct_ops_";

/** Names of types of the kernel and its modules. BTF is read at the first question. */
export class KernelTypes {
  readonly #objects = new Map<number, Btf | null>();

  constructor(
    readonly reads: Reads,
    /** The id of the BTF of vmlinux, which the kernel makes first. */
    readonly vmlinux = 1,
  ) {}

  /** The name of a type; null if the BTF cannot be read or has no such type. */
  name({ btfObject, btfId }: { readonly btfObject: number; readonly btfId: number }): string | null {
    const btf = this.btf(btfObject === 0 ? this.vmlinux : btfObject);
    return btf === null || btfId >= btf.count ? null : nameIn(btf, btfId);
  }

  /** The name of what a program was loaded for, without which it could not load; null if it is another program's. */
  target(type: { readonly btfObject: number; readonly btfId: number }): string | null {
    return type.btfObject === 0 ? null : this.name(type);
  }

  /** The structure that a map of struct_ops implements; null if it is unknown. */
  structure(type: { readonly btfObject: number; readonly btfId: number }): string | null {
    const name = this.name(type);
    return name?.startsWith(PREFIX) === true ? name.slice(PREFIX.length) : name;
  }

  /** A BTF object by its id; null if it cannot be read. */
  btf(id: number): Btf | null {
    const known = this.#objects.get(id);
    if (known !== undefined) return known;
    const btf = this.#parsed(id);
    this.#objects.set(id, btf);
    return btf;
  }

  /** The BTF of a module continues that of vmlinux; that of a program stands alone, and has no name. */
  #isModule(id: number): boolean {
    return id !== this.vmlinux && (btfName(this.reads, id) ?? "") !== "";
  }

  #parsed(id: number): Btf | null {
    const bytes = btfRead(this.reads, id);
    if (typeof bytes === "number") return null;
    const base = this.#isModule(id) ? this.btf(this.vmlinux) : null;
    return wellFormed(() => new Btf(bytes, `BTF ${id}`, base));
  }
}

function nameIn(btf: Btf, type: number): string | null {
  return wellFormed(() => btf.name(type)) || null;
}

/** Null for BTF that no kernel shows, as in an archive that was changed. */
function wellFormed<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof CountersignError && error.code === "BTF_MALFORMED") return null;
    throw error;
  }
}
