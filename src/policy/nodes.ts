import type { AnyNode, Program } from "acorn";
import { base } from "acorn-walk";

type Visit = (node: AnyNode, state: undefined, as?: string) => void;
const within = base as unknown as Readonly<Record<string, (node: AnyNode, state: undefined, visit: Visit) => void>>;

/**
 * Every node of a tree, each behind those within it: walked once, for all who look for something in it. Names that are bound,
 * or are those of properties and labels, are not among them.
 */
export function nodesOf(program: Program): AnyNode[] {
  const nodes: AnyNode[] = [];
  const visit: Visit = (node, state, as) => {
    within[as ?? node.type]!(node, state, visit);
    // as what it is, and not only as what it stands for: an expression, a pattern
    if (as === undefined) nodes.push(node);
  };
  visit(program, undefined);
  return nodes;
}

/** What is done with a node, by its kind. */
export type ByKind<Rest extends readonly unknown[], Result> = {
  readonly [K in AnyNode["type"]]?: (node: Extract<AnyNode, { type: K }>, ...rest: Rest) => Result;
};

/** The entry for a node; undefined where its kind has none. */
export function entryFor<Rest extends readonly unknown[], Result>(
  table: ByKind<Rest, Result>,
  { type }: AnyNode,
): ((node: AnyNode, ...rest: Rest) => Result) | undefined {
  return table[type] as ((node: AnyNode, ...rest: Rest) => Result) | undefined;
}
