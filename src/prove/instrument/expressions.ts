import type {
  AnyNode,
  AssignmentExpression,
  CallExpression,
  Expression,
  Literal,
  MemberExpression,
  Property,
  SpreadElement,
} from "acorn";
import type { ByKind } from "../../policy/syntax/nodes.js";
import { parseExpression } from "../texts/regular-expression.js";
import { functionText } from "./functions.js";
import { group, nameOf } from "./patterns.js";
import type { Writer } from "./writer.js";

/** How each expression is written; a missing one is not decided. */
export const EXPRESSIONS: ByKind<[Writer], string> = {
  Identifier: (node, to) => (node.name === "arguments" ? to.notDecided(node, "`arguments`") : node.name),
  Literal: ({ raw, value, ...node }, to) =>
    "regex" in node && node.regex ? pattern(node as never, node.regex, to) : (raw ?? JSON.stringify(value)),
  ThisExpression: () => "this",
  ParenthesizedExpression: ({ expression }, to) => group(to.expression(expression)),
  SequenceExpression: ({ expressions }, to) => group(expressions.map((one) => to.expression(one)).join()),
  ArrayExpression(node, to) {
    const { elements } = node;
    // Methods of arrays leave holes out
    if (elements.includes(null)) return to.notDecided(node, "a hole of an array");
    const isSpread = elements.some((one) => one?.type === "SpreadElement");
    const written = elements.map((one) => (isSpread ? part(one!, to) : element(one!, to)));
    return isSpread ? to.call("array", node, `[${written.join()}]`) : `[${written.join()}]`;
  },
  ObjectExpression(node, to) {
    const parts = node.properties.map((one) => {
      if (one.type === "SpreadElement") return `...${to.call("properties", one, to.expression(one.argument))}`;
      return property(one, to);
    });
    return `({${parts.join()}})`;
  },
  FunctionExpression: (node, to) => functionText(node, to),
  ArrowFunctionExpression: (node, to) => functionText(node, to),
  UnaryExpression(node, to) {
    const { operator, argument } = node;
    if (operator === "!") return `!${to.test(argument)}`;
    if (operator === "void") return `void ${group(to.expression(argument))}`;
    if (operator === "delete") return to.notDecided(node, "`delete`");
    if (operator === "typeof") return to.call("typeOf", node, typeOfArgument(argument, to));
    return to.call("unary", node, JSON.stringify(operator), to.expression(argument));
  },
  UpdateExpression(node, to) {
    const { operator, argument, prefix } = node;
    if (argument.type !== "Identifier") return to.notDecided(node, "`++` or `--` of a property");
    const before = to.call("numeric", node, argument.name);
    const change = `${to.temporary()}`;
    const changed = to.call("binary", node, JSON.stringify(operator[0]), change, "1");
    const assigned = `${argument.name}=${to.assigned(argument.name, changed)}`;
    const result = prefix ? assigned : `(${assigned},${change})`;
    return `((${change})=>${result})(${before})`;
  },
  BinaryExpression(node, to) {
    const { operator, left, right } = node;
    if (left.type === "PrivateIdentifier") return to.notDecided(node);
    const type = typeTest(operator, left, right, to);
    if (type !== null) return type;
    return to.call("binary", node, JSON.stringify(operator), to.expression(left), to.expression(right));
  },
  LogicalExpression(node, to) {
    const { operator, left, right } = node;
    if (operator === "??" && left.type === "CallExpression" && !left.optional && left.callee.type === "Identifier") {
      const given = argumentsOf(left.arguments, to);
      return to.call("nullishCall", left, left.callee.name, given, `()=>${group(to.expression(right))}`);
    }
    const name = { "&&": "and", "||": "or", "??": "nullish" }[operator];
    return to.call(name, node, to.expression(left), `()=>${group(to.expression(right))}`);
  },
  AssignmentExpression: (node, to) => assignment(node, to),
  ConditionalExpression: ({ test, consequent, alternate }, to) =>
    `(${to.test(test)}?${group(to.expression(consequent))}:${group(to.expression(alternate))})`,
  MemberExpression: (node, to) => chain(node, to, (code) => code),
  CallExpression: (node, to) => chain(node, to, (code) => code),
  ChainExpression: ({ expression }, to) => chain(expression, to, (code) => code),
  NewExpression: (node, to) => to.call("construct", node, to.expression(node.callee), argumentsOf(node.arguments, to)),
  TemplateLiteral: (node, to) =>
    to.call(
      "template",
      node,
      `[${node.quasis.map(({ value }) => JSON.stringify(value.cooked ?? "")).join()}]`,
      `[${node.expressions.map((one) => to.expression(one)).join()}]`,
    ),
};

/** A regular expression whose texts the solver knows. */
function pattern(node: AnyNode, { pattern: source, flags }: NonNullable<Literal["regex"]>, to: Writer): string {
  if (parseExpression(source, flags) === null) return to.notDecided(node, "this regular expression");
  return to.call("pattern", node, `/${source}/${flags}`, JSON.stringify(source), JSON.stringify(flags));
}

function element(node: Expression | SpreadElement, to: Writer): string {
  if (node.type !== "SpreadElement") return group(to.expression(node));
  return `...${to.call("elements", node, to.expression(node.argument))}`;
}

/** A part of an array with `...`: whether it is spread, and its value. */
function part(node: Expression | SpreadElement, to: Writer): string {
  if (node.type !== "SpreadElement") return `[false,${group(to.expression(node))}]`;
  return `[true,${to.call("spread", node, to.expression(node.argument))}]`;
}

function argumentsOf(nodes: readonly (Expression | SpreadElement)[], to: Writer): string {
  return `[${nodes.map((node) => element(node, to)).join()}]`;
}

function property(node: Property, to: Writer): string {
  const { key, value, kind, computed } = node;
  if (kind !== "init") return `...${to.notDecided(node, "a getter or setter")}`;
  const name = computed ? to.call("key", key, to.expression(key)) : nameOf(key);
  const isPrototype = !computed && !node.shorthand && !node.method && name === '"__proto__"';
  if (isPrototype && !(value.type === "Literal" && value.value === null))
    return `...${to.notDecided(node, "a prototype")}`;
  if (isPrototype) return "__proto__:null";
  return `[${name}]:${group(to.expression(value))}`;
}

/** `typeof` of a name that is not declared gives `undefined`, where any other use of it throws. */
function typeOfArgument(node: Expression, to: Writer): string {
  const code = to.expression(node);
  return node.type === "Identifier" ? `(typeof ${code}==="undefined"?void 0:${code})` : code;
}

const EQUALITY: Readonly<Record<string, boolean>> = { "===": true, "==": true, "!==": false, "!=": false };

/** A comparison of `typeof` with a literal: one branch for the type and one for all others. */
function typeTest(operator: string, left: Expression, right: Expression, to: Writer): string | null {
  if (!Object.hasOwn(EQUALITY, operator)) return null;
  const [type, name] = left.type === "UnaryExpression" ? [left, right] : [right, left];
  if (type.type !== "UnaryExpression" || type.operator !== "typeof") return null;
  if (name.type !== "Literal" || typeof name.value !== "string") return null;
  const is = to.call("hasType", type, typeOfArgument(type.argument, to), JSON.stringify(name.value));
  return EQUALITY[operator] ? is : `!${is}`;
}

function assignment(node: AssignmentExpression, to: Writer): string {
  const { operator, left, right } = node;
  const value = to.expression(right);
  if (left.type === "MemberExpression") {
    if (operator !== "=" || left.object.type === "Super" || left.property.type === "PrivateIdentifier")
      return to.notDecided(node, "an assignment to a property by an operator");
    return to.call("set", node, to.expression(left.object), memberName(left, to), value);
  }
  if (left.type !== "Identifier") return to.notDecided(node, "an assignment to a pattern");
  const { name } = left;
  if (operator === "=") return `(${name}=${to.assigned(name, value)})`;
  const logical = { "&&=": "and", "||=": "or", "??=": "nullish" }[operator as string];
  if (logical !== undefined) return to.call(logical, node, name, `()=>(${name}=${to.assigned(name, value)})`);
  const computed = to.call("binary", node, JSON.stringify(operator.slice(0, -1)), name, value);
  return `(${name}=${to.assigned(name, computed)})`;
}

function memberName({ property: of, computed }: MemberExpression, to: Writer): string {
  return computed ? to.expression(of as Expression) : nameOf(of);
}

/**
 * An expression that may end early at `?.`: the rest of the chain is in a function that is called only if the value
 * before `?.` is neither null nor undefined.
 */
function chain(node: Expression, to: Writer, rest: (code: string) => string): string {
  if (node.type === "MemberExpression") {
    const { object, property: of, optional } = node;
    if (object.type === "Super" || of.type === "PrivateIdentifier") return to.notDecided(node, "`super` or `#`");
    const read = (value: string) => rest(to.call("get", node, value, memberName(node, to)));
    return chain(object, to, (value) => (optional ? optionally(node, value, to, read) : read(value)));
  }
  return node.type === "CallExpression" ? callText(node, to, rest) : rest(to.expression(node));
}

function callText(node: CallExpression, to: Writer, rest: (code: string) => string): string {
  const { callee, optional } = node;
  if (callee.type === "Super") return to.notDecided(node, "`super`");
  const given = () => argumentsOf(node.arguments, to);
  if (callee.type === "MemberExpression") {
    const { object, property: of } = callee;
    if (optional || object.type === "Super" || of.type === "PrivateIdentifier")
      return to.notDecided(node, "an optional call of a method");
    const call = (value: string) => rest(to.call("callMethod", node, value, memberName(callee, to), `()=>${given()}`));
    return chain(object, to, (value) => (callee.optional ? optionally(node, value, to, call) : call(value)));
  }
  const call = (value: string) => rest(to.call("call", node, value, given()));
  return chain(callee, to, (value) => (optional ? optionally(node, value, to, call) : call(value)));
}

function optionally(node: Expression, value: string, to: Writer, then: (code: string) => string): string {
  const held = to.temporary();
  return to.call("optional", node, value, `(${held})=>${group(then(held))}`);
}
