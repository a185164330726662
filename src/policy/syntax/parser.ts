import { type Options, Parser } from "acorn";

/** The part of an acorn scope that this file replaces. */
interface Scope {
  var: string[] | NameSet;
  lexical: string[] | NameSet;
  functions: string[] | NameSet;
}

interface ScopedParser {
  readonly scopeStack: readonly Scope[];
  declareName(name: string, bindingType: number, position: number): void;
}

const FEW = 16;
const KINDS = ["var", "lexical", "functions"] as const;
/** BIND_VAR of acorn. */
const VAR = 1;

/**
 * The names of a scope. acorn searches an array for each declaration, so its time is quadratic in the number of names.
 */
class NameSet {
  /** acorn reads index 0 only for a scope with a `catch` parameter. */
  readonly 0: string | undefined;
  /** Always 0, so that `declareName` does not take the set for a long array. */
  readonly length = 0;
  readonly #names: Set<string>;

  constructor(names: readonly string[]) {
    this[0] = names[0];
    this.#names = new Set(names);
  }

  push(name: string): void {
    this.#names.add(name);
  }

  indexOf(name: string): number {
    return this.#names.has(name) ? 0 : -1;
  }
}

/** acorn with time linear in the number of names. */
const LinearParser = Parser.extend((base) => {
  const Base = base as unknown as new (options: Options, input: string) => ScopedParser;
  class Linear extends Base {
    override declareName(name: string, bindingType: number, position: number): void {
      for (let index = this.scopeStack.length - 1; index >= 0; index--) {
        const scope = this.scopeStack[index]!;
        for (const kind of KINDS) {
          const names = scope[kind];
          if (names.length > FEW) scope[kind] = new NameSet(names as string[]);
        }
        // The other lists are searched only for a `var`, whose names are added to them as well.
        if (bindingType !== VAR) break;
      }
      super.declareName(name, bindingType, position);
    }
  }
  return Linear as unknown as typeof Parser;
});

export const parse: typeof Parser.parse = (text, options) => LinearParser.parse(text, options);
