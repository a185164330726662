import { Btf } from "../../bpf/btf/btf.js";
import { CountersignError } from "../../error.js";
import { btfRead } from "../reads/object-results.js";
import type { Reads } from "../reads/reads.js";
import { btfName } from "./btf-objects.js";

/** PREFIX + the name of a structure is the type of a struct_ops map's values (kernel/bpf/bpf_struct_ops.c). */
const PREFIX = "bpf_struct_ops_";
/** How many BTF objects of programs are kept. */
const KEPT = 16;

/** Names of types of the kernel and its modules. BTF is read at the first question. */
export class KernelTypes {
  /** Of the kernel and its modules. */
  readonly #objects = new Map<number, Btf | null>();
  /** Of programs, the last ones that were asked for: those of one object follow each other. */
  readonly #ofPrograms = new Map<number, Btf | null>();

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
    const known = this.#objects.has(id) ? this.#objects.get(id) : this.#ofPrograms.get(id);
    if (known !== undefined) return known;
    const isModule = this.#isModule(id);
    const btf = this.#parsed(id, isModule);
    if (isModule || id === this.vmlinux) this.#objects.set(id, btf);
    else {
      this.#ofPrograms.set(id, btf);
      const [oldest] = this.#ofPrograms.keys();
      if (this.#ofPrograms.size > KEPT) this.#ofPrograms.delete(oldest!);
    }
    return btf;
  }

  /** The BTF of a module continues that of vmlinux; that of a program stands alone, and has no name. */
  #isModule(id: number): boolean {
    return id !== this.vmlinux && (btfName(this.reads, id) ?? "") !== "";
  }

  #parsed(id: number, isModule: boolean): Btf | null {
    const bytes = btfRead(this.reads, id);
    if (typeof bytes === "number") return null;
    const base = isModule ? this.btf(this.vmlinux) : null;
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
