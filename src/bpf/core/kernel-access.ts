import type { Btf } from "../btf/btf.js";
import { essentialName } from "../btf/essential-name.js";
import { type Access, type Accessor, bitsOf, isFlexible } from "./access.js";
import { fieldsAreCompatible, isComposite, isEnum, typesAreCompatible } from "./compatible.js";
import { coreError } from "./core-error.js";
import { typesMatch } from "./match.js";
import { familyOf, RELO } from "./relo-kind.js";
import { MAX_ACCESS } from "./relocation.js";
import type { Steps } from "./steps.js";
import { sizeOfType } from "./type-size.js";

/**
 * Finds in a candidate type of the kernel what a relocation refers to (bpf_core_spec_match); null if the candidate has
 * no such field, enumerator or type.
 */
export function kernelAccess(local: Access, kind: number, btf: Btf, root: number, steps: Steps): Access | null {
  switch (familyOf(kind)) {
    case "type": {
      const matches = kind === RELO.TYPE_MATCHES ? typesMatch : typesAreCompatible;
      return matches(local.btf, local.root, btf, root, steps) ? { btf, root, accessors: [], bit: 0 } : null;
    }
    case "enumerator":
      return enumeratorOf(local, btf, root, steps);
    default:
      return new FieldSearch(local, btf, root, steps).find();
  }
}

function enumeratorOf(local: Access, btf: Btf, root: number, steps: Steps): Access | null {
  const type = btf.resolve(root);
  if (!isEnum(btf.kind(type))) return null;
  const wanted = essentialName(local.accessors[0]!.name!);
  const count = btf.length(type);
  for (let index = 0; index < count; index++) {
    steps.take();
    const { name } = btf.enumerator(type, index)!;
    if (essentialName(name) === wanted) return { btf, root, accessors: [{ type, index, name }], bit: 0 };
  }
  return null;
}

class FieldSearch {
  readonly #accessors: Accessor[] = [];
  /** Number of indexes in the kernel's own access, anonymous members included. */
  #length = 0;
  #bit = 0;

  constructor(
    readonly local: Access,
    readonly btf: Btf,
    readonly root: number,
    readonly steps: Steps,
  ) {}

  find(): Access | null {
    const { btf, root } = this;
    let id: number | null = root;
    for (const [at, accessor] of this.local.accessors.entries()) {
      id = btf.resolve(id);
      id = accessor.name === null ? this.#element(accessor.index, at, id) : this.#member(accessor, id);
      if (id === null) return null;
    }
    return { btf, root, accessors: this.#accessors, bit: this.#bit };
  }

  /**
   * Follows an index. The first one counts whole values of the root type, as in `pointer[n]`. Returns the type of the
   * element.
   */
  #element(index: number, at: number, id: number): number | null {
    let type = id;
    if (at > 0) {
      const array = this.btf.array(id);
      if (array === null) return null;
      if (index >= array.count && !isFlexible(this.btf, this.#accessors[at - 1]!, array.count)) return null;
      type = this.btf.resolve(array.element);
    }
    this.#deepen();
    this.#accessors.push({ type, index, name: null });
    this.#bit = (this.#bit + bitsOf(index, sizeOfType(this.btf, type))) >>> 0;
    return type;
  }

  /**
   * Looks for a member by name, in anonymous members too (bpf_core_match_member). Returns its type; null if there is
   * none, or if the first of that name is not compatible.
   */
  #member(accessor: Accessor, id: number): number | null {
    const { btf } = this;
    const type = btf.resolve(id);
    if (!isComposite(btf.kind(type))) return null;
    const count = btf.length(type);
    for (let index = 0; index < count; index++) {
      this.steps.take();
      this.#deepen();
      const member = btf.member(type, index)!;
      this.#bit = (this.#bit + member.bit) >>> 0;
      if (member.name === "") {
        const found = this.#member(accessor, member.type);
        if (found !== null) return found;
      } else if (member.name === accessor.name) {
        // As libbpf does, leave #bit at the incompatible member: no compiler emits a second member with this name.
        if (!this.#isCompatible(accessor, member.type)) return null;
        this.#accessors.push({ type, index, name: member.name });
        return member.type;
      }
      this.#bit = (this.#bit - member.bit) >>> 0;
      this.#length -= 1;
    }
    return null;
  }

  #isCompatible({ type, index }: Accessor, kernelType: number): boolean {
    const { local, btf } = this;
    return fieldsAreCompatible(local.btf, local.btf.member(type, index)!.type, btf, kernelType);
  }

  #deepen(): void {
    if (this.#length === MAX_ACCESS)
      throw coreError(
        "CORE_UNSUPPORTED",
        `type ${this.root} is nested more than ${MAX_ACCESS} deep`,
        "read a smaller type",
      );
    this.#length += 1;
  }
}
