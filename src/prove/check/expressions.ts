import type { AnyNode, Pattern } from "acorn";
import { anyElement } from "../shared/atom.js";
import { isInheritedBy, isNullish, joined, property, settled, textParts, view } from "./facts.js";
import { elementOf, firstOf, listName, loopOver } from "./loops.js";
import { computed, hasType, isEqual, isLooselyEqual, truthy, unary } from "./operators.js";
import { attempt, notEvaluated, type Path, raise } from "./path.js";
import { callSplit, callText, partOf } from "./texts.js";
import {
  Closure,
  INHERITED_FUNCTIONS,
  isInheritedFunction,
  isPrimitive,
  Native,
  type NodeOf,
  Plain,
  type Scope,
  Split,
  Sym,
  TEXT_TESTS,
  unknownOf,
} from "./value.js";
import { declaredVariable } from "./variable.js";

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

type Evaluated<N> = (node: N, scope: Scope, to: Evaluation) => unknown;

/** How each expression is evaluated. */
const EXPRESSIONS: { readonly [T in AnyNode["type"]]?: Evaluated<NodeOf<T>> } = {
  Literal({ regex, value }, _, { path }) {
    if (regex) return expression(path, regex);
    return typeof value === "bigint" ? notEvaluated("a bigint") : value;
  },
  Identifier: ({ name }, scope) => scope.read(name),
  TemplateLiteral({ quasis, expressions }, scope, to) {
    const texts = quasis.map(({ value: { cooked } }) => [cooked ?? notEvaluated("this template")]);
    return joined(
      texts.flatMap((text, index) => {
        const one = expressions[index];
        return one ? [...text, ...textParts(to.path, evaluated(one, scope, to))] : text;
      }),
    );
  },
  ConditionalExpression: ({ test, consequent, alternate }, scope, to) =>
    evaluated(truthy(to.path, evaluated(test, scope, to)) ? consequent : alternate, scope, to),
  LogicalExpression({ left, operator, right }, scope, to) {
    const its = evaluated(left, scope, to);
    return isKept(to.path, operator, its) ? its : evaluated(right, scope, to);
  },
  UnaryExpression: ({ operator, argument }, scope, to) => unary(to.path, operator, evaluated(argument, scope, to)),
  BinaryExpression: binary,
  ArrowFunctionExpression: (node, scope) => new Closure(node, scope),
  FunctionExpression: (node, scope) => new Closure(node, scope),
  ObjectExpression: object,
  ArrayExpression: ({ elements }, scope, to) =>
    elements.map((one) => (one === null ? notEvaluated("a hole in an array") : evaluated(one, scope, to))),
  AssignmentExpression({ operator, left, right }, scope, to) {
    if (left.type !== "Identifier") return notEvaluated("this assignment");
    const before = operator === "=" ? undefined : scope.read(left.name);
    if (["??=", "||=", "&&="].includes(operator) && isKept(to.path, operator.slice(0, -1), before)) return before;
    const its = evaluated(right, scope, to);
    const isOperation = operator !== "=" && !/^[?|&]{2}/.test(operator);
    return assign(left.name, isOperation ? computed(to.path, operator.slice(0, -1), before, its) : its, scope, to);
  },
  UpdateExpression({ operator, prefix, argument }, scope, to) {
    if (argument.type !== "Identifier") return notEvaluated("this assignment");
    const before = scope.read(argument.name);
    const its = unknownOf(before)?.kind;
    if (typeof before !== "number" && its !== "number" && its !== "accumulated") return notEvaluated("this assignment");
    const after = assign(argument.name, computed(to.path, "+", before, operator === "++" ? 1 : -1), scope, to);
    return prefix ? after : before;
  },
  ChainExpression(node, scope, to) {
    const its = attempt(Ended, () => evaluated(node.expression, scope, to));
    return its instanceof Ended ? undefined : its;
  },
  MemberExpression(node, scope, to) {
    const [holder, key] = memberOf(node, scope, to);
    return key === null ? holder : get(to.path, holder, key);
  },
  CallExpression: called,
  NewExpression({ callee, arguments: given }, scope, to) {
    const [of, ...more] = given.map((one) => evaluated(one, scope, to));
    if (evaluated(callee, scope, to) === MAP && given.length === 0) return new Native("get", () => undefined);
    if (evaluated(callee, scope, to) !== SET || !Array.isArray(of) || more.length > 0)
      return notEvaluated("`new` of anything else than a set of an array or an empty map");
    const has = ([one]: readonly unknown[]) => of.some((its) => isEqual(to.path, its, one));
    return new Native("has", (one) => (Number.isNaN(one[0]) ? notEvaluated("a set and NaN") : has(one)));
  },
};

/** Whether a logical operator has the value on its left. */
function isKept(path: Path, operator: string, left: unknown): boolean {
  return operator === "??" ? !isNullish(path, left) : truthy(path, left) === (operator === "||");
}

function assign(name: string, value: unknown, scope: Scope, { path }: Evaluation): unknown {
  const variable = scope.variable(name);
  if (!path.mayChange(variable)) notEvaluated("an assignment in a loop over a list");
  variable.value = value;
  return value;
}

/** The value of an expression. */
export function evaluated(node: AnyNode, scope: Scope, to: Evaluation): unknown {
  if (to.policy.dropped.has(node)) notEvaluated("a call whose value is not used");
  const evaluate = EXPRESSIONS[node.type] as Evaluated<AnyNode> | undefined;
  return evaluate === undefined ? notEvaluated(`the syntax ${node.type}`) : evaluate(node, scope, to);
}

/** The constructors of sets and maps, and the object with functions of JSON. */
export const [SET, MAP] = [new Native("", () => null), new Native("", () => null)];
export const TO_JSON = new Native("stringify", (given) =>
  JSON.stringify(constantOf(given.length > 1 ? given : given[0])),
);

/** `Object`, of which only these functions are evaluated: nothing changes an object here. */
export const OBJECT = new Native("", () => null);
const OF_OBJECTS: Readonly<Record<string, (given: readonly unknown[]) => unknown>> = {
  keys: ([of]) => entriesOf(of).map(([name]) => name),
  values: ([of]) => entriesOf(of).map(([, value]) => value),
  entries: ([of]) => entriesOf(of),
  freeze: ([of]) => (of instanceof Plain || Array.isArray(of) ? of : notEvaluated("`Object.freeze` of this value")),
};

function entriesOf(value: unknown): unknown[][] {
  if (!(value instanceof Plain) || !value.isWritten) return notEvaluated("the properties of this value");
  return [...value.properties].map(([name, read]) => {
    // Numbers come first, in their order
    return INDEX.test(name) ? notEvaluated("the order of properties with numbers as names") : [name, read()];
  });
}

/** An object of constants as the sandbox has it. */
function constantOf(value: unknown): unknown {
  if (!(value instanceof Plain)) return isPrimitive(value) ? value : notEvaluated("JSON of this value");
  return Object.fromEntries([...value.properties].map(([key, one]) => [key, constantOf(one())]));
}

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
  const made = new Plain(new Map(), true);
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

/**
 * The object and the key of a member, or its value and null if it was read by a key that is not known. An optional
 * object that is null or undefined ends the chain.
 */
function memberOf(node: NodeOf<"MemberExpression">, scope: Scope, to: Evaluation): readonly [unknown, string | null] {
  const holder = evaluated(node.object, scope, to);
  if (node.optional && isNullish(to.path, holder)) throw new Ended();
  const key = node.computed ? settled(to.path, evaluated(node.property, scope, to)) : nameOf(node.property);
  to.at(node);
  const its = unknownOf(key);
  if (its?.kind === "text") return [chosen(to.path, holder, its.name), null];
  const isNamed = typeof key === "string" || typeof key === "boolean" || (key ?? null) === null;
  if (!isNamed && !Number.isSafeInteger(key)) return notEvaluated("a key that is not known");
  return [holder, String(key)];
}

/** The property of an object that the policy wrote whose name is a text: each name that there is is asked for. */
function chosen(path: Path, holder: unknown, of: string): unknown {
  if (!(holder instanceof Plain) || !holder.isWritten) return notEvaluated("a key that is not known");
  for (const [text, read] of holder.properties) if (path.ask({ kind: "equals", of, text })) return read();
  for (const [text, value] of INHERITED_FUNCTIONS) if (path.ask({ kind: "equals", of, text })) return value;
  return undefined;
}

const INDEX = /^(?:0|[1-9]\d{0,9})$/;

/** Reads a property (ECMA-262, 13.3.2). */
export function get(path: Path, holder: unknown, key: string): unknown {
  if (isNullish(path, holder)) return raise();
  const its = view(path, holder);
  if (its instanceof Sym) return property(path, its, key);
  if (its instanceof Plain && (its.properties.has(key) || !(key in {}))) return its.properties.get(key)?.();
  if (Array.isArray(its) || typeof its === "string") {
    if (key === "length") return its.length;
    if (INDEX.test(key)) return its[Number(key)];
  }
  if (its instanceof Split) return partOf(path, its, key);
  if (isInheritedFunction(its) && !(key in Object) && !isInheritedBy("object", key)) return undefined;
  const type = Array.isArray(its) ? "array" : typeof its;
  const isAlone = type === "array" || type === "string" || type === "number" || type === "boolean";
  return isAlone && !isInheritedBy(type, key) ? undefined : notEvaluated(`\`${key}\` of this value`);
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
  const [object, key] = memberOf(node, scope, to);
  if (key === null) return object;
  const holder = settled(to.path, object);
  if (holder === OBJECT && Object.hasOwn(OF_OBJECTS, key)) return OF_OBJECTS[key];
  const kind = unknownOf(holder)?.kind;
  if (typeof holder === "string" || kind === "text" || kind === "joined")
    return (given: readonly unknown[]) => callText(to.path, holder as string | Sym, key, given);
  if (holder instanceof Split) return (given: readonly unknown[]) => callSplit(to.path, holder, key, given);
  if (Array.isArray(holder) || listName(to.path, holder) !== null)
    return (given: readonly unknown[]) => callArray(to, holder as readonly unknown[] | Sym, key, given);
  if (kind === "number" && key === "toFixed") return toFixed;
  if (holder instanceof Native && holder.method === key) return holder.call;
  return get(to.path, holder, key);
}

/** A method of an array that the policy wrote (ECMA-262, 23.1.3), or of a list, of which no index is known. */
function callArray(to: Evaluation, array: readonly unknown[] | Sym, key: string, given: readonly unknown[]): unknown {
  const [first, ...more] = given;
  if (key === "reduce" && array instanceof Sym && more.length === 1) return reduced(to, array, first, more[0]);
  if (more.length > 0) return notEvaluated(`\`${key}\` with more than one argument`);
  if (key === "includes" && !Number.isNaN(first)) return isOne(to.path, array, (one) => isEqual(to.path, one, first));
  if (key === "indexOf" && !(array instanceof Sym)) return array.findIndex((one) => isEqual(to.path, one, first));
  if (!(array instanceof Sym) && Object.hasOwn(OF_ARRAYS, key)) {
    if (!(first instanceof Closure)) return notEvaluated("this callback");
    return OF_ARRAYS[key]!(array, (one, index) => to.call(first, [one, index, array]), to.path);
  }
  if (key === "find" && array instanceof Sym) return findIn(to, array, first);
  if (key !== "some" && key !== "every") return notEvaluated(`\`${key}\` of an array`);
  if (!(first instanceof Closure) || (array instanceof Sym && first.node.params.length > 1))
    return notEvaluated("this callback");
  const holds = (...one: readonly unknown[]) => truthy(to.path, to.call(first, [...one, array])) === (key === "some");
  return isOne(to.path, array, holds) === (key === "some");
}

/** `toFixed` of a number: a text of which nothing is known. */
function toFixed([digits = 0]: readonly unknown[]): Sym {
  const isKnown = Number.isInteger(digits) && (digits as number) >= 0 && (digits as number) <= 100;
  if (!isKnown) return notEvaluated("`toFixed` with these digits");
  return new Sym({ kind: "joined", parts: [{ unknown: "toFixed" }] });
}

type Each = (one: unknown, index: number) => unknown;

/** Other methods of an array that the policy wrote, with a function of it. */
const OF_ARRAYS: Readonly<Record<string, (array: readonly unknown[], each: Each, path: Path) => unknown>> = {
  filter: (array, each, path) => array.filter((one, index) => truthy(path, each(one, index))),
  find: (array, each, path) => array.find((one, index) => truthy(path, each(one, index))),
  map: (array, each) => array.map((one, index) => each(one, index)),
};

/** `reduce` of a list: a loop with one variable. */
function reduced(to: Evaluation, list: Sym, callback: unknown, initial: unknown): unknown {
  if (!(callback instanceof Closure) || callback.node.params.length > 2) return notEvaluated("this callback");
  const variable = declaredVariable(initial, false);
  loopOver(to.path, list, [variable], (one) => {
    variable.value = to.call(callback, [variable.value, one]);
    return { leaves: false };
  });
  return variable.value;
}

/** The first element of a list for which a function of the policy holds; undefined if there is none. */
function findIn(to: Evaluation, list: Sym, callback: unknown): unknown {
  if (!(callback instanceof Closure) || callback.node.params.length > 1) return notEvaluated("this callback");
  const of = listName(to.path, list)!;
  const any = anyElement(of);
  const where = to.path.cases(any, () => truthy(to.path, to.call(callback, [elementOf(to.path, list, any)])));
  const first = firstOf(to.path, of, where);
  return first === null ? undefined : elementOf(to.path, list, first);
}

/** Whether something holds for an element. */
function isOne(path: Path, array: readonly unknown[] | Sym, holds: (one: unknown, index?: number) => boolean): boolean {
  if (!(array instanceof Sym)) return array.some((one, index) => holds(one, index));
  const of = listName(path, array)!;
  const any = anyElement(of);
  const where = path.cases(any, () => holds(elementOf(path, array, any)));
  return where.length > 0 && path.ask({ kind: "some", of, where, first: null });
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
  } else if (pattern.type === "ArrayPattern") {
    if (!Array.isArray(value) && !(value instanceof Split)) notEvaluated("an array pattern of this value");
    for (const [index, part] of pattern.elements.entries()) {
      if (part?.type === "RestElement") notEvaluated("this pattern");
      if (part) bind(part, get(to.path, value, String(index)), scope, isConstant, to);
    }
  } else notEvaluated(`the syntax ${pattern.type}`);
}
