import { coreError } from "./core-error.js";

/** Maximum depth of types and of dimensions of an array: that of libbpf, and of cilium/ebpf (maxTypeDepth). */
export const MAX_TYPE_DEPTH = 32;

/** The error of a type that is nested too deep. */
export function tooDeep(id: number) {
  return coreError("CORE_UNSUPPORTED", `type ${id} is nested more than ${MAX_TYPE_DEPTH} deep`, "read a smaller type");
}
