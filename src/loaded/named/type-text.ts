import type { Btf } from "../../bpf/btf/btf.js";
import { CountersignError } from "../../error.js";

type Kind = ReturnType<Btf["kind"]>;

/** Types refer to others: more than any program has. */
const MAX_DEPTH = 32;

/** By kind: what C writes before the name of such a type. */
const KEYWORDS: Readonly<Partial<Record<Kind, string>>> = {
  ...{ struct: "struct", union: "union", enum: "enum", enum64: "enum", fwd: "struct" },
};
const QUALIFIERS: ReadonlySet<Kind> = new Set(["const", "volatile", "restrict"]);

/** A type of BTF as C spells it, such as `struct event *` and `u64[4]`; null for 0, or one that BTF does not have. */
export function typeText(btf: Btf, id: number): string | null {
  if (id <= 0 || id >= btf.count) return null;
  try {
    return textOf(btf, id, MAX_DEPTH);
  } catch (error) {
    if (error instanceof CountersignError && error.code === "BTF_MALFORMED") return null;
    throw error;
  }
}

function textOf(btf: Btf, id: number, depth: number): string {
  if (depth === 0) return "…";
  const of = (target: number) => textOf(btf, target, depth - 1);
  const kind = btf.kind(id);
  const [name, keyword] = [btf.name(id), KEYWORDS[kind]];
  if (keyword !== undefined) return `${keyword} ${name === "" ? "{…}" : name}`;
  if (kind === "ptr") return `${of(btf.target(id))} *`;
  if (QUALIFIERS.has(kind)) return `${kind} ${of(btf.target(id))}`;
  const array = btf.array(id);
  if (array !== null) return `${of(array.element)}[${array.count}]`;
  if (kind === "type_tag") return of(btf.target(id));
  return name === "" ? kind : kind === "datasec" ? `section ${name}` : name;
}
