import type { Btf } from "../btf/btf.js";
import { isComposite, isEnum } from "./compatible.js";
import { coreError } from "./core-error.js";
import { familyOf } from "./relo-kind.js";
import { MAX_ACCESS, type What } from "./relocation.js";
import { sizeOfType } from "./type-size.js";

/** A step of an access: a named member, an enumerator, or an element of an array. Anonymous members are no steps. */
export interface Accessor {
  /** The struct, union or enum; or the type of the element. */
  readonly type: number;
  readonly index: number;
  /** Null for an element. */
  readonly name: string | null;
}

/** What a relocation refers to in one BTF (struct bpf_core_spec of libbpf). */
export interface Access {
  readonly btf: Btf;
  readonly root: number;
  readonly accessors: readonly Accessor[];
  /** Offset of the field in bits, from the start of the root type. */
  readonly bit: number;
}

/**
 * Reads the access of a relocation in the program's own BTF (bpf_core_parse_spec). Throws CORE_MALFORMED, and
 * BTF_MALFORMED for types that do not exist.
 */
export function localAccess(btf: Btf, relocation: What): Access {
  const { typeId: root, kind, access } = relocation;
  const family = familyOf(kind);
  if (family === null) throw coreError("CORE_UNSUPPORTED", `relocation of kind ${kind} is unknown`, NEWER);
  if (family === "type") {
    if (access !== "0") throw malformed(access, "a type has no fields to access");
    btf.kind(root);
    return { btf, root, accessors: [], bit: 0 };
  }
  const path = pathOf(access);
  const start = btf.resolve(root);
  return family === "enumerator"
    ? enumeratorAt(btf, root, start, path, access)
    : fieldAt(btf, root, start, path, access);
}

const NEWER = "use a newer countersign";
const PATH = /^\d{1,10}(?::\d{1,10})*$/;
const MAX_INDEX = 0x7fff_ffff;

function pathOf(access: string): readonly number[] {
  if (access.length > 11 * MAX_ACCESS || !PATH.test(access)) throw malformed(access, "is not a list of indexes");
  const path = access.split(":").map(Number);
  if (path.length > MAX_ACCESS) throw malformed(access, `has more than ${MAX_ACCESS} indexes`);
  if (path.some((index) => index > MAX_INDEX)) throw malformed(access, "has an index that is too large");
  return path;
}

function enumeratorAt(btf: Btf, root: number, type: number, path: readonly number[], access: string): Access {
  const [index = 0] = path;
  const enumerator = isEnum(btf.kind(type)) && path.length === 1 ? btf.enumerator(type, index) : undefined;
  if (enumerator === undefined) throw malformed(access, "is not an enumerator");
  return { btf, root, accessors: [{ type, index, name: enumerator.name }], bit: 0 };
}

function fieldAt(btf: Btf, root: number, start: number, path: readonly number[], access: string): Access {
  const accessors: Accessor[] = [{ type: start, index: path[0]!, name: null }];
  let bit = bitsOf(path[0]!, sizeOfType(btf, start));
  let id = start;
  for (const index of path.slice(1)) {
    id = btf.resolve(id);
    const kind = btf.kind(id);
    const array = btf.array(id);
    if (isComposite(kind)) {
      const member = btf.member(id, index);
      if (member === undefined) throw malformed(access, `type ${id} has no member ${index}`);
      bit = (bit + member.bit) >>> 0;
      if (member.name !== "") accessors.push({ type: id, index, name: member.name });
      id = member.type;
    } else if (array !== null) {
      if (index >= array.count && !isFlexible(btf, accessors.at(-1)!, array.count))
        throw malformed(access, `element ${index} is outside of array ${id}`);
      id = btf.resolve(array.element);
      accessors.push({ type: id, index, name: null });
      bit = (bit + bitsOf(index, sizeOfType(btf, id))) >>> 0;
    } else throw malformed(access, `type ${id} of kind ${kind} has no fields`);
  }
  return { btf, root, accessors, bit };
}

/** Whether an array of that many elements is the last member of a struct, with any number of elements (is_flex_arr). */
export function isFlexible(btf: Btf, holder: Accessor, count: number): boolean {
  return holder.name !== null && count === 0 && holder.index === btf.length(holder.type) - 1;
}

/** Offset of an element in bits, modulo 2^32 as in libbpf. */
export function bitsOf(index: number, size: number): number {
  return Number(BigInt.asUintN(32, BigInt(index) * BigInt(size) * 8n));
}

function malformed(access: string, why: string) {
  return coreError("CORE_MALFORMED", `access \`${access.slice(0, 80)}\`: ${why}`);
}
