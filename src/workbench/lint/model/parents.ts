import type { AnyNode } from "acorn";

/** The parent of each node of a syntax tree; names that are bound and names of properties are included. */
export function parentsOf(root: AnyNode): ReadonlyMap<AnyNode, AnyNode> {
  const parents = new Map<AnyNode, AnyNode>();
  const open: AnyNode[] = [root];
  const add = (value: unknown, parent: AnyNode) => {
    if (!isNode(value) || parents.has(value)) return;
    parents.set(value, parent);
    open.push(value);
  };
  for (let node = open.pop(); node !== undefined; node = open.pop())
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) for (const one of value) add(one, node);
      else add(value, node);
    }
  return parents;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
