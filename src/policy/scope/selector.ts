import { CountersignError } from "../../error.js";
import { int64, type LabelCondition, labelHolds, type TaskCondition } from "./task-condition.js";

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
    return this.requirements.every((one) =>
      satisfies(one, Object.hasOwn(labels, one.key) ? labels[one.key] : undefined),
    );
  }

  /** The same as a condition on a task whose labels are known. */
  get condition(): TaskCondition {
    return { all: this.requirements.map(({ test, is }) => (is ? test : { not: test })) };
  }
}

/** Whether a label, or its absence, can satisfy all requirements. Says yes where numbers make it hard to tell. */
function isSatisfiable(requirements: readonly Requirement[]): boolean {
  const all = (value: string | undefined) => requirements.every((requirement) => satisfies(requirement, value));
  if (all(undefined)) return true;
  const listed = requirements.find(({ operator }) => operator === "in");
  if (listed !== undefined) return [...listed.values].some(all);
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
  /** What is tested of the label, and the result with which the requirement matches. */
  readonly test: LabelCondition;
  readonly is: boolean;
}

type Operator = "in" | "notin" | "exists" | "absent" | ">" | "<";

/** How an operator tests a label's value (Requirement.Matches of apimachinery). */
const TESTS: Readonly<Record<Operator, readonly [test: LabelCondition["is"], is: boolean]>> = {
  in: ["among", true],
  notin: ["among", false],
  exists: ["present", true],
  absent: ["present", false],
  ">": ["above", true],
  "<": ["below", true],
};

function requirementOf(key: string, operator: Operator, values: ReadonlySet<string>): Requirement {
  const [test, is] = TESTS[operator];
  const [limit = ""] = values;
  const condition: LabelCondition =
    test === "present"
      ? { label: key, is: test }
      : test === "among"
        ? { label: key, is: test, values: [...values] }
        : { label: key, is: test, limit };
  return { key, operator, values, test: condition, is };
}

function satisfies({ test, is }: Requirement, value: string | undefined): boolean {
  return labelHolds(test, value) === is;
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
    if (absent) return requirementOf(key.text, "absent", new Set());
    if (this.at("") || this.at(",")) return requirementOf(key.text, "exists", new Set());
    const token = this.next();
    const operator = BINARY.get(token.text);
    if (operator === undefined) throw unexpected(token, "`=`, `==`, `!=`, `in`, `notin`, `>` or `<`");
    const values = token.word ? this.set() : [this.value()];
    for (const value of values) checkValue(value);
    if ((operator === ">" || operator === "<") && int64(values[0]?.text) === null)
      throw invalid(values[0]?.column ?? token.column, `\`${operator}\` compares with an integer`);
    return requirementOf(key.text, operator, new Set(values.map((value) => value.text)));
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
