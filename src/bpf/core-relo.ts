import { CountersignError } from "../error.js";
import type { Btf } from "./btf.js";
import type { Records } from "./btf-ext.js";
import type { Rewrite } from "./code.js";

/** Descriptions of the values of enum bpf_core_relo_kind (include/uapi/linux/bpf.h). */
export const CORE_RELO_KINDS = [
  "offset of field",
  "size of field",
  "existence of field",
  "signedness of field",
  "left shift of field",
  "right shift of field",
  "local id of type",
  "kernel's id of type",
  "existence of type",
  "size of type",
  "existence of enumerator",
  "value of enumerator",
  "match of type",
] as const;

const FIRST_OF_TYPE = 6;
const ENUMERATOR = new Set([10, 11]);

/** Describes a CO-RE relocation with names from the program's own BTF. */
export function rewriteOf(records: Records, record: number, btf: Btf): Rewrite {
  const type = records.field(record, 1);
  const kind = records.field(record, 3);
  let access = "";
  try {
    access = btf.string(records.field(record, 2));
    return { kind, what: describe(btf, type, kind, access) };
  } catch (error) {
    // Without names the relocation still counts.
    if (error instanceof CountersignError) return { kind, what: `type ${type}, access ${access}` };
    throw error;
  }
}

/** BPF_CORE_SPEC_MAX_LEN of libbpf's relo_core.h, which the kernel shares. */
const MAX_ACCESS = 64;

function describe(btf: Btf, root: number, kind: number, access: string): string {
  const path = access.split(":", MAX_ACCESS + 1).map(Number);
  if (path.length > MAX_ACCESS) return `type ${root}, access of more than ${MAX_ACCESS} steps`;
  const start = btf.resolve(root);
  const name = typeName(btf, root);
  if (ENUMERATOR.has(kind)) return `${name}::${btf.enumerator(start, path[0] ?? 0)?.name ?? access}`;
  if (kind >= FIRST_OF_TYPE) return name;
  let text = path[0] === 0 ? name : `${name}[${path[0]}]`;
  let at = start;
  for (const step of path.slice(1)) {
    const array = btf.array(at);
    if (array !== null) {
      text += `[${step}]`;
      at = btf.resolve(array.element);
      continue;
    }
    const member = btf.member(at, step);
    if (member === undefined) return `type ${root}, access ${access}`;
    // An anonymous struct or union has no name to add.
    if (member.name !== "") text += `.${member.name}`;
    at = btf.resolve(member.type);
  }
  return text;
}

/** Such as `struct task_struct`. Flavours (`___x`) are removed, as CO-RE does when it looks up a type. */
function typeName(btf: Btf, id: number): string {
  const named = btf.name(id) === "" ? btf.resolve(id) : id;
  const kind = btf.kind(named);
  const name = essentialName(btf.name(named)) || "(anonymous)";
  return kind === "struct" || kind === "union" || kind.startsWith("enum") ? `${kind.replace("64", "")} ${name}` : name;
}

/** A name without its flavour: `bpf_foo___v2` means the kernel's `bpf_foo` (libbpf, bpf_core_essential_name_len). */
export function essentialName(name: string): string {
  const flavour = name.lastIndexOf("___");
  return flavour > 0 && flavour + 3 < name.length ? name.slice(0, flavour) : name;
}
