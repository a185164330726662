import type { Code } from "../code.js";
import { type ContextRow, contextOfStruct, type ProgramTypeRow } from "../tables/program-types.js";
import { ANYTHING, KIND } from "./kinds.js";
import type { Values } from "./values.js";

/** What a program is called with: its context, and the values of r1 to r5. */
export interface Entry {
  readonly context: ContextRow;
  readonly args: readonly number[];
}

/**
 * A program is called with its context in r1. One that replaces a function of another program (freplace) is called as
 * that function is: its own BTF tells, which the kernel holds against the other's (btf_check_type_match). Without it,
 * or for pointers to anything but a context, nothing is known of what they point to. What has the name of a context's
 * structure is one only in a program of that type: to another type's function it is memory that the caller lends
 * (PTR_TO_MEM of btf_prepare_func_args), its packet or a map's value.
 */
export function entryOf(code: Code, type: ProgramTypeRow, values: Values): Entry {
  if (type.context.otherwise !== "anything") return { context: type.context, args: [values.pointer(KIND.CTX, 0, 0)] };
  const anything = values.pointer(ANYTHING, -1);
  const parameters = parametersOf(code);
  if (parameters === null) return { context: type.context, args: [anything, anything, anything, anything, anything] };
  const first = parameters[0]?.struct;
  const row = first === undefined || first === null ? undefined : contextOfStruct(first);
  const args = parameters.slice(0, 5).map(({ pointer }) => (pointer ? anything : values.any));
  if (row === undefined) return { context: type.context, args };
  // NULL, too: kernels before 6.8 let the caller of a global function pass it (PTR_MAYBE_NULL of btf_prepare_func_args)
  const given = values.join(values.pointer(KIND.CTX | KIND.PACKET | KIND.LENT, 0, 0), values.constant(0));
  return { context: row, args: [given, ...args.slice(1)] };
}

interface Parameter {
  readonly pointer: boolean;
  /** The struct that it points to. */
  readonly struct: string | null;
}

/** The parameters of the program's own function; null where its BTF does not tell. */
function parametersOf({ btf, functions }: Code): Parameter[] | null {
  const id = functions[0]?.btfId ?? null;
  if (btf === null || id === null || btf.kind(id) !== "func") return null;
  const proto = btf.target(id);
  if (btf.kind(proto) !== "func_proto") return null;
  return btf.parameters(proto).map(({ type }) => {
    const resolved = btf.resolve(type);
    if (btf.kind(resolved) !== "ptr") return { pointer: false, struct: null };
    const pointee = btf.resolve(btf.target(resolved));
    return { pointer: true, struct: btf.kind(pointee) === "struct" ? btf.name(pointee) : null };
  });
}
