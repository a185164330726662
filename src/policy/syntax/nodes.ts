import type {
  AnonymousFunctionDeclaration,
  AnyNode,
  ArrowFunctionExpression,
  FunctionDeclaration,
  FunctionExpression,
} from "acorn";

export type FunctionNode =
  | FunctionDeclaration
  | AnonymousFunctionDeclaration
  | FunctionExpression
  | ArrowFunctionExpression;

export function isFunction(node: AnyNode): node is FunctionNode {
  return (
    node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression"
  );
}

/** A table of functions by kind of syntax node. */
export type ByKind<Rest extends readonly unknown[], Result> = {
  readonly [K in AnyNode["type"]]?: (node: Extract<AnyNode, { type: K }>, ...rest: Rest) => Result;
};

/** The entry for a node; undefined if the table has none for its kind. */
export function entryFor<Rest extends readonly unknown[], Result>(
  table: ByKind<Rest, Result>,
  { type }: AnyNode,
): ((node: AnyNode, ...rest: Rest) => Result) | undefined {
  return table[type] as ((node: AnyNode, ...rest: Rest) => Result) | undefined;
}
