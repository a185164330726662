import type { AnyNode } from "acorn";

/** A value that a variable can have, as far as the text shows it. */
export type Value =
  | { readonly expression: AnyNode }
  /** A property that a destructuring pattern reads. */
  | { readonly object: Value; readonly key: string }
  /** Any element of a value: of a loop or an array pattern. */
  | { readonly elementOf: Value }
  | { readonly parameterOf: AnyNode; readonly index: number };

/** A variable, parameter, function, class or import of one file. */
export class Variable {
  /** The values from declarations, defaults and assignments. */
  readonly values: Value[] = [];
  /** The expressions of declarations and defaults, and the class if this is its name. */
  readonly initial: AnyNode[] = [];
  /** Whether the variable can also have an unknown value: a rest element, a caught error, the result of an update. */
  isOpaque = false;
  /** Whether it is declared by `var`: it can be read before its declaration, or without it, and is then undefined. */
  isVar = false;
  /** Number of expressions that read it; an export counts as one. */
  reads = 0;
  /** Number of patterns that write it; its declaration counts as one. */
  writes = 0;

  constructor(readonly name: string) {}
}
