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
/** acorn's BIND_VAR */
const VAR = 1;

/** A scope's names once they are many. acorn searches an array for each declaration: quadratic in a scope's names. */
class NameSet {
  /** acorn asks for the first name alone, of a scope with a catch clause's parameter. */
  readonly 0: string | undefined;
  /** Never too many. */
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

/** acorn, in time that is linear in the number of names. */
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
        // the other lists are searched only for a `var`, which is added to them as well
        if (bindingType !== VAR) break;
      }
      super.declareName(name, bindingType, position);
    }
  }
  return Linear as unknown as typeof Parser;
});

export const parse: typeof Parser.parse = (text, options) => LinearParser.parse(text, options);
