import type { Btf } from "../btf/btf.js";
import { essentialName } from "../btf/essential-name.js";
import { familyOf } from "./relo-kind.js";

/** struct bpf_core_relo (include/uapi/linux/bpf.h), about one instruction of a linked program. */
export interface CoreRelocation {
  readonly slot: number;
  /** A type in the program's own BTF. */
  readonly typeId: number;
  /** `0:1:2`: an index for the pointer, then one for each member or element; of an enumerator its index. */
  readonly access: string;
  /** enum bpf_core_relo_kind. */
  readonly kind: number;
  /** Its place among all relocations of the object, if these are given in libbpf's order. */
  readonly position?: number;
}

/** What a relocation refers to, wherever it is. */
export type What = Pick<CoreRelocation, "typeId" | "access" | "kind">;

/** BPF_CORE_SPEC_MAX_LEN of libbpf's relo_core.h, which the kernel shares. */
export const MAX_ACCESS = 64;

/** Such as `struct task_struct.tgid`. Throws BTF_MALFORMED. */
export function describeRelocation(btf: Btf, { typeId, kind, access }: What): string {
  const path = access.split(":", MAX_ACCESS + 1).map(Number);
  if (path.length > MAX_ACCESS) return `type ${typeId}, access of more than ${MAX_ACCESS} steps`;
  const start = btf.resolve(typeId);
  const name = typeName(btf, typeId);
  const family = familyOf(kind);
  if (family === "enumerator") return `${name}::${btf.enumerator(start, path[0] ?? 0)?.name ?? access}`;
  if (family !== "field") return name;
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
    if (member === undefined) return `type ${typeId}, access ${access}`;
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
