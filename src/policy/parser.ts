import { type Options, Parser } from "acorn";

/** The part of an acorn scope that this file replaces. */
interface Scope {
  var: NameList;
  lexical: NameList;
  functions: NameList;
}

interface ScopedParser {
  enterScope(flags: number): void;
  currentScope(): Scope;
}

const FEW = 16;

/** A scope's names. acorn keeps them in an array that it searches for each declaration: quadratic in a scope's names. */
class NameList {
  /** acorn asks for the first name alone, of a scope with a catch clause's parameter. */
  0: string | undefined;
  readonly #few: string[] = [];
  #many: Set<string> | null = null;

  push(name: string): void {
    this[0] ??= name;
    if (this.#many !== null) this.#many.add(name);
    else if (this.#few.push(name) > FEW) this.#many = new Set(this.#few);
  }

  indexOf(name: string): number {
    if (this.#many === null) return this.#few.indexOf(name);
    return this.#many.has(name) ? 0 : -1;
  }
}

/** acorn, in time that is linear in the number of names. */
const LinearParser = Parser.extend((base) => {
  const Base = base as unknown as new (options: Options, input: string) => ScopedParser;
  class Linear extends Base {
    override enterScope(flags: number): void {
      super.enterScope(flags);
      Object.assign(this.currentScope(), {
        var: new NameList(),
        lexical: new NameList(),
        functions: new NameList(),
      });
    }
  }
  return Linear as unknown as typeof Parser;
});

export const parse: typeof Parser.parse = (text, options) => LinearParser.parse(text, options);
