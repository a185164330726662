import type { Btf } from "../btf/btf.js";
import type { BtfKind } from "../btf/btf-type.js";
import { essentialName } from "../btf/essential-name.js";
import { coreError } from "./core-error.js";
import type { Steps } from "./steps.js";
import { MAX_TYPE_DEPTH, tooDeep } from "./type-depth.js";

/** Whether two kinds of types can stand for each other (btf_kind_core_compat): enums of all sizes are alike. */
export function kindFamily(kind: BtfKind): BtfKind {
  return kind === "enum64" ? "enum" : kind;
}

export function isComposite(kind: BtfKind): boolean {
  return kind === "struct" || kind === "union";
}

export function isEnum(kind: BtfKind): boolean {
  return kind === "enum" || kind === "enum64";
}

/** Whether the names of two types are the same without their flavours; a type without a name fits any. */
export function namesAreCompatible(local: string, kernel: string): boolean {
  const [name, other] = [essentialName(local), essentialName(kernel)];
  return name === "" || other === "" || name === other;
}

/** Whether a field of the local type may be read as the kernel's (bpf_core_fields_are_compat). */
export function fieldsAreCompatible(local: Btf, localId: number, kernel: Btf, kernelId: number): boolean {
  for (let depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
    localId = local.resolve(localId);
    kernelId = kernel.resolve(kernelId);
    const kind = local.kind(localId);
    const other = kernel.kind(kernelId);
    if (isComposite(kind) && isComposite(other)) return true;
    if (kindFamily(kind) !== kindFamily(other)) return false;
    switch (kind) {
      case "ptr":
      case "float":
        return true;
      case "fwd":
      case "enum":
      case "enum64":
        return namesAreCompatible(local.name(localId), kernel.name(kernelId));
      case "int":
        return local.int(localId)!.bit === 0 && kernel.int(kernelId)!.bit === 0;
      case "array":
        localId = local.array(localId)!.element;
        kernelId = kernel.array(kernelId)!.element;
        break;
      default:
        return false;
    }
  }
  throw coreError("CORE_MALFORMED", `array ${localId} has more than ${MAX_TYPE_DEPTH} dimensions`);
}

/**
 * Whether two types of one name can stand for each other (bpf_core_types_are_compat): of one kind, what they point to
 * or contain as elements compatible too; not looking at members.
 */
export function typesAreCompatible(
  local: Btf,
  localId: number,
  kernel: Btf,
  kernelId: number,
  steps: Steps,
  level = MAX_TYPE_DEPTH,
): boolean {
  if (kindFamily(local.kind(localId)) !== kindFamily(kernel.kind(kernelId))) return false;
  for (let depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
    steps.take();
    localId = local.resolve(localId);
    kernelId = kernel.resolve(kernelId);
    const kind = local.kind(localId);
    if (kindFamily(kind) !== kindFamily(kernel.kind(kernelId))) return false;
    switch (kind) {
      case "void":
      case "struct":
      case "union":
      case "enum":
      case "enum64":
      case "fwd":
        return true;
      case "int":
        return local.int(localId)!.bit === 0 && kernel.int(kernelId)!.bit === 0;
      case "ptr":
        localId = local.target(localId);
        kernelId = kernel.target(kernelId);
        break;
      case "array":
        localId = local.array(localId)!.element;
        kernelId = kernel.array(kernelId)!.element;
        break;
      case "func_proto": {
        const count = local.length(localId);
        if (count !== kernel.length(kernelId)) return false;
        const parameters = local.parameters(localId);
        for (const [index, { type }] of kernel.parameters(kernelId).entries()) {
          if (level <= 0) throw tooDeep(localId);
          const [ours, its] = [local.resolve(parameters[index]!.type), kernel.resolve(type)];
          if (!typesAreCompatible(local, ours, kernel, its, steps, level - 1)) return false;
        }
        localId = local.resolve(local.target(localId));
        kernelId = kernel.resolve(kernel.target(kernelId));
        break;
      }
      default:
        return false;
    }
  }
  throw tooDeep(localId);
}
