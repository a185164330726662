import type { Btf } from "../btf/btf.js";
import { coreError } from "./core-error.js";
import { MAX_TYPE_DEPTH } from "./type-depth.js";

const MAX_SIZE = 0xffff_ffff;
const POINTER = 8;

/** Size of a value of a type in bytes (btf__resolve_size of libbpf). Throws CORE_MALFORMED if it has none. */
export function sizeOfType(btf: Btf, id: number): number {
  let elements = 1;
  let at = id;
  for (let depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
    const kind = btf.kind(at);
    switch (kind) {
      case "int":
      case "struct":
      case "union":
      case "enum":
      case "enum64":
      case "datasec":
      case "float":
        return checked(elements * btf.size(at), id);
      case "ptr":
        return checked(elements * POINTER, id);
      case "typedef":
      case "const":
      case "volatile":
      case "restrict":
      case "var":
      case "decl_tag":
      case "type_tag":
        at = btf.target(at);
        break;
      case "array": {
        const array = btf.array(at)!;
        elements = checked(elements * array.count, id);
        at = array.element;
        break;
      }
      default:
        throw coreError("CORE_MALFORMED", `type ${id} has no size: it is of kind ${kind}`);
    }
  }
  throw coreError("CORE_MALFORMED", `type ${id} has no size: it is nested more than ${MAX_TYPE_DEPTH} deep`);
}

function checked(size: number, id: number): number {
  if (size > MAX_SIZE) throw coreError("CORE_UNSUPPORTED", `type ${id} is larger than 4 GB`);
  return size;
}

/** The type of the elements of an array, of all its dimensions; any other type itself, without modifiers. */
export function elementOf(btf: Btf, id: number): number {
  let at = btf.resolve(id);
  for (let depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
    const array = btf.array(at);
    if (array === null) return at;
    at = btf.resolve(array.element);
  }
  throw coreError("CORE_MALFORMED", `array ${id} has more than ${MAX_TYPE_DEPTH} dimensions`);
}
