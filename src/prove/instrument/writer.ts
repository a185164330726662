import type { AnyNode, Expression } from "acorn";
import type { FunctionNode } from "../../policy/syntax/nodes.js";

/** Writes the rewritten text of one file of a policy; rewriter.ts has the class. */
export interface Writer {
  /** The name by which the text refers to the explorer. */
  readonly prefix: string;
  /** The specifier of the explorer's module. */
  readonly explorer: string;
  /** The module of another file of the policy. */
  file(specifier: string): string;
  /** A name that no file of the policy has. */
  temporary(): string;
  /** A call of the explorer. The place comes first, so that it is known when an argument fails. */
  call(name: string, node: AnyNode, ...given: readonly string[]): string;
  /** An expression that ends the path as not decided. */
  notDecided(node: AnyNode, what?: string): string;
  statement(node: AnyNode): string;
  /** Functions that are declared among statements exist from their beginning on, and are marked there. */
  statements(nodes: readonly AnyNode[]): string;
  expression(node: AnyNode): string;
  /** Writes the statements of a function or of the body of `for … of` that binds the names of these patterns. */
  region(patterns: readonly AnyNode[], nodes: readonly AnyNode[], write: () => string): string;
  /** Writes the body of a loop that may change these variables around it. */
  accumulating(names: readonly string[], write: () => string): string;
  /** The value that a variable gets by an assignment. */
  assigned(name: string, value: string): string;
  /** Whether names in the default values of parameters would mean something else in the body of the function. */
  capturesNames(node: FunctionNode): boolean;
  /** Whether what a loop is over names a variable of the loop, which has no value then. */
  loopsOverItself(left: AnyNode, right: AnyNode): boolean;
  /** A condition: the explorer takes both branches if the value can be both. */
  test(node: Expression): string;
}
