import type { Code } from "../model/code.js";
import { mayBeLentBuffer } from "../tables/iterators.js";
import { type ContextRow, contextOfStruct, type ProgramTypeRow } from "../tables/program-types.js";
import { translatedContext } from "./translated-context.js";
import { ANYTHING, KIND } from "./values/kinds.js";
import type { Values } from "./values/values.js";

/** The start of a program: its context, and the values of r1 to r5. */
export interface Entry {
  readonly context: ContextRow;
  readonly args: readonly number[];
}

/**
 * A program starts with its context in r1. A program that replaces a function of another program (freplace) is called
 * like that function. Its own BTF has the types, which the kernel compares with those of the function
 * (btf_check_type_match). Without BTF, and for pointers to anything except a context, the target is unknown. A struct
 * with the name of a context is a context only in a program of that type. For a function of another type it is memory
 * of the caller (PTR_TO_MEM of btf_prepare_func_args): its packet or a map's value.
 */
export function entryOf(code: Code, type: ProgramTypeRow, values: Values): Entry {
  if (type.context.otherwise !== "anything")
    return { context: contextOf(code, type.context), args: [values.pointer(KIND.CTX, 0, 0)] };
  const context = translatedContext(code, type.context);
  const anything = values.pointer(ANYTHING, -1);
  const parameters = parametersOf(code);
  if (parameters === null) return { context, args: [anything, anything, anything, anything, anything] };
  const first = parameters[0]?.struct;
  const row = first === undefined || first === null ? undefined : contextOfStruct(first);
  const args = parameters.slice(0, 5).map(({ pointer }) => (pointer ? anything : values.any));
  if (row === undefined) return { context, args };
  // NULL as well: before Linux 6.8 the caller of a global function could pass it (PTR_MAYBE_NULL of
  // btf_prepare_func_args).
  const given = values.join(values.pointer(KIND.CTX | KIND.PACKET | KIND.LENT, 0, 0), values.constant(0));
  return { context: translatedContext(code, row), args: [given, ...args.slice(1)] };
}

/** The context of a `tracing` program depends on its target, which the kernel fixes when it loads the program. */
function contextOf(code: Code, row: ContextRow): ContextRow {
  const { expectedAttachType, attachTo } = code;
  if (row.otherwise !== "iterated" || mayBeLentBuffer(expectedAttachType, attachTo))
    return translatedContext(code, row);
  return { ...row, otherwise: "kernel" };
}

interface Parameter {
  readonly pointer: boolean;
  /** Name of the struct that it points to, or null. */
  readonly struct: string | null;
}

/** The parameters of the program's main function; null if its BTF does not have them. */
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
