import type { Path, Tree } from "./document-tree.js";

/** A value with its offset in the text. */
interface PlainNode {
  readonly value: unknown;
  readonly start: number;
  /** See {@link Tree.quote}. */
  readonly quote: number | null;
  /** Of a mapping. */
  readonly entries?: ReadonlyMap<PropertyKey, Entry>;
  /** Of a list. */
  readonly items?: readonly PlainNode[];
}

interface Entry {
  /** Where the key stands. */
  readonly start: number;
  readonly node: PlainNode;
}

/**
 * Reads the usual form of a configuration in a tenth of the time that the YAML parser takes: block mappings and lists, flow
 * collections on one line, scalars on one line without escapes, comments. Returns null for every other text, valid or not;
 * such a text needs the YAML parser. The values and offsets are those that the YAML parser gives.
 */
export function readPlainYaml(text: string): Tree | null {
  if (!PRINTABLE.test(text)) return null;
  try {
    return new PlainTree(new Reader(text).document());
  } catch (error) {
    if (error instanceof NotPlain) return null;
    throw error;
  }
}

class PlainTree implements Tree {
  constructor(private readonly root: PlainNode) {}

  get value(): unknown {
    return this.root.value;
  }

  offset(path: Path, what: "key" | "value"): number {
    let node = this.root;
    for (const [index, step] of path.entries()) {
      const entry = entryOf(node, step);
      if (entry === undefined) break;
      if (what === "key" && index === path.length - 1) return entry.start;
      node = entry.node;
    }
    return node.start;
  }

  quote(path: Path): number | null {
    let node: PlainNode | undefined = this.root;
    for (const step of path) node = node && entryOf(node, step)?.node;
    return node?.quote ?? null;
  }
}

function entryOf({ entries, items }: PlainNode, step: PropertyKey): Entry | undefined {
  const item = items?.[Number(step)];
  return item === undefined ? entries?.get(step) : { start: item.start, node: item };
}

class NotPlain extends Error {}

const PRINTABLE = /^[\n\x20-\x7e]*$/;
/** How deep collections may nest. */
const MAX_DEPTH = 32;

/** Lines without content, and the indentation of the next line. */
const INDENT = /(?: *(?:#.*)?\n)*(?: *#.*)?( *)/y;
const LINE_END = /(?: +#.*| *)(?:\n|$)/y;
const SPACES = / */y;
const DASH = /- (?! )/y;
const KEY = /([A-Za-z_][\w.-]{0,99}):(?= |\n|$)/y;
const QUOTED = /"([^"\\\n]*)"|'([^'\n]*)'/y;
/** Words that are one plain scalar in block and flow collections alike. `scalar` resolves numbers and constants. */
const PLAIN = /(?:[A-Za-z0-9_/]|\.\.?\/)[\w./=@+*-]*(?: [\w./=@+*-]+)*/y;
const INTEGER = /^(?:0|[1-9]\d{0,14})$/;
const CONSTANT = /^(?:null|true|false)$/i;

class Reader {
  #at = 0;
  /** The indentation of the current line. */
  #indent = 0;
  #depth = 0;

  constructor(private readonly text: string) {}

  document(): PlainNode {
    this.#nextLine();
    const root = this.#block();
    if (this.#at < this.text.length) throw new NotPlain();
    return root;
  }

  /** A mapping or a list, from its first line to the first line that does not belong to it. */
  #block(): PlainNode {
    if (this.#at === this.text.length) throw new NotPlain();
    return this.#nested(() => (this.text.startsWith("- ", this.#at) ? this.#blockList() : this.#blockMapping()));
  }

  #blockList(): PlainNode {
    const start = this.#at;
    const indent = this.#indent;
    const items: PlainNode[] = [];
    while (this.#indent === indent && this.#take(DASH) !== null) {
      // the first key of a mapping can be on the line of the dash
      this.#indent = indent + 2;
      if (this.#sees(KEY)) items.push(this.#nested(() => this.#blockMapping()));
      else items.push(this.#line());
    }
    this.#refuseDeeper(indent);
    return listOf(start, items);
  }

  #blockMapping(): PlainNode {
    const start = this.#at;
    const indent = this.#indent;
    const mapping = new Mapping(start);
    while (this.#indent === indent && this.#at < this.text.length && !this.text.startsWith("- ", this.#at)) {
      const key = this.#at;
      const name = this.#need(KEY);
      mapping.add(name, key, this.#valueOf(indent));
    }
    this.#refuseDeeper(indent);
    return mapping.node;
  }

  /** The value of a key, on the key's line or on those below. */
  #valueOf(indent: number): PlainNode {
    if (this.#take(LINE_END) === null) return this.#line();
    this.#nextLine();
    const isList = this.text.startsWith("- ", this.#at);
    if (this.#indent > indent || (this.#indent === indent && isList)) return this.#block();
    throw new NotPlain();
  }

  /** A value that is the rest of a line. */
  #line(): PlainNode {
    this.#take(SPACES);
    const value = this.#inline();
    this.#need(LINE_END);
    this.#nextLine();
    return value;
  }

  #inline(): PlainNode {
    const first = this.text[this.#at];
    if (first === "[") return this.#nested(() => this.#flowList());
    if (first === "{") return this.#nested(() => this.#flowMapping());
    const start = this.#at;
    const quoted = this.#take(QUOTED);
    if (quoted !== null) return { value: quoted, start, quote: /['"]/.test(quoted) ? null : 1 };
    return { value: scalar(this.#need(PLAIN)), start, quote: 0 };
  }

  #flowList(): PlainNode {
    const start = this.#at;
    const items: PlainNode[] = [];
    this.#flow("]", () => items.push(this.#inline()));
    return listOf(start, items);
  }

  #flowMapping(): PlainNode {
    const mapping = new Mapping(this.#at);
    this.#flow("}", () => {
      const key = this.#at;
      const name = this.#need(KEY);
      this.#take(SPACES);
      mapping.add(name, key, this.#inline());
    });
    return mapping.node;
  }

  /** The elements of a flow collection, separated by commas. */
  #flow(end: string, element: () => void): void {
    this.#skip();
    while (this.text[this.#at] !== end) {
      element();
      this.#take(SPACES);
      if (this.text[this.#at] === end) break;
      if (this.text[this.#at] !== ",") throw new NotPlain();
      this.#skip();
    }
    this.#at++;
  }

  /** Passes one character, and the spaces after it. */
  #skip(): void {
    this.#at++;
    this.#take(SPACES);
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new NotPlain();
    const result = read();
    this.#depth--;
    return result;
  }

  #nextLine(): void {
    this.#indent = this.#need(INDENT).length;
  }

  /** A line that is indented more than the block before it continues a scalar, or is an error. */
  #refuseDeeper(indent: number): void {
    if (this.#at < this.text.length && this.#indent > indent) throw new NotPlain();
  }

  #sees(token: RegExp): boolean {
    token.lastIndex = this.#at;
    return token.test(this.text);
  }

  #need(token: RegExp): string {
    const found = this.#take(token);
    if (found === null) throw new NotPlain();
    return found;
  }

  /** Consumes a token. Returns its text, or its capture if it has one; null if it does not match here. */
  #take(token: RegExp): string | null {
    token.lastIndex = this.#at;
    const found = token.exec(this.text);
    if (found === null) return null;
    this.#at = token.lastIndex;
    return found[1] ?? found[2] ?? found[0];
  }
}

class Mapping {
  readonly node: PlainNode;
  readonly #value: Record<string, unknown> = {};
  readonly #entries = new Map<PropertyKey, Entry>();

  constructor(start: number) {
    this.node = { value: this.#value, start, quote: null, entries: this.#entries };
  }

  add(name: string, start: number, node: PlainNode): void {
    // a duplicate key, or a name of Object.prototype
    if (name in this.#value || CONSTANT.test(name)) throw new NotPlain();
    this.#value[name] = node.value;
    this.#entries.set(name, { start, node });
  }
}

function listOf(start: number, items: readonly PlainNode[]): PlainNode {
  return { value: items.map(({ value }) => value), start, quote: null, items };
}

/** By the core schema of YAML 1.2. */
function scalar(text: string): unknown {
  if (text === "true") return true;
  if (text === "false") return false;
  if (INTEGER.test(text)) return Number(text);
  // another notation of a number or constant
  if (CONSTANT.test(text) || !Number.isNaN(Number(text))) throw new NotPlain();
  return text;
}
