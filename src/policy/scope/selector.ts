import { CountersignError } from "../../error.js";

export type Labels = Readonly<Record<string, string>>;

/**
 * A Kubernetes label selector (k8s.io/apimachinery/pkg/labels, the grammar above `Parse`): requirements joined by
 * commas, all of which must match. The empty selector matches everything.
 *
 *     tier in (edge, prod), app=web, zone!=a, env notin (dev), gpu, !debug, priority>5, priority<9
 */
export class Selector {
  private constructor(
    readonly text: string,
    private readonly requirements: readonly Requirement[],
  ) {}

  /** Throws SELECTOR_INVALID, whose place is `column N` (from 1). Unlike Kubernetes it rejects a NUL. */
  static parse(text: string): Selector {
    if (text.length > MAX_LENGTH) throw invalid(MAX_LENGTH, `is longer than ${MAX_LENGTH} characters`);
    return new Selector(text, new Parser(text).requirements());
  }

  /** The keys of the labels that the selector tests. */
  get keys(): readonly string[] {
    return this.requirements.map(({ key }) => key);
  }

  /** The key of a label that can never satisfy all requirements about it; null if there is none. */
  get contradiction(): string | null {
    for (const key of new Set(this.keys)) {
      const all = this.requirements.filter((requirement) => requirement.key === key);
      if (!isSatisfiable(all)) return key;
    }
    return null;
  }

  matches(labels: Labels): boolean {
    return this.requirements.every(({ key, operator, values }) =>
      MATCH[operator](Object.hasOwn(labels, key) ? labels[key] : undefined, values),
    );
  }
}

/** Whether a label, or its absence, can satisfy all requirements. Says yes where numbers make it hard to tell. */
function isSatisfiable(requirements: readonly Requirement[]): boolean {
  const satisfies = (value: string | undefined) =>
    requirements.every(({ operator, values }) => MATCH[operator](value, values));
  if (satisfies(undefined)) return true;
  const listed = requirements.find(({ operator }) => operator === "in");
  if (listed !== undefined) return [...listed.values].some(satisfies);
  if (requirements.some(({ operator }) => operator === "absent")) return false;
  const bounds = (wanted: Operator) =>
    requirements.flatMap(({ operator, values }) => (operator === wanted ? (int64([...values][0]) ?? []) : []));
  return bounds(">").every((low) => bounds("<").every((high) => low + 1n < high));
}

const MAX_LENGTH = 16_384;

interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: ReadonlySet<string>;
}

type Operator = "in" | "notin" | "exists" | "absent" | ">" | "<";

/** Whether a label's value satisfies a requirement (Requirement.Matches); undefined if the label is missing. */
const MATCH: Readonly<Record<Operator, (value: string | undefined, values: ReadonlySet<string>) => boolean>> = {
  in: (value, values) => value !== undefined && values.has(value),
  notin: (value, values) => value === undefined || !values.has(value),
  exists: (value) => value !== undefined,
  absent: (value) => value === undefined,
  ">": (value, values) => ordered(value, values, (a, b) => a > b),
  "<": (value, values) => ordered(value, values, (a, b) => a < b),
};

function ordered(value: string | undefined, values: ReadonlySet<string>, holds: (a: bigint, b: bigint) => boolean) {
  const [bound] = values;
  const left = int64(value);
  const right = int64(bound);
  return left !== null && right !== null && holds(left, right);
}

/** Like Go's strconv.ParseInt(text, 10, 64); null for an error. */
function int64(text: string | undefined): bigint | null {
  if (text === undefined || !/^[+-]?[0-9]{1,40}$/.test(text)) return null;
  const value = BigInt(text.replace(/^\+/, ""));
  return BigInt.asIntN(64, value) === value ? value : null;
}

/** Operators between a key and its values. `=`, `==` and `!=` take a set of one. */
const BINARY: ReadonlyMap<string, Operator> = new Map([
  ["=", "in"],
  ["==", "in"],
  ["!=", "notin"],
  ["in", "in"],
  ["notin", "notin"],
  [">", ">"],
  ["<", "<"],
]);

interface Token {
  /** The text of the token; empty at the end. */
  readonly text: string;
  readonly word: boolean;
  /** Column of the first character, from 1. */
  readonly column: number;
}

class Parser {
  private readonly tokens: readonly Token[];
  private position = 0;

  constructor(text: string) {
    const nul = text.indexOf("\0");
    if (nul !== -1) throw invalid(nul + 1, "contains a NUL");
    this.tokens = [
      ...Array.from(text.matchAll(/==|!=|[=!(),<>]|[^=!(),<>\s]+|[^\S \t\r\n]/g), (match) => ({
        text: match[0],
        word: !/^[=!(),<>]/.test(match[0]),
        column: match.index + 1,
      })),
      { text: "", word: false, column: text.length + 1 },
    ];
  }

  requirements(): Requirement[] {
    const found: Requirement[] = [];
    if (this.at("")) return found;
    for (;;) {
      found.push(this.requirement());
      if (this.at("")) return found;
      this.expect(",");
    }
  }

  private requirement(): Requirement {
    const absent = this.take("!");
    const key = this.word("a label's key");
    checkKey(key);
    if (absent) return { key: key.text, operator: "absent", values: new Set() };
    if (this.at("") || this.at(",")) return { key: key.text, operator: "exists", values: new Set() };
    const token = this.next();
    const operator = BINARY.get(token.text);
    if (operator === undefined) throw unexpected(token, "`=`, `==`, `!=`, `in`, `notin`, `>` or `<`");
    const values = token.word ? this.set() : [this.value()];
    for (const value of values) checkValue(value);
    if ((operator === ">" || operator === "<") && int64(values[0]?.text) === null)
      throw invalid(values[0]?.column ?? token.column, `\`${operator}\` compares with an integer`);
    return { key: key.text, operator, values: new Set(values.map((value) => value.text)) };
  }

  /** The value after `=`. A missing value is the empty string. */
  private value(): Token {
    const token = this.peek();
    return token.text === "" || token.text === "," ? { ...token, text: "", word: true } : this.word("a label's value");
  }

  /** `(a, b)`. A missing element is the empty string; `()` has one such element. */
  private set(): Token[] {
    this.expect("(");
    const values: Token[] = [];
    for (;;) {
      const token = this.peek();
      const missing = token.text === "," || token.text === ")";
      values.push(missing ? { ...token, text: "", word: true } : this.word("a label's value, `,` or `)`"));
      if (this.take(")")) return values;
      this.expect(",", "`,` or `)`");
    }
  }

  private peek(): Token {
    return this.tokens[this.position] as Token;
  }

  private next(): Token {
    const token = this.peek();
    if (token.text !== "") this.position += 1;
    return token;
  }

  private at(text: string): boolean {
    return this.peek().text === text;
  }

  private take(text: string): boolean {
    const there = this.at(text);
    if (there) this.position += 1;
    return there;
  }

  private expect(text: string, what = `\`${text}\``): void {
    if (!this.take(text)) throw unexpected(this.peek(), what);
  }

  private word(what: string): Token {
    const token = this.next();
    if (!token.word) throw unexpected(token, what);
    return token;
  }
}

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Checks a key: `name` of at most 63 characters, or `dns.prefix/name` (253; apimachinery's IsQualifiedName). */
function checkKey({ text, column }: Token): void {
  const slash = text.indexOf("/");
  const prefix = slash === -1 ? null : text.slice(0, slash);
  const name = text.slice(slash + 1);
  if (prefix !== null && (prefix.length > 253 || !DNS_SUBDOMAIN.test(prefix)))
    throw invalid(column, `the prefix of \`${text}\` is not a DNS name of at most 253 characters`);
  if (name.length > 63 || !NAME.test(name))
    throw invalid(
      column,
      `\`${name}\` is not a label's key: at most 63 of A-Z a-z 0-9 - _ . between letters or digits`,
    );
}

function checkValue({ text, column }: Token): void {
  if (text !== "" && (text.length > 63 || !NAME.test(text)))
    throw invalid(
      column,
      `\`${text}\` is not a label's value: at most 63 of A-Z a-z 0-9 - _ . between letters or digits`,
    );
}

function unexpected(token: Token, expected: string): CountersignError {
  return invalid(token.column, `${token.text === "" ? "the end" : `\`${token.text}\``} where ${expected} was expected`);
}

function invalid(column: number, message: string): CountersignError {
  return new CountersignError("SELECTOR_INVALID", message, {
    place: `column ${column}`,
    remedy: "write it as kubectl takes it, such as `tier in (edge, prod), !debug`",
  });
}
