import type { AnyNode, Identifier, Pattern } from "acorn";
import type { FunctionNode } from "../../policy/syntax/nodes.js";
import type { Source } from "../../policy/syntax/source.js";

/**
 * Name capture: a rewritten expression stands in another scope, where its names can mean other variables. The default
 * values of parameters become statements of the function's body: there they would see its variables, and would not find
 * later parameters in their temporal dead zone. What a loop is over is evaluated outside of the scope of the loop's
 * variables, so that these would not be in their temporal dead zone either.
 */
export class CapturedNames {
  constructor(private readonly source: Source) {}

  /**
   * Whether the default value of a parameter has a name that a later parameter or the body declares or assigns. Names
   * of inner blocks and functions count, too, which only makes less decided.
   */
  inParameters(node: FunctionNode): boolean {
    return node.params.flatMap(expressionsIn).some((expression) => {
      const { start, end } = expression;
      const later = new Set(this.#written(end, node.end).map(({ name }) => name));
      return this.#identifiers(start, end).some((one) => later.has(one.name) && !this.#isOwn(one, expression));
    });
  }

  /** Whether what a loop is over names a variable of the loop. */
  inLoop(left: AnyNode, right: AnyNode): boolean {
    const { tree } = this.source;
    const own = new Set(this.#written(left.start, left.end).map((one) => tree.meant(one)));
    return this.#identifiers(right.start, right.end).some((one) => own.has(tree.meant(one)));
  }

  /** Whether an identifier names a variable of a function that is in the expression. */
  #isOwn(identifier: Identifier, { start, end }: AnyNode): boolean {
    const { tree } = this.source;
    const its = tree.meant(identifier);
    if (its === undefined) return false;
    return tree.written.every((one) => tree.meant(one) !== its || (one.start >= start && one.end <= end));
  }

  #identifiers(start: number, end: number): readonly Identifier[] {
    const read = this.source.nodes.filter((one): one is Identifier => one.type === "Identifier");
    return [...read.filter((one) => one.start >= start && one.end <= end), ...this.#written(start, end)];
  }

  #written(start: number, end: number): readonly Identifier[] {
    return this.source.tree.written.filter((one) => one.start >= start && one.end <= end);
  }
}

/** The default values and the computed names in a pattern. */
function expressionsIn(pattern: Pattern): readonly AnyNode[] {
  switch (pattern.type) {
    case "AssignmentPattern":
      return [...expressionsIn(pattern.left), pattern.right];
    case "ArrayPattern":
      return pattern.elements.flatMap((one) => (one === null ? [] : expressionsIn(one)));
    case "ObjectPattern":
      return pattern.properties.flatMap((one) => {
        if (one.type === "RestElement") return expressionsIn(one.argument);
        return [...(one.computed ? [one.key] : []), ...expressionsIn(one.value)];
      });
    case "RestElement":
      return expressionsIn(pattern.argument);
    default:
      return [];
  }
}
