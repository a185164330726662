/** A way into a document: keys and indexes. */
export type Path = readonly PropertyKey[];

/** What a plain document holds, and where each entry of its collections stands. */
export interface Plain {
  readonly value: unknown;
  /** Offset of a list's item or of a mapping's key; undefined for everything else. */
  offset(path: Path, what: "key" | "value"): number | undefined;
}

/**
 * Reads the part of YAML that most configurations are written in: mappings and lists by indentation, plain or quoted words,
 * `[lists]` and `{mappings: such}` on one line, comments. Null for any document that has anything else in it, right or wrong,
 * which the yaml package then reads. It is many times faster, for the part is so small that nothing in it means two things: a
 * test holds it against that package.
 */
export function readPlain(text: string): Plain | null {
  if (!/^[\n\x20-\x7e]*$/.test(text)) return null;
  try {
    return new Reader(text.endsWith("\n") ? text : `${text}\n`).document();
  } catch (error) {
    if (error instanceof NotPlain) return null;
    throw error;
  }
}

class NotPlain extends Error {}

const BLANK = / *(?:#.*)?\n/y;
const INDENT = / */y;
const ITEM = /- (?! )/y;
const KEY = /([A-Za-z_][A-Za-z0-9_.-]{0,127}):(?: +|(?=\n))/y;
/** Behind a key that has no value on its line. */
const NOTHING = /(?:#.*)?\n/y;
/** Behind a value. */
const END = /(?: +#.*| *)\n/y;
const QUOTED = /"([^"\\\n]*)"|'([^'\n]*)'/y;
const WORDS = /[A-Za-z0-9_./][A-Za-z0-9_./=()!@+*?~,-]*(?: [A-Za-z0-9_./=()!@+*?~,-]+)*/y;
const WORDS_IN_FLOW = /[A-Za-z0-9_./][A-Za-z0-9_./=()!@+*?~-]*(?: [A-Za-z0-9_./=()!@+*?~-]+)*/y;
const COMMA = / *, */y;
const SPACES = / */y;

/** Words that are text wherever they stand: names, paths, sizes, durations and ranges. */
const TEXT = /^(?:[A-Za-z_/]|\.\.?\/)|^[0-9]+(?:B|KiB|MiB|GiB|ms|s|m|h|-[0-9]+)$/;
const NUMBER = /^(?:0|[1-9][0-9]{0,14})$/;
/** What would be no text, or not in every version of YAML, or not as an object's key. */
const OTHER = /^(?:null|true|false|yes|no|on|off|y|n|__proto__)$/i;
const MAX_DEPTH = 16;

class Reader {
  /** Offset of what is read next, and on which column of its line that is; -1 at the end. */
  private at = 0;
  private column = 0;
  private depth = 0;
  private readonly marks = new Map<object, readonly number[]>();

  constructor(private readonly text: string) {}

  document(): Plain {
    this.nextLine();
    if (this.column > 0) throw new NotPlain();
    const value = this.block();
    if (this.at < this.text.length) throw new NotPlain();
    return { value, offset: (path, what) => this.offset(value, path, what) };
  }

  private offset(value: unknown, path: Path, what: "key" | "value"): number | undefined {
    let at = value as Record<PropertyKey, unknown>;
    for (const step of path.slice(0, -1)) at = at[step] as typeof at;
    const last = path.at(-1);
    if (Array.isArray(at)) return this.marks.get(at)?.[Number(last)];
    return what === "key" ? this.marks.get(at)?.[Object.keys(at).indexOf(String(last))] : undefined;
  }

  /** A list or a mapping, as far as its lines begin on the present column. */
  private block(): object {
    if (++this.depth > MAX_DEPTH) throw new NotPlain();
    const made = this.text[this.at] === "-" ? this.list(this.column) : this.mapping(this.column);
    this.depth--;
    return made;
  }

  private list(column: number): object {
    const items: unknown[] = [];
    const marks: number[] = [];
    while (this.column === column && this.take(ITEM)) {
      this.column += 2;
      marks.push(this.at);
      items.push(this.finds(KEY) ? this.block() : this.line(column));
    }
    this.marks.set(items, marks);
    return items;
  }

  private mapping(column: number): object {
    const made: Record<string, unknown> = {};
    const marks: number[] = [];
    while (this.column === column && this.finds(KEY)) {
      marks.push(this.at);
      const key = this.key(made);
      made[key] = this.take(NOTHING) ? this.below(column) : this.line(column);
    }
    if (marks.length === 0) throw new NotPlain();
    this.marks.set(made, marks);
    return made;
  }

  private key(made: object): string {
    const key = this.take(KEY)?.[1];
    if (key === undefined || OTHER.test(key) || Object.hasOwn(made, key)) throw new NotPlain();
    return key;
  }

  /** The value of a key that has nothing on its own line. */
  private below(column: number): object {
    this.nextLine();
    if (this.column > column || (this.column === column && this.finds(ITEM))) return this.block();
    throw new NotPlain();
  }

  /** A value that ends with its line, and does not go on below. */
  private line(column: number): unknown {
    const value = this.value(WORDS);
    if (!this.take(END)) throw new NotPlain();
    this.nextLine();
    if (this.column > column) throw new NotPlain();
    return value;
  }

  private value(words: RegExp): unknown {
    const first = this.text[this.at];
    if (first === "[" || first === "{") return this.flow(first);
    const quoted = this.take(QUOTED);
    if (quoted !== null) return quoted[1] ?? quoted[2];
    const word = this.take(words)?.[0] ?? "";
    if (word === "true" || word === "false") return word === "true";
    if (NUMBER.test(word)) return Number(word);
    if (TEXT.test(word) && !OTHER.test(word)) return word;
    throw new NotPlain();
  }

  private flow(open: "[" | "{"): object {
    if (++this.depth > MAX_DEPTH) throw new NotPlain();
    const [made, close]: [object, string] = open === "[" ? [[], "]"] : [{}, "}"];
    const marks: number[] = [];
    this.at++;
    this.take(SPACES);
    while (this.text[this.at] !== close) {
      if (marks.length > 0 && !this.take(COMMA)) throw new NotPlain();
      marks.push(this.at);
      const key = open === "[" ? marks.length - 1 : this.key(made);
      (made as Record<PropertyKey, unknown>)[key] = this.value(WORDS_IN_FLOW);
      this.take(SPACES);
    }
    this.at++;
    this.marks.set(made, marks);
    this.depth--;
    return made;
  }

  private nextLine(): void {
    while (this.take(BLANK)) {}
    this.column = this.take(INDENT)![0].length;
    if (this.at === this.text.length) this.column = -1;
  }

  private finds(what: RegExp): boolean {
    what.lastIndex = this.at;
    return what.test(this.text);
  }

  /** Goes on behind what stands here, or stays. */
  private take(what: RegExp): RegExpExecArray | null {
    what.lastIndex = this.at;
    const found = what.exec(this.text);
    if (found !== null) this.at = what.lastIndex;
    return found;
  }
}
