import type { Btf } from "../btf/btf.js";
import { essentialName } from "../btf/essential-name.js";
import { isEnum } from "./compatible.js";
import type { Steps } from "./steps.js";
import { MAX_TYPE_DEPTH, tooDeep } from "./type-depth.js";

const SIGNED = 1;

/**
 * Whether the kernel's type has all that the local type has, by name (bpf_core_types_match). The caller compared the
 * names of the two types themselves.
 */
export function typesMatch(
  local: Btf,
  localId: number,
  kernel: Btf,
  kernelId: number,
  steps: Steps,
  behindPointer = false,
  level = MAX_TYPE_DEPTH,
): boolean {
  if (level <= 0) throw tooDeep(localId);
  for (let depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
    steps.take();
    localId = local.resolve(localId);
    kernelId = kernel.resolve(kernelId);
    if (!namesMatch(local.name(localId), kernel.name(kernelId))) return false;
    const kind = local.kind(localId);
    const other = kernel.kind(kernelId);
    switch (kind) {
      case "void":
        return other === "void";
      case "fwd":
        if (kind === other) return local.flag(localId) === kernel.flag(kernelId);
        return behindPointer && other === (local.flag(localId) ? "union" : "struct");
      case "enum":
      case "enum64":
        return isEnum(other) && enumsMatch(local, localId, kernel, kernelId, steps);
      case "struct":
      case "union":
        if (!behindPointer) return kind === other && compositesMatch(local, localId, kernel, kernelId, steps, level);
        return kind === other || (other === "fwd" && (kind === "union") === kernel.flag(kernelId));
      case "int":
        if (kind !== other) return false;
        return (
          local.size(localId) === kernel.size(kernelId) &&
          (local.int(localId)!.encoding & SIGNED) === (kernel.int(kernelId)!.encoding & SIGNED)
        );
      case "ptr":
        if (kind !== other) return false;
        behindPointer = true;
        localId = local.target(localId);
        kernelId = kernel.target(kernelId);
        break;
      case "array": {
        const [ours, its] = [local.array(localId)!, kernel.array(kernelId)];
        if (ours.count !== its?.count) return false;
        localId = ours.element;
        kernelId = its.element;
        break;
      }
      case "func_proto": {
        if (kind !== other || local.length(localId) !== kernel.length(kernelId)) return false;
        const parameters = local.parameters(localId);
        for (const [index, { type }] of kernel.parameters(kernelId).entries())
          if (!typesMatch(local, parameters[index]!.type, kernel, type, steps, behindPointer, level - 1)) return false;
        localId = local.target(localId);
        kernelId = kernel.target(kernelId);
        break;
      }
      default:
        return false;
    }
  }
  throw tooDeep(localId);
}

function namesMatch(local: string, kernel: string): boolean {
  return local === kernel || (kernel !== "" && essentialName(local) === essentialName(kernel));
}

function enumsMatch(local: Btf, localId: number, kernel: Btf, kernelId: number, steps: Steps): boolean {
  const count = local.length(localId);
  const others = kernel.length(kernelId);
  if (local.size(localId) !== kernel.size(kernelId) || count > others) return false;
  steps.take(count + others);
  const names = new Set<string>();
  for (let index = 0; index < others; index++) names.add(essentialName(kernel.enumerator(kernelId, index)!.name));
  for (let index = 0; index < count; index++)
    if (!names.has(essentialName(local.enumerator(localId, index)!.name))) return false;
  return true;
}

function compositesMatch(
  local: Btf,
  localId: number,
  kernel: Btf,
  kernelId: number,
  steps: Steps,
  level: number,
): boolean {
  const members = local.members(localId);
  const others = kernel.members(kernelId);
  if (members.length > others.length) return false;
  steps.take(members.length + others.length);
  const byName = new Map<string, number[]>();
  for (const { name, type } of others) {
    const key = essentialName(name);
    const types = byName.get(key);
    if (types === undefined) byName.set(key, [type]);
    else types.push(type);
  }
  return members.every(({ name, type }) =>
    (byName.get(essentialName(name)) ?? []).some((other) =>
      typesMatch(local, type, kernel, other, steps, false, level - 1),
    ),
  );
}
