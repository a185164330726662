import type { Btf } from "../btf/btf.js";
import { isComposite, kindFamily, namesAreCompatible } from "./compatible.js";
import { coreError } from "./core-error.js";
import type { Steps } from "./steps.js";
import { MAX_TYPE_DEPTH, tooDeep } from "./type-depth.js";

/** A type in one of the two BTFs that are compared. */
export interface TypeIn {
  readonly btf: Btf;
  readonly id: number;
}

/** coreAreTypesCompatible of cilium/ebpf. Throws CORE_UNSUPPORTED for types that it does not compare. */
export function ciliumTypesAreCompatible(local: TypeIn, kernel: TypeIn, steps: Steps): boolean {
  const pairs: [ours: number, its: number][] = [[local.id, kernel.id]];
  let depth = 0;
  for (let pair = pairs.shift(); pair !== undefined; pair = pairs.shift()) {
    steps.take();
    if (depth >= MAX_TYPE_DEPTH) throw tooDeep(local.id);
    const [ours, its] = [local.btf.resolve(pair[0]), kernel.btf.resolve(pair[1])];
    const kind = local.btf.kind(ours);
    if (kindFamily(kind) !== kindFamily(kernel.btf.kind(its))) return false;
    switch (kind) {
      case "void":
      case "struct":
      case "union":
      case "enum":
      case "enum64":
      case "fwd":
      case "int":
        break;
      case "ptr":
        depth += 1;
        pairs.push([local.btf.target(ours), kernel.btf.target(its)]);
        break;
      case "array": {
        depth += 1;
        const [one, other] = [local.btf.array(ours)!, kernel.btf.array(its)!];
        pairs.push([one.index, other.index], [one.element, other.element]);
        break;
      }
      case "func_proto": {
        depth += 1;
        const [one, other] = [local.btf.parameters(ours), kernel.btf.parameters(its)];
        if (one.length !== other.length) return false;
        steps.take(one.length);
        pairs.push([local.btf.target(ours), kernel.btf.target(its)]);
        for (const [index, { type }] of one.entries()) pairs.push([type, other[index]!.type]);
        break;
      }
      default:
        throw coreError("CORE_UNSUPPORTED", `cilium/ebpf does not compare types of kind ${kind}`);
    }
  }
  return true;
}

/** coreAreMembersCompatible of cilium/ebpf. */
export function ciliumMembersAreCompatible(local: TypeIn, kernel: TypeIn): boolean {
  const [ours, its] = [local.btf.resolve(local.id), kernel.btf.resolve(kernel.id)];
  const kind = local.btf.kind(ours);
  const other = kernel.btf.kind(its);
  if (isComposite(kind) && isComposite(other)) return true;
  if (kindFamily(kind) !== kindFamily(other)) return false;
  switch (kind) {
    case "array":
    case "ptr":
    case "float":
    case "int":
      return true;
    case "enum":
    case "enum64":
    case "fwd":
      return namesAreCompatible(local.btf.name(ours), kernel.btf.name(its));
    default:
      throw coreError("CORE_UNSUPPORTED", `cilium/ebpf does not relocate fields of kind ${kind}`);
  }
}
