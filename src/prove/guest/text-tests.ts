import { type LinearTerm, type TextPart, unknownIn } from "../shared/atom.js";
import { TEXT_RELATIONS, type TextRelation } from "../shared/text-relation.js";
import { constantOf, notDecided, test, typesOf } from "./path.js";

const { stringify } = JSON;

/** The condition on one text that is not known and a constant. */
const ATOMS = { equal: "equals", starts: "starts", ends: "ends", includes: "includes" } as const;

/**
 * Whether a text is another one, begins with it, ends with it or has it, on this path. What both begin or end with does
 * not matter, so that few comparisons are about more than one text.
 */
export function testTexts(relation: TextRelation, left: readonly TextPart[], right: readonly TextPart[]): boolean {
  const isNeverEmpty = left.some((part) => typeof part === "string" && part !== "");
  if (relation === "equal" && right.length === 0 && isNeverEmpty) return false;
  const why = unknownIn(left) ?? unknownIn(right);
  if (why !== null) return notDecided(why);
  const [one, other] = [known(left), known(right)];
  if ((relation === "equal" || relation === "starts") && !strip(one, other, false)) return false;
  if ((relation === "equal" || relation === "ends") && !strip(one, other, true)) return false;
  if (other.length === 0) return relation === "equal" ? isEmpty(one) : true;
  if (one.length === 0) return isEmpty(other);
  if (one.length > 1 || other.length > 1) return ofParts(relation, one, other);
  const [a, b] = [one[0]!, other[0]!];
  if (typeof a === "string" && typeof b === "string") return TEXT_RELATIONS[relation](a, b);
  if (typeof b === "string" && typeof a !== "string" && "text" in a)
    return test({ kind: ATOMS[relation], of: a.text, text: b });
  return relation === "equal" ? ofTwo(a, b) : ofParts(relation, one, other);
}

/** Whether two texts of one part each are equal. */
function ofTwo(a: TextPart, b: TextPart): boolean {
  if (typeof a === "string") return ofTwo(b, a);
  if (typeof b === "string") {
    if ("text" in a) return test({ kind: "equals", of: a.text, text: b });
    return "number" in a ? isNumber(a, b) : ofParts("equal", [a], [b]);
  }
  if ("text" in a && "text" in b) {
    const [of, other] = a.text < b.text ? [a.text, b.text] : [b.text, a.text];
    return test({ kind: "same", of, other });
  }
  if ("number" in a && "number" in b) return test({ kind: "number", term: difference(a.number, b.number), is: "= 0" });
  return ofParts("equal", [a], [b]);
}

/** Numbers are written in the same way only if they are equal; -0 is written as 0. */
function difference(one: LinearTerm, other: LinearTerm): LinearTerm {
  const of = new Map(one.of.map(([by, name]) => [name, BigInt(by)]));
  for (const [by, name] of other.of) of.set(name, (of.get(name) ?? 0n) - BigInt(by));
  const left = [...of].filter(([, by]) => by !== 0n).map(([name, by]) => [String(by), name] as const);
  return { constant: String(BigInt(one.constant) - BigInt(other.constant)), of: left };
}

/** Whether a number is written like this. */
function isNumber(part: Extract<TextPart, { number: unknown }>, text: string): boolean {
  const value = Number(text);
  // Symbols are finite numbers
  if (String(value) !== text || !Number.isFinite(value)) return false;
  if (!Number.isSafeInteger(value)) return ofParts("equal", [part], [text]);
  const { constant, of } = part.number;
  return test({ kind: "number", term: { constant: String(BigInt(constant) - BigInt(value)), of }, is: "= 0" });
}

function ofParts(relation: TextRelation, one: readonly TextPart[], other: readonly TextPart[]): boolean {
  const isReverse = relation === "equal" && stringify(one) > stringify(other);
  const [left, right] = isReverse ? [other, one] : [one, other];
  return test({ kind: "texts", relation, left, right });
}

/** The parts, in which everything that this path says about them is a constant. */
function known(parts: readonly TextPart[]): TextPart[] {
  const result: TextPart[] = [];
  for (const part of parts) {
    const its = typeof part === "string" ? part : knownPart(part);
    const last = result.at(-1);
    if (typeof its === "string" && typeof last === "string") result[result.length - 1] = last + its;
    else if (its !== "") result.push(its);
  }
  return result;
}

function knownPart(part: Exclude<TextPart, string>): TextPart {
  if ("text" in part) return constantOf(part.text) ?? part;
  if (!("json" in part)) return part;
  const [type, ...others] = typesOf(part.json);
  if (others.length > 0) return part;
  switch (type) {
    case "null":
    case "true":
    case "false":
      return type;
    case "string":
      return constantOf(part.json) ?? { text: part.json };
    case "number":
      return { number: { constant: "0", of: [["1", part.json]] } };
    default:
      return part;
  }
}

/** Removes what two texts begin or end with. False if they begin or end with constants that differ. */
function strip(one: TextPart[], other: TextPart[], isAtEnd: boolean): boolean {
  const index = isAtEnd ? -1 : 0;
  const remove = (parts: TextPart[], length: number) => {
    const part = parts.at(index)!;
    const left = typeof part !== "string" ? "" : isAtEnd ? part.slice(0, part.length - length) : part.slice(length);
    if (left !== "") parts[isAtEnd ? parts.length - 1 : 0] = left;
    else if (isAtEnd) parts.pop();
    else parts.shift();
  };
  for (;;) {
    const [a, b] = [one.at(index), other.at(index)];
    if (a === undefined || b === undefined) return true;
    const areConstant = typeof a === "string" && typeof b === "string";
    if (!areConstant && stringify(a) !== stringify(b)) return true;
    const length = areConstant ? Math.min(a.length, b.length) : 0;
    const cut = (text: string) => (isAtEnd ? text.slice(text.length - length) : text.slice(0, length));
    if (areConstant && cut(a) !== cut(b)) return false;
    remove(one, length);
    remove(other, length);
  }
}

/** Whether a text without empty constants is empty. */
function isEmpty(parts: readonly TextPart[]): boolean {
  const isNeverEmpty = (part: TextPart) =>
    typeof part === "string" || "number" in part || "quoted" in part || "stringified" in part;
  if (parts.some(isNeverEmpty)) return false;
  return parts.every((part) => {
    if (typeof part === "string") return false;
    return "text" in part ? test({ kind: "equals", of: part.text, text: "" }) : ofParts("equal", [part], [""]);
  });
}
