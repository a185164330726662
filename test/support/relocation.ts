import type { ObjectProgram } from "../../src/bpf/object/program.js";

/** Whether CO-RE, a kernel symbol or a kfunc changes its instructions while it is loaded. */
export function changesWhenLoaded(program: ObjectProgram): boolean {
  if (program.rewrittenSlots().length > 0) return true;
  return [...program.linked.references.values()].some(({ to }) => to === "kfunc" || to === "ksym");
}
