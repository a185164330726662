import type { AnyNode, CallExpression, Identifier } from "acorn";
import { isFacts } from "../../../policy/model/fact-kinds.js";
import { GUEST_CONSTANTS, GUEST_FUNCTIONS } from "../../../policy/model/guest.js";
import { type FunctionNode, isFunction } from "../../../policy/syntax/nodes.js";
import type { Variable } from "../../../policy/syntax/variable.js";
import { calledHelper } from "../../../policy/units/called-helper.js";
import type { FactFlow } from "../../../policy/units/fact-flow.js";
import { staticName } from "../../../policy/units/property-names.js";
import type { Unit } from "../../../policy/units/units.js";
import type { Completion } from "./completion.js";

/**
 * A kind of value. `negative` is an errno from -4095 to -1, `verdict` 0 or such an errno, `magnitude` a verdict with
 * the other sign, `fraction` a number that is no verdict and not positive, `number` any number.
 */
export type ValueKind =
  | ("zero" | "negative" | "positive" | "verdict" | "magnitude" | "fraction" | "number")
  | ("string" | "boolean" | "null" | "undefined" | "object" | "function" | "bigint" | "unknown");
export type Kinds = ReadonlySet<ValueKind>;

const UNKNOWN: Kinds = new Set(["unknown"]);
const one = (kind: ValueKind): Kinds => new Set([kind]);

const MAX_DEPTH = 40;
const NUMBERS: Kinds = new Set<ValueKind>([
  "zero",
  "negative",
  "positive",
  "verdict",
  "magnitude",
  "fraction",
  "number",
]);

export const isNumber = (kind: ValueKind): boolean => NUMBERS.has(kind);

/** The kinds of what each helper returns. */
const RESULTS: Readonly<Record<keyof typeof GUEST_FUNCTIONS, readonly ValueKind[]>> = {
  verify_signature: ["verdict"],
  verify_program: ["verdict"],
  statement_of: ["object", "null"],
  signer_of: ["object", "null"],
  hash: ["string"],
  map_lookup: ["unknown"],
  map_update: ["verdict"],
  map_delete: ["verdict"],
  deny: ["negative"],
  note: ["undefined"],
  read: ["object"],
};

/** Methods of strings and lists, by what they return. */
const METHODS: Readonly<Record<string, ValueKind>> = {
  ...Object.fromEntries("includes startsWith endsWith some every".split(" ").map((name) => [name, "boolean"])),
  ...Object.fromEntries("indexOf lastIndexOf findIndex findLastIndex".split(" ").map((name) => [name, "number"])),
  ...Object.fromEntries("join toLowerCase toUpperCase trim padStart padEnd".split(" ").map((name) => [name, "string"])),
  ...Object.fromEntries("map filter flatMap toSorted toReversed split".split(" ").map((name) => [name, "object"])),
};
const GLOBALS: Readonly<Record<string, ValueKind>> = {
  String: "string",
  Boolean: "boolean",
  Number: "number",
  parseInt: "number",
  parseFloat: "number",
  isNaN: "boolean",
  isFinite: "boolean",
};
const COMPARISONS: ReadonlySet<string> = new Set("== != === !== < <= > >= in instanceof".split(" "));
const ARITHMETIC: ReadonlySet<string> = new Set("- * / % ** & | ^ << >> >>>".split(" "));

/** What kinds of values expressions of one file can have. */
export class Values {
  readonly #known = new Map<AnyNode | Variable, Kinds>();

  constructor(
    private readonly unit: Unit,
    private readonly flow: FactFlow,
    private readonly completion: Completion,
  ) {}

  /** The kinds of an expression's value. It has `unknown` if the value can be of any kind. */
  of(node: AnyNode, depth = 0): Kinds {
    return this.#remember(node, depth, () => this.#find(node, depth + 1));
  }

  /** The kinds of what a function returns. */
  returned(node: FunctionNode, depth = 0): Kinds {
    if (node.generator) return one("object");
    if (node.body.type !== "BlockStatement") return this.of(node.body, depth);
    const kinds = new Set<ValueKind>(this.completion.reachesEnd(node) ? ["undefined"] : []);
    for (const { argument } of this.unit.source.tree.returns.get(node) ?? [])
      for (const kind of argument ? this.of(argument, depth) : one("undefined")) kinds.add(kind);
    return kinds;
  }

  /** Whether an expression has only the given kinds. */
  isOnly(node: AnyNode, ...kinds: readonly ValueKind[]): boolean {
    return [...this.of(node)].every((kind) => kinds.includes(kind));
  }

  #find(node: AnyNode, depth: number): Kinds {
    switch (node.type) {
      case "Literal":
        return one(kindOfLiteral(node.value, "regex" in node && node.regex !== undefined));
      case "TemplateLiteral":
        return one("string");
      case "ArrayExpression":
      case "ObjectExpression":
      case "NewExpression":
        return one("object");
      case "FunctionExpression":
      case "ArrowFunctionExpression":
      case "ClassExpression":
        return one("function");
      case "Identifier":
        return this.#ofIdentifier(node, depth);
      case "SequenceExpression":
        return this.of(node.expressions.at(-1)!, depth);
      case "AssignmentExpression":
        return node.operator === "=" ? this.of(node.right, depth) : UNKNOWN;
      case "ConditionalExpression":
        return union(this.of(node.consequent, depth), this.of(node.alternate, depth));
      case "LogicalExpression":
        return union(LEFT[node.operator](this.of(node.left, depth)), this.of(node.right, depth));
      case "UnaryExpression":
        return this.#ofUnary(node.operator, node.argument, depth);
      case "BinaryExpression":
        if (COMPARISONS.has(node.operator)) return one("boolean");
        return this.#ofArithmetic(node.operator, node.left, node.right, depth);
      case "ChainExpression": {
        const kinds = this.of(node.expression, depth);
        return kinds.has("unknown") ? kinds : union(kinds, one("undefined"));
      }
      case "MemberExpression":
      case "CallExpression":
        return this.#ofFact(node) ?? (node.type === "CallExpression" ? this.#ofCall(node, depth) : UNKNOWN);
      default:
        return UNKNOWN;
    }
  }

  /** The kinds of a fact, by its declaration; null for anything else. */
  #ofFact(node: AnyNode): Kinds | null {
    if (node.type === "MemberExpression" && staticName(node.property, node.computed) === "length") {
      const of = this.flow.kindOf(node.object);
      if (of === "string" || of?.endsWith("[]")) return one("number");
    }
    const kind = this.flow.kindOf(node);
    if (kind === null || kind.startsWith("#") || kind === "scalar") return null;
    const isObject = kind === "record" || kind.endsWith("[]") || isFacts(kind);
    const value: ValueKind = isObject ? "object" : (kind as "string" | "number" | "boolean");
    const kinds = new Set<ValueKind>([value]);
    if (this.flow.nullableOf(node) !== null) kinds.add("null");
    if (this.flow.isElement(node)) kinds.add("undefined");
    return kinds;
  }

  #ofIdentifier(node: Identifier, depth: number): Kinds {
    const variable = this.unit.variables.meant(node);
    if (variable === undefined) {
      if (node.name === "undefined") return one("undefined");
      return node.name === "NaN" || node.name === "Infinity" ? one("fraction") : UNKNOWN;
    }
    const guest = calledHelper(node, this.unit);
    if (guest !== null) {
      if (Object.hasOwn(GUEST_FUNCTIONS, guest)) return one("function");
      if (Object.hasOwn(GUEST_CONSTANTS, guest)) return one(kindOfLiteral(GUEST_CONSTANTS[guest]));
      return UNKNOWN;
    }
    // The fact that a variable holds does not say whether it was read by `?.`; the expression does.
    const kinds = this.#ofVariable(variable, depth);
    return kinds.has("unknown") ? (this.#ofFact(node) ?? kinds) : kinds;
  }

  #ofVariable(variable: Variable, depth: number): Kinds {
    // A declaration without a value is written without a known value.
    if (variable.isOpaque || variable.values.length === 0 || variable.values.length < variable.writes) return UNKNOWN;
    return this.#remember(variable, depth, () =>
      union(
        ...(variable.isVar ? [one("undefined")] : []),
        ...variable.values.map((value) => {
          if (!("expression" in value)) return UNKNOWN;
          return isFunction(value.expression) ? one("function") : this.of(value.expression, depth + 1);
        }),
      ),
    );
  }

  #ofUnary(operator: string, argument: AnyNode, depth: number): Kinds {
    switch (operator) {
      case "!":
      case "delete":
        return one("boolean");
      case "typeof":
        return one("string");
      case "void":
        return one("undefined");
      case "-":
        return new Set(Array.from(this.of(argument, depth), (kind) => NEGATED[kind] ?? "number"));
      default:
        return one("number");
    }
  }

  #ofArithmetic(operator: string, left: AnyNode, right: AnyNode, depth: number): Kinds {
    const kinds = [this.of(left, depth), this.of(right, depth)];
    if (operator === "+" && kinds.some((of) => of.size === 1 && of.has("string"))) return one("string");
    const isNumeric = kinds.every((of) => [...of].every(isNumber));
    return isNumeric && (operator === "+" || ARITHMETIC.has(operator)) ? one("number") : UNKNOWN;
  }

  #ofCall({ callee }: CallExpression, depth: number): Kinds {
    const helper = calledHelper(callee, this.unit);
    if (helper !== null)
      return Object.hasOwn(RESULTS, helper) ? new Set(RESULTS[helper as keyof typeof RESULTS]) : UNKNOWN;
    if (callee.type === "Identifier") {
      const variable = this.unit.variables.meant(callee);
      if (variable === undefined) return Object.hasOwn(GLOBALS, callee.name) ? one(GLOBALS[callee.name]!) : UNKNOWN;
      const [value] = variable.values;
      if (variable.isOpaque || variable.writes !== 1 || value === undefined || !("expression" in value)) return UNKNOWN;
      return isFunction(value.expression) && depth < MAX_DEPTH ? this.returned(value.expression, depth + 1) : UNKNOWN;
    }
    if (callee.type !== "MemberExpression") return UNKNOWN;
    const method = staticName(callee.property, callee.computed) ?? "";
    if (!Object.hasOwn(METHODS, method)) return UNKNOWN;
    // An object of the policy can have a method of that name.
    const isText = this.isOnly(callee.object, "string") || callee.object.type === "ArrayExpression";
    return isText || this.flow.kindOf(callee.object)?.endsWith("[]") ? one(METHODS[method]!) : UNKNOWN;
  }

  #remember(key: AnyNode | Variable, depth: number, find: () => Kinds): Kinds {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) return UNKNOWN;
    // A value that depends on itself is unknown.
    this.#known.set(key, UNKNOWN);
    const kinds = find();
    this.#known.set(key, kinds);
    return kinds;
  }
}

function kindOfLiteral(value: unknown, isRegExp = false): ValueKind {
  if (isRegExp) return "object";
  if (value === null) return "null";
  if (typeof value !== "number") return typeof value as "string" | "boolean" | "bigint";
  if (!Number.isInteger(value)) return "fraction";
  return value === 0 ? "zero" : value > 0 ? "positive" : "negative";
}

const NEGATED: Readonly<Partial<Record<ValueKind, ValueKind>>> = {
  zero: "zero",
  positive: "negative",
  negative: "positive",
  verdict: "magnitude",
  magnitude: "verdict",
  fraction: "fraction",
  unknown: "unknown",
  bigint: "bigint",
};

/** What the left operand of a logical operator contributes: its false, true or present values. */
const LEFT: Readonly<Record<"&&" | "||" | "??", (kinds: Kinds) => Kinds>> = {
  "&&": (kinds) => mapped(kinds, FALSE_PART),
  "||": (kinds) => mapped(kinds, TRUE_PART),
  "??": (kinds) => mapped(kinds, { null: null, undefined: null }),
};
const FALSE_PART: Partial<Record<ValueKind, ValueKind | null>> = {
  ...{ object: null, function: null, negative: null, positive: null },
  ...{ verdict: "zero", magnitude: "zero", number: "zero" },
};
const TRUE_PART: Partial<Record<ValueKind, ValueKind | null>> = {
  ...{ null: null, undefined: null, zero: null },
  ...{ verdict: "negative", magnitude: "positive" },
};

function mapped(kinds: Kinds, to: Partial<Record<ValueKind, ValueKind | null>>): Kinds {
  const result = new Set<ValueKind>();
  for (const kind of kinds) {
    const other = to[kind];
    if (other !== null) result.add(other ?? kind);
  }
  return result;
}

function union(...all: readonly Kinds[]): Kinds {
  return new Set(all.flatMap((kinds) => [...kinds]));
}
