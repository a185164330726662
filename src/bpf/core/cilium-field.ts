import type { Btf } from "../btf/btf.js";
import type { BtfMember } from "../btf/btf-type.js";
import { ciliumMembersAreCompatible, type TypeIn } from "./cilium-compatible.js";
import { isComposite, isEnum } from "./compatible.js";
import { coreError } from "./core-error.js";
import type { Steps } from "./steps.js";
import { MAX_TYPE_DEPTH } from "./type-depth.js";
import { sizeOfType } from "./type-size.js";

/** coreField of cilium/ebpf: where a field is in its root type. */
export interface CiliumField extends TypeIn {
  /** In bytes, modulo 2^32. */
  readonly offset: number;
  /** For a bit field, its first bit counted from `offset`, and its width in bits; 0 for other fields. */
  readonly bit: number;
  readonly bits: number;
}

export interface CiliumFields {
  readonly local: CiliumField;
  readonly kernel: CiliumField;
}

/**
 * Follows an access in the local type and, by name, in the kernel's (coreFindField of cilium/ebpf). Null if the
 * kernel's type has no such field. Throws CORE_MALFORMED and CORE_UNSUPPORTED.
 */
export function ciliumFields(from: TypeIn, access: readonly number[], to: TypeIn, steps: Steps): CiliumFields | null {
  let local = start(from);
  let kernel = start(to);
  let [localLast, kernelLast] = [false, false];
  if (!ciliumMembersAreCompatible(local, kernel)) return null;
  local = element(local, access[0]!);
  kernel = element(kernel, access[0]!);
  for (const [at, index] of access.slice(1).entries()) {
    const ours = local.btf.resolve(local.id);
    const array = local.btf.array(ours);
    if (isComposite(local.btf.kind(ours))) {
      const member = local.btf.member(ours, index);
      if (member === undefined) throw coreError("CORE_MALFORMED", `type ${ours} has no member ${index}`);
      if (member.name === "") {
        const inner = local.btf.resolve(member.type);
        if (!isComposite(local.btf.kind(inner))) throw unsupported("an anonymous member that is no struct or union");
        local = { ...start({ btf: local.btf, id: inner }), offset: (local.offset + (member.bit >>> 3)) >>> 0 };
        localLast = false;
        continue;
      }
      const found = findMember(kernel, member.name, steps);
      if (found === null) return null;
      localLast = index === local.btf.length(ours) - 1;
      kernelLast = found.isLast;
      const isBitField = member.bits > 0 || found.member.bits > 0;
      if (isBitField && at + 2 < access.length) throw unsupported("a field of a bit field");
      local = placed(local, member, isBitField);
      kernel = placed(kernel, found.member, isBitField);
    } else if (array !== null) {
      const its = kernel.btf.array(kernel.btf.resolve(kernel.id));
      if (its === null) return null;
      if ((array.count === 0 && !localLast) || (its.count === 0 && !kernelLast))
        throw unsupported("an array without elements that is not the last member");
      if (array.count > 0 && index >= array.count)
        throw coreError("CORE_MALFORMED", `element ${index} is outside of array ${ours}`);
      if (its.count > 0 && index >= its.count) return null;
      local = element({ ...start({ btf: local.btf, id: array.element }), offset: local.offset }, index);
      kernel = element({ ...start({ btf: kernel.btf, id: its.element }), offset: kernel.offset }, index);
      localLast = false;
      kernelLast = false;
    } else throw unsupported(`a field of kind ${local.btf.kind(ours)}`);
    if (!ciliumMembersAreCompatible(local, kernel)) return null;
  }
  return { local, kernel };
}

function start({ btf, id }: TypeIn): CiliumField {
  return { btf, id, offset: 0, bit: 0, bits: 0 };
}

function element(field: CiliumField, index: number): CiliumField {
  return index === 0 ? field : { ...field, offset: moved(field.offset, index * sizeOfType(field.btf, field.id)) };
}

function moved(offset: number, by: number): number {
  return Number(BigInt.asUintN(32, BigInt(offset) + BigInt(by)));
}

/** The offset of a bit field is that of the aligned integer in which it begins (adjustOffsetBits). */
function placed({ btf, offset }: CiliumField, { type: id, bit, bits }: BtfMember, isBitField: boolean): CiliumField {
  if (!isBitField) return { btf, id, offset: moved(offset, bit >>> 3), bit: 0, bits };
  const align = alignmentOf(btf, id);
  const bytes = Math.floor((bit >>> 3) / align) * align;
  return { btf, id, offset: moved(offset, bytes), bit: bit - 8 * bytes, bits };
}

function alignmentOf(btf: Btf, id: number): number {
  let at = btf.resolve(id);
  for (let depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
    const array = btf.array(at);
    if (array === null) break;
    at = btf.resolve(array.element);
  }
  const kind = btf.kind(at);
  const size = isEnum(kind) || kind === "int" ? btf.size(at) : 0;
  if (size === 0 || (size & (size - 1)) !== 0) throw unsupported(`a bit field of kind ${kind}`);
  return size;
}

/**
 * Finds a member by name, breadth-first through anonymous structs and unions (coreFindMember). `bit` of the result is
 * counted from the start of the outermost type.
 */
function findMember(
  { btf, id }: CiliumField,
  name: string,
  steps: Steps,
): { readonly member: BtfMember; readonly isLast: boolean } | null {
  const root = btf.resolve(id);
  if (!isComposite(btf.kind(root))) return null;
  const places: { readonly type: number; readonly bit: number }[] = [{ type: root, bit: 0 }];
  const visited = new Set<string>();
  for (const { type, bit } of places) {
    const key = `${type} ${bit}`;
    if (visited.has(key)) continue;
    if (visited.size >= MAX_TYPE_DEPTH) throw unsupported("a type that is nested too deep");
    visited.add(key);
    const count = btf.length(type);
    for (let index = 0; index < count; index++) {
      steps.take();
      const member = btf.member(type, index)!;
      const place = (member.bit + bit) >>> 0;
      if (member.name === name) return { member: { ...member, bit: place }, isLast: index === count - 1 };
      if (member.name !== "") continue;
      const inner = btf.resolve(member.type);
      if (!isComposite(btf.kind(inner))) throw unsupported("an anonymous member that is no struct or union");
      places.push({ type: inner, bit: place });
    }
  }
  return null;
}

function unsupported(what: string) {
  return coreError("CORE_UNSUPPORTED", `cilium/ebpf does not relocate ${what}`);
}
