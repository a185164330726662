import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import { REBUILD } from "../elf/remedies.js";

/** A variable `extern … __kconfig`, and its place in the map `.kconfig`. */
export interface KconfigVariable {
  readonly name: string;
  /** BTF id of its VAR. */
  readonly id: number;
  /** Offset and size in bytes in the value of the map. */
  readonly offset: number;
  readonly size: number;
}

/**
 * The layout of `.kconfig` (libbpf's bpf_object__collect_externs): variables with larger alignment first, then smaller
 * ones, then by name; each at the next offset that is aligned for it. Throws BTF_MALFORMED.
 */
export function kconfigLayout(btf: Btf): readonly KconfigVariable[] {
  const rows = btf.variables(btf.section(".kconfig")).map(({ type: id }) => {
    const type = btf.target(id);
    const name = btf.name(id);
    const [size, align] = [btf.sizeOf(type), alignmentOf(btf, type)];
    if (btf.kind(id) === "var" && size > 0 && align > 0) return { name, id, size, align };
    throw new CountersignError("BTF_MALFORMED", `\`${name}\` in \`.kconfig\` is not a variable with a size`, {
      place: "section .BTF",
      remedy: REBUILD,
    });
  });
  rows.sort((a, b) => b.align - a.align || a.size - b.size || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  let end = 0;
  return rows.map(({ name, id, size, align }) => {
    const offset = Math.ceil(end / align) * align;
    end = offset + size;
    return { name, id, offset, size };
  });
}

/** Size in bytes of the value of the map `.kconfig`; 0 if the object has none. */
export function kconfigSize(layout: readonly KconfigVariable[]): number {
  const last = layout.at(-1);
  return last === undefined ? 0 : last.offset + last.size;
}

const MAX_DEPTH = 32;
const POINTER = 8;

/** Alignment of a type in bytes (libbpf's btf__align_of); 0 if it has none. */
function alignmentOf(btf: Btf, id: number, depth = 0): number {
  if (depth > MAX_DEPTH) return 0;
  const type = btf.resolve(id);
  switch (btf.kind(type)) {
    case "int":
    case "enum":
    case "enum64":
    case "float":
      return Math.min(POINTER, btf.size(type));
    case "ptr":
      return POINTER;
    case "array":
      return alignmentOf(btf, btf.array(type)!.element, depth + 1);
    case "struct":
    case "union":
      return structAlignment(btf, type, depth);
    default:
      return 0;
  }
}

function structAlignment(btf: Btf, type: number, depth: number): number {
  let largest = 1;
  for (const { type: member, bit, bits } of btf.members(type)) {
    const align = alignmentOf(btf, member, depth + 1);
    if (align === 0) return 0;
    largest = Math.max(largest, align);
    if (bits === 0 && bit % (8 * align) !== 0) return 1; // packed
  }
  return btf.size(type) % largest === 0 ? largest : 1;
}
