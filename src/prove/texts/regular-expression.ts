/**
 * Regular expressions of a subset of JavaScript (ECMA-262, 22.2): ASCII characters, classes, groups, alternatives,
 * quantifiers, `^` and `$`, with the flags `i` and `s`. Whether such an expression matches does not depend on captures
 * or on greediness, so that it is a regular language.
 */

/** A range of UTF-16 code units, both ends included. */
export type CodeUnits = readonly (readonly [from: number, to: number])[];

export type Expression =
  | { readonly kind: "units"; readonly units: CodeUnits }
  | { readonly kind: "sequence" | "choice"; readonly of: readonly Expression[] }
  | { readonly kind: "repeat"; readonly of: Expression; readonly least: number; readonly most: number }
  | { readonly kind: "start" | "end" };

/** The syntax tree of a regular expression; null if it is not in the subset. */
export function parseExpression(source: string, flags: string): Expression | null {
  if (!/^[\x20-\x7e]*$/.test(source) || !/^[is]*$/.test(flags)) return null;
  try {
    return new Parser(source, flags).whole();
  } catch (error) {
    if (error instanceof Unsupported) return null;
    throw error;
  }
}

class Unsupported extends Error {}

const LAST = 0xffff;
/** WhiteSpace and LineTerminator (ECMA-262, 12.2 and 12.3). */
export const SPACES: CodeUnits = [
  [0x9, 0xd],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const DIGITS: CodeUnits = [[0x30, 0x39]];
const WORD: CodeUnits = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const NEWLINES: CodeUnits = [
  [0xa, 0xa],
  [0xd, 0xd],
  [0x2028, 0x2029],
];
const CLASSES: Readonly<Record<string, CodeUnits>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: SPACES,
  S: complement(SPACES),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 0x9, n: 0xa, v: 0xb, f: 0xc, r: 0xd };

/** All code units that are in none of the ranges. */
function complement(units: CodeUnits): CodeUnits {
  const result: [number, number][] = [];
  let next = 0;
  for (const [from, to] of [...units].sort(([one], [other]) => one - other)) {
    if (from > next) result.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= LAST) result.push([next, LAST]);
  return result;
}

class Parser {
  #at = 0;

  constructor(
    private readonly source: string,
    private readonly flags: string,
  ) {}

  whole(): Expression {
    const result = this.#choice();
    if (this.#at < this.source.length) throw new Unsupported();
    return result;
  }

  #choice(): Expression {
    const of = [this.#sequence()];
    while (this.#take("|")) of.push(this.#sequence());
    return of.length === 1 ? of[0]! : { kind: "choice", of };
  }

  #sequence(): Expression {
    const of: Expression[] = [];
    while (this.#at < this.source.length && !"|)".includes(this.source[this.#at]!)) of.push(this.#term());
    return { kind: "sequence", of };
  }

  #term(): Expression {
    if (this.#take("^")) return { kind: "start" };
    if (this.#take("$")) return { kind: "end" };
    const atom = this.#atom();
    const quantity = this.#quantifier();
    return quantity === null ? atom : { kind: "repeat", of: atom, least: quantity[0], most: quantity[1] };
  }

  #quantifier(): readonly [least: number, most: number] | null {
    const counts = /\{(\d+)(,?)(\d*)\}/y;
    counts.lastIndex = this.#at;
    const found = counts.exec(this.source);
    let quantity: readonly [number, number] | null = null;
    if (found !== null) {
      const [text, least, comma, most] = found;
      this.#at += text.length;
      quantity = [Number(least), comma === "" ? Number(least) : most === "" ? Infinity : Number(most)];
      // More would make the automaton large
      if (quantity[0] > MOST_REPEATS || (quantity[1] !== Infinity && quantity[1] > MOST_REPEATS))
        throw new Unsupported();
    } else if (this.#take("*")) quantity = [0, Infinity];
    else if (this.#take("+")) quantity = [1, Infinity];
    else if (this.#take("?")) quantity = [0, 1];
    if (quantity !== null) this.#take("?");
    return quantity;
  }

  #atom(): Expression {
    const character = this.source[this.#at++]!;
    switch (character) {
      case "(": {
        if (this.source[this.#at] === "?") {
          if (!this.source.startsWith("?:", this.#at)) throw new Unsupported();
          this.#at += 2;
        }
        const inner = this.#choice();
        if (!this.#take(")")) throw new Unsupported();
        return inner;
      }
      case "[":
        return { kind: "units", units: this.#class() };
      case ".":
        return { kind: "units", units: this.flags.includes("s") ? [[0, LAST]] : complement(NEWLINES) };
      case "\\":
        return { kind: "units", units: this.#folded(this.#escape()) };
      case "*":
      case "+":
      case "?":
      case "{":
      case "}":
      case "]":
        throw new Unsupported();
      default:
        return { kind: "units", units: this.#folded([unitOf(character)]) };
    }
  }

  #escape(): CodeUnits {
    const character = this.source[this.#at++];
    if (character === undefined) throw new Unsupported();
    if (Object.hasOwn(CLASSES, character)) return CLASSES[character]!;
    if (Object.hasOwn(CONTROLS, character)) return [[CONTROLS[character]!, CONTROLS[character]!]];
    // Letters and digits have other meanings: assertions, references, code points
    if (/[A-Za-z0-9]/.test(character)) throw new Unsupported();
    return [unitOf(character)];
  }

  #class(): CodeUnits {
    const isNegated = this.#take("^");
    const units: (readonly [number, number])[] = [];
    while (!this.#take("]")) {
      const from = this.#classAtom();
      if (this.source[this.#at] !== "-" || this.source[this.#at + 1] === "]") {
        units.push(...from);
        continue;
      }
      this.#at += 1;
      const to = this.#classAtom();
      const [[first, last] = [0, -1], [low, high] = [0, -1]] = [from[0], to[0]];
      if (from.length !== 1 || to.length !== 1 || first !== last || low !== high || low < first)
        throw new Unsupported();
      units.push([first, high]);
    }
    const folded = this.#folded(units);
    return isNegated ? complement(folded) : folded;
  }

  #classAtom(): CodeUnits {
    const character = this.source[this.#at++];
    if (character === undefined) throw new Unsupported();
    if (character !== "\\") return [unitOf(character)];
    // In a class, `\b` is a backspace
    return this.#escape();
  }

  /** With the flag `i`, ASCII letters match in both cases. No other character matches an ASCII letter (22.2.2.7.3). */
  #folded(units: CodeUnits): CodeUnits {
    if (!this.flags.includes("i")) return units;
    const letters = (from: number, by: number) =>
      units.flatMap(([low, high]): [number, number][] => {
        const [least, most] = [Math.max(low, from), Math.min(high, from + 25)];
        return least <= most ? [[least + by, most + by]] : [];
      });
    return [...units, ...letters(0x41, 32), ...letters(0x61, -32)];
  }

  #take(character: string): boolean {
    if (this.source[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }
}

const MOST_REPEATS = 100;

function unitOf(character: string): readonly [number, number] {
  const unit = character.charCodeAt(0);
  return [unit, unit];
}
