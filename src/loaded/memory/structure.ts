import type { Btf } from "../../bpf/btf/btf.js";

/** How deep structures without a name are nested in the kernel, at most. */
const DEPTH = 4;

/**
 * The byte offset of a member in a structure of the kernel, also in structures and unions without a name that it
 * contains; null if there is none, or if it does not begin at a byte.
 */
export function memberOffset(types: Btf, structure: string, member: string): number | null {
  const bit = bitOf(types, types.find("struct", structure), member, DEPTH);
  return bit === null || bit % 8 !== 0 ? null : bit / 8;
}

function bitOf(types: Btf, structure: number, name: string, depth: number): number | null {
  const members = types.members(structure);
  const found = members.find((member) => member.name === name);
  if (found !== undefined) return found.bit;
  if (depth === 0) return null;
  for (const member of members) {
    if (member.name !== "") continue;
    const inner = bitOf(types, types.resolve(member.type), name, depth - 1);
    if (inner !== null) return member.bit + inner;
  }
  return null;
}
