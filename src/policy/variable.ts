import type { AnyNode } from "acorn";

/** What a variable can hold, as far as the text tells. */
export type Value =
  | { readonly expression: AnyNode }
  /** A property, where a pattern takes a value apart. */
  | { readonly object: Value; readonly key: string }
  /** Any element of a value: a loop variable, or one of an array pattern. */
  | { readonly elementOf: Value }
  | { readonly parameterOf: AnyNode; readonly index: number };

/** A variable, parameter, function, class or import of one file. */
export class Variable {
  /** The values that declarations, defaults and assignments give it. */
  readonly values: Value[] = [];
  /** The expressions of declarations and defaults among them, and a class that is declared by this name. */
  readonly initial: AnyNode[] = [];
  /** Whether it can also hold another value: a rest element, a caught error, the result of an update. */
  isOpaque = false;
  /** How many expressions read it. An export counts as one. */
  reads = 0;
  /** How many patterns write it; its declaration is one. */
  writes = 0;

  constructor(readonly name: string) {}
}
