import { CountersignError } from "../../error.js";
import { Btf } from "../btf/btf.js";
import { sha256 } from "../insn/digest.js";

/** Maximum number of types of a structure, and of bytes of its BTF: the largest of libbpf-tools has 30 kB. */
const MAX_TYPES = 20_000;
const MAX_BYTES = 1 << 20;

/** {@link typeStructure} of BTF that anybody may have written; null if it cannot be used, or has too much. */
export function structureIn(bytes: Uint8Array, roots: readonly number[]): string | null {
  if (bytes.length > MAX_BYTES) return null;
  try {
    return typeStructure(new Btf(bytes, "BTF of a map"), roots);
  } catch (error) {
    if (error instanceof CountersignError) return null;
    throw error;
  }
}

/** In a decl tag, before the name of the struct that a list or tree holds (btf_find_graph_root of kernel/bpf/btf.c). */
const CONTAINS = /^contains:([^:]*):/;

/**
 * The SHA-256 of types and of everything that they consist of or point to, which does not depend on ids, on the order
 * of types in the BTF, or on its other types. It has what the kernel takes from the types of a map: names, sizes,
 * offsets, bit fields, enumerators, type tags, and decl tags with the structs that they name. Null if there are too
 * many types. Throws BTF_MALFORMED.
 */
export function typeStructure(btf: Btf, roots: readonly number[]): string | null {
  const tags = declTags(btf);
  const numbers = new Map<number, number>([[0, 0]]);
  const queue: number[] = [];
  const numberOf = (id: number): number => {
    let number = numbers.get(id);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(id, number);
      queue.push(id);
    }
    return number;
  };
  const rows: string[] = [JSON.stringify(roots.map(numberOf))];
  // in the order in which types are first met, which is that of their numbers
  for (let at = 0; at < queue.length; at++) {
    if (queue.length > MAX_TYPES) return null;
    const id = queue[at]!;
    const named = tags.get(id) ?? [];
    rows.push(JSON.stringify([...rowOf(btf, id, numberOf), named, containedIn(btf, named).map(numberOf)]));
  }
  return sha256(Buffer.from(rows.join("\n")));
}

type Row = readonly unknown[];

function rowOf(btf: Btf, id: number, numberOf: (id: number) => number): Row {
  const kind = btf.kind(id);
  const row = [kind, btf.name(id), btf.size(id)];
  switch (kind) {
    case "int":
      return [...row, btf.int(id)];
    case "array": {
      const { element, count } = btf.array(id)!;
      return [...row, numberOf(element), count];
    }
    case "struct":
    case "union":
      return [...row, btf.members(id).map(({ name, type, bit, bits }) => [name, numberOf(type), bit, bits])];
    case "enum":
    case "enum64":
      return [...row, btf.flag(id), enumeratorsOf(btf, id)];
    case "fwd":
      return [...row, btf.flag(id)];
    case "func_proto": {
      const parameters = btf.parameters(id).map(({ type }) => numberOf(type));
      return [...row, numberOf(btf.target(id)), parameters];
    }
    case "datasec":
      return [...row, btf.variables(id).map(({ type, offset, size }) => [numberOf(type), offset, size])];
    case "var":
    case "func":
      return [...row, numberOf(btf.target(id)), btf.linkage(id)];
    case "type_tag":
      return [...row, btf.flag(id), numberOf(btf.target(id))];
    default:
      return [...row, numberOf(btf.target(id))];
  }
}

function enumeratorsOf(btf: Btf, id: number): Row {
  return Array.from({ length: btf.length(id) }, (_, index) => {
    const { name, value } = btf.enumerator(id, index)!;
    return [name, value.toString()];
  });
}

type DeclTag = readonly [component: number, name: string];

/** The decl tags of each type, in an order of their own. */
function declTags(btf: Btf): ReadonlyMap<number, readonly DeclTag[]> {
  const found = new Map<number, DeclTag[]>();
  for (const id of btf.all("decl_tag")) {
    const of = btf.target(id);
    const tag: DeclTag = [btf.component(id), btf.name(id)];
    const others = found.get(of);
    if (others === undefined) found.set(of, [tag]);
    else others.push(tag);
  }
  for (const tags of found.values()) tags.sort(([a, one], [b, other]) => a - b || (one < other ? -1 : 1));
  return found;
}

/** The structs that lists and trees hold. */
function containedIn(btf: Btf, tags: readonly DeclTag[]): readonly number[] {
  return tags.flatMap(([, name]) => {
    const [, struct] = CONTAINS.exec(name) ?? [];
    return struct === undefined ? [] : [btf.find("struct", struct)];
  });
}
