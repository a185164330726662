import type { AnyNode, Pattern } from "acorn";
import { isNullish, joined, property, settled, textParts, view } from "./facts.js";
import { computed, hasType, isEqual, isLooselyEqual, truthy, unary } from "./operators.js";
import { notEvaluated, type Path, raise } from "./path.js";
import { Closure, isPrimitive, Native, type NodeOf, Plain, type Scope, Sym, TEXT_TESTS, unknownOf } from "./value.js";

/** What expressions need of statements. */
export interface Evaluation {
  readonly path: Path;
  /** It has the calls whose value the policy drops: the engine looks there for denials that are lost. */
  readonly policy: { readonly dropped: ReadonlySet<AnyNode> };
  call(callee: unknown, given: readonly unknown[]): unknown;
  at(node: AnyNode): void;
}

/** The end of an optional chain. */
class Ended {}

/** The value of an expression. */
export function evaluated(node: AnyNode, scope: Scope, to: Evaluation): unknown {
  const { path } = to;
  if (to.policy.dropped.has(node)) notEvaluated("a call whose value is not used");
  const value = (one: AnyNode) => evaluated(one, scope, to);
  switch (node.type) {
    case "Literal":
      if (node.regex) return expression(path, node.regex);
      return typeof node.value === "bigint" ? notEvaluated("a bigint") : node.value;
    case "Identifier":
      return scope.read(node.name);
    case "TemplateLiteral":
      return joined(
        node.quasis.flatMap(({ value: { cooked } }, index) => [
          cooked ?? notEvaluated("this template"),
          ...(index < node.expressions.length ? textParts(path, value(node.expressions[index]!)) : []),
        ]),
      );
    case "ConditionalExpression":
      return truthy(path, value(node.test)) ? value(node.consequent) : value(node.alternate);
    case "LogicalExpression": {
      const left = value(node.left);
      if (node.operator === "??") return isNullish(path, left) ? value(node.right) : left;
      return truthy(path, left) === (node.operator === "&&") ? value(node.right) : left;
    }
    case "UnaryExpression":
      return unary(path, node.operator, value(node.argument));
    case "BinaryExpression":
      return binary(node, scope, to);
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return new Closure(node, scope);
    case "ObjectExpression":
      return object(node, scope, to);
    case "ArrayExpression":
      return node.elements.map((one) =>
        one === null || one.type === "SpreadElement" ? notEvaluated("`...` or a hole in an array") : value(one),
      );
    case "AssignmentExpression": {
      if (node.operator !== "=" || node.left.type !== "Identifier") break;
      const assigned = value(node.right);
      scope.write(node.left.name, assigned);
      return assigned;
    }
    case "ChainExpression":
      try {
        return value(node.expression);
      } catch (error) {
        if (error instanceof Ended) return undefined;
        throw error;
      }
    case "MemberExpression": {
      const holder = holderOf(node, scope, to);
      const key = keyOf(node, scope, to);
      to.at(node);
      return get(path, holder, key);
    }
    case "CallExpression":
      return called(node, scope, to);
    case "NewExpression": {
      const [of, ...more] = node.arguments.map(value);
      if (value(node.callee) !== SET || !Array.isArray(of) || more.length > 0)
        return notEvaluated("`new` of anything else than a set of an array");
      return new Native("has", ([one]) => of.some((its) => isEqual(path, its, one)));
    }
  }
  return notEvaluated(`the syntax ${node.type}`);
}

/** The constructor of sets. */
export const SET = new Native("", () => notEvaluated("this call"));

function expression(path: Path, { pattern, flags }: { pattern: string; flags: string }): Native {
  if (flags !== "" || !/^[\x20-\x7e]*$/.test(pattern)) return notEvaluated("this regular expression");
  return new Native("test", ([given]) => {
    const its = unknownOf(settled(path, given));
    if (its?.kind === "text") return path.ask({ kind: "regex", of: its.name, text: pattern, flags });
    if (its !== null || !isPrimitive(given)) return notEvaluated("a regular expression and this value");
    return TEXT_TESTS.regex!(String(given), pattern);
  });
}

function binary(node: NodeOf<"BinaryExpression">, scope: Scope, to: Evaluation): unknown {
  const { operator, left, right } = node;
  const { path } = to;
  const isNegated = operator === "!==" || operator === "!=";
  if ((operator === "===" || operator === "!==") && left.type === "UnaryExpression" && left.operator === "typeof")
    if (right.type === "Literal" && typeof right.value === "string")
      return hasType(path, evaluated(left.argument, scope, to), right.value) !== isNegated;
  const [one, other] = [evaluated(left, scope, to), evaluated(right, scope, to)];
  if (operator === "===" || operator === "!==") return isEqual(path, one, other) !== isNegated;
  if (operator === "==" || operator === "!=") return isLooselyEqual(path, one, other) !== isNegated;
  return computed(path, operator, one, other);
}

function object({ properties }: NodeOf<"ObjectExpression">, scope: Scope, to: Evaluation): Plain {
  const made = new Plain();
  for (const one of properties) {
    if (one.type === "SpreadElement" || one.computed || one.kind !== "init") return notEvaluated("this property");
    const key = nameOf(one.key);
    if (key === "__proto__") return notEvaluated("`__proto__`");
    const value = evaluated(one.value, scope, to);
    made.properties.set(key, () => value);
  }
  return made;
}

/** The name of a key that is not computed. */
function nameOf(key: AnyNode): string {
  return key.type === "Identifier" ? key.name : String((key as { value?: unknown }).value);
}

/** The object of a member. An optional one that is null or undefined ends the chain. */
function holderOf(node: NodeOf<"MemberExpression">, scope: Scope, to: Evaluation): unknown {
  const holder = evaluated(node.object, scope, to);
  if (node.optional && isNullish(to.path, holder)) throw new Ended();
  return holder;
}

function keyOf(
  { property: key, computed: isComputed }: NodeOf<"MemberExpression">,
  scope: Scope,
  to: Evaluation,
): string {
  if (!isComputed) return key.type === "Identifier" ? key.name : notEvaluated("a private name");
  const value = settled(to.path, evaluated(key, scope, to));
  if (typeof value === "string") return value;
  return Number.isSafeInteger(value) ? String(value) : notEvaluated("a key that is not known");
}

/** Reads a property (ECMA-262, 13.3.2). */
export function get(path: Path, holder: unknown, key: string): unknown {
  if (isNullish(path, holder)) return raise();
  const its = view(path, holder);
  if (its instanceof Sym) return property(path, its, key);
  if (its instanceof Plain && (its.properties.has(key) || !(key in {}))) return its.properties.get(key)?.();
  if (Array.isArray(its) || typeof its === "string") {
    if (key === "length") return its.length;
    if (/^(?:0|[1-9]\d{0,9})$/.test(key)) return its[Number(key)];
  }
  return notEvaluated(`\`${key}\` of this value`);
}

function called(node: NodeOf<"CallExpression">, scope: Scope, to: Evaluation): unknown {
  const { callee, optional } = node;
  if (optional || callee.type === "Super") return notEvaluated("this call");
  const target = callee.type === "MemberExpression" ? method(callee, scope, to) : evaluated(callee, scope, to);
  const given = node.arguments.map((one) => evaluated(one, scope, to));
  to.at(node);
  return to.call(target, given);
}

function method(node: NodeOf<"MemberExpression">, scope: Scope, to: Evaluation): unknown {
  const holder = settled(to.path, holderOf(node, scope, to));
  const key = keyOf(node, scope, to);
  to.at(node);
  if (typeof holder === "string" || unknownOf(holder)?.kind === "text")
    return (given: readonly unknown[]) => callText(to.path, holder, key, given);
  if (Array.isArray(holder)) return (given: readonly unknown[]) => callArray(to, holder, key, given);
  if (holder instanceof Native && holder.method === key) return holder.call;
  return get(to.path, holder, key);
}

const TESTS = { startsWith: "starts", endsWith: "ends", includes: "includes" } as const;

/** A method of a text. */
function callText(path: Path, holder: unknown, key: string, given: readonly unknown[]): unknown {
  const [text] = given;
  const its = unknownOf(holder);
  if (!Object.hasOwn(TESTS, key) || typeof text !== "string" || given.length !== 1 || its?.kind === "joined")
    return notEvaluated(`\`${key}\` of a text`);
  const kind = TESTS[key as keyof typeof TESTS];
  if (typeof holder === "string") return TEXT_TESTS[kind]!(holder, text);
  return text === "" || path.ask({ kind, of: (its as { name: string }).name, text });
}

/** A method of an array that the policy wrote (ECMA-262, 23.1.3). */
function callArray(to: Evaluation, array: readonly unknown[], key: string, given: readonly unknown[]): unknown {
  const [first, ...more] = given;
  if (more.length > 0) return notEvaluated(`\`${key}\` with more than one argument`);
  if (key === "includes") return array.some((one) => isEqual(to.path, one, first));
  if (key !== "some" && key !== "every") return notEvaluated(`\`${key}\` of an array`);
  if (!(first instanceof Closure)) return notEvaluated("this callback");
  return array[key]((one, index) => truthy(to.path, to.call(first, [one, index, array])));
}

/** Binds the names of a pattern to the parts of a value. */
export function bind(pattern: Pattern, value: unknown, scope: Scope, isConstant: boolean, to: Evaluation): void {
  if (pattern.type === "Identifier") scope.declare(pattern.name, value, isConstant);
  else if (pattern.type === "AssignmentPattern")
    bind(pattern.left, value === undefined ? evaluated(pattern.right, scope, to) : value, scope, isConstant, to);
  else if (pattern.type === "ObjectPattern") {
    to.at(pattern);
    if (isNullish(to.path, value)) raise();
    for (const part of pattern.properties) {
      if (part.type === "RestElement" || part.computed) notEvaluated("this pattern");
      to.at(part);
      bind(part.value, get(to.path, value, nameOf(part.key)), scope, isConstant, to);
    }
  } else notEvaluated(`the syntax ${pattern.type}`);
}
