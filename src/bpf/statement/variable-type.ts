import type { Btf } from "../btf/btf.js";

/** Maximum length of a chain of modifiers and arrays, as in the kernel (MAX_RESOLVE_DEPTH). */
const MAX_DEPTH = 32;

/**
 * Whether a variable's type is `const volatile`: both, in either order, on itself, behind typedefs, or on the elements
 * of an array. Pointers to such a type are not.
 */
export function isConstVolatile(btf: Btf, type: number): boolean {
  let isConst = false;
  let isVolatile = false;
  let at = type;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const kind = btf.kind(at);
    isConst ||= kind === "const";
    isVolatile ||= kind === "volatile";
    if (isConst && isVolatile) return true;
    const array = btf.array(at);
    if (array === null && !MODIFIERS.has(kind)) return false;
    at = array?.element ?? btf.target(at);
  }
  return false;
}

const MODIFIERS: ReadonlySet<string> = new Set(["const", "volatile", "typedef", "restrict", "type_tag"]);

/** The C type without const and volatile: `pid_t`, `struct filter`, `char[16]`, `unsigned int[4][2]`. */
export function cTypeName(btf: Btf, type: number): string {
  let suffix = "";
  let at = type;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const kind = btf.kind(at);
    const array = btf.array(at);
    if (array !== null) {
      suffix += `[${array.count}]`;
      at = array.element;
    } else if (kind === "ptr") {
      suffix = ` *${suffix}`;
      at = btf.target(at);
    } else if (kind !== "typedef" && MODIFIERS.has(kind)) at = btf.target(at);
    else {
      const keyword = KEYWORDS[kind];
      const name = btf.name(at) || (kind === "void" ? "void" : "(anonymous)");
      return `${keyword === undefined ? "" : `${keyword} `}${name}${suffix}`;
    }
  }
  return "(unknown)";
}

const KEYWORDS: Readonly<Record<string, string>> = {
  struct: "struct",
  union: "union",
  enum: "enum",
  enum64: "enum",
};
