import { verdictName } from "../../errno.js";
import {
  type Atom,
  anyElement,
  type EachPart,
  type EachText,
  type ElementCase,
  JSON_TYPES,
  type JsonType,
  type LinearTerm,
  nullOrAbsentName,
  type PathEnd,
  type TextPart,
} from "../shared/atom.js";
import { isHelperVerdict } from "../shared/helper-verdict.js";
import type { Condition } from "../solver/condition.js";

/** A condition as a person writes it: `prog.type is "xdp"`, `current.container is not null`. */
export function conditionWords({ atom, is }: Condition): string {
  const of = "of" in atom ? nameWords(atom.of) : "";
  const not = is ? "" : "not ";
  switch (atom.kind) {
    case "flag":
      return `${not}${of}`;
    case "null":
      return `${withoutMark(of)} is ${not}null`;
    case "exists":
      return `${withoutMark(of)} is ${is ? "present" : "absent"}`;
    case "equals":
      return `${of} is ${not}${JSON.stringify(atom.text)}`;
    case "same":
      return `${of} is ${not}${nameWords(atom.other)}`;
    case "starts":
      return `${of} ${is ? "begins" : "does not begin"} with ${JSON.stringify(atom.text)}`;
    case "ends":
      return `${of} ${is ? "ends" : "does not end"} with ${JSON.stringify(atom.text)}`;
    case "texts": {
      const [left, right] = [textWords(atom.left), textWords(atom.right)];
      const [positive, negative] = RELATION_WORDS[atom.relation];
      return `${left} ${is ? positive : negative} ${right}`;
    }
    case "matches":
      return `${of} ${is ? "matches" : "does not match"} ${JSON.stringify(atom.text)}`;
    case "before":
      return `${of} ${is ? "<" : "≥"} ${JSON.stringify(atom.text)}`;
    case "compares":
      return `${not}Number(${of}) ${atom.text}`;
    case "regex":
      return `${of} ${is ? "matches" : "does not match"} /${atom.text}/${atom.flags}`;
    case "includes":
      return `${of} ${is ? "has" : "does not have"} ${JSON.stringify(atom.text)}`;
    case "number":
      return numberWords(atom, is);
    case "written":
      return `${of} ${is ? "can" : "cannot"} be written as text`;
    case "any": {
      const name = nullOrAbsentName(atom);
      if (name !== null) return `${nameWords(name)} is ${is ? "null or absent" : "neither null nor absent"}`;
      return `${is ? "one of these holds" : "none of these holds"}: ${atom.where.map(caseWords).join(", or ")}`;
    }
    case "some":
      return someWords(atom, is);
    case "integer":
      return `${of} is ${not}an integer`;
    case "type":
      return `${of} is ${is ? typeWords(atom.among) : otherTypeWords(atom.among)}`;
  }
}

/** The name of a symbol as a policy writes it: `labels.tier` in place of `labels["tier"]`. */
export function nameWords(name: string): string {
  return name.replace(/\["([A-Za-z_]\w*)"\]/g, ".$1");
}

const SOME_TYPES = 3;

function typeWords(among: readonly JsonType[]): string {
  if (among.length <= SOME_TYPES) return listWords(among.map(typeWord));
  const others = JSON_TYPES.filter((type) => !among.includes(type));
  return others.join() === "null"
    ? "neither null nor absent"
    : `something else than ${listWords(others.map(typeWord))}`;
}

/** What is not of some types, which can be absent. */
function otherTypeWords(among: readonly JsonType[]): string {
  const others = JSON_TYPES.filter((type) => !among.includes(type));
  if (others.length >= SOME_TYPES) return `not ${listWords(among.map(typeWord))}`;
  return listWords([...others.map(typeWord), "absent"]);
}

/** `a, b or c`. */
export function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function caseWords(one: ElementCase): string {
  return one.length === 0 ? "always" : one.map(conditionWords).join(" and ");
}

/** `prog.helpers has "bpf_redirect"`, `prog.maps has none where type is "hash" and memory > 4096`. */
function someWords({ of, where }: Extract<Atom, { kind: "some" }>, is: boolean): string {
  const [first] = where;
  const [only] = where.length === 1 && first!.length === 1 ? first! : [];
  const any = anyElement(of);
  if (only?.is && only.atom.kind === "equals" && only.atom.of === any)
    return `${nameWords(of)} ${is ? "has" : "does not have"} ${JSON.stringify(only.atom.text)}`;
  if (where.some(({ length }) => length === 0)) return `${nameWords(of)} is ${is ? "not " : ""}empty`;
  const cases = where.map(caseWords);
  const words = cases.join(", or ");
  return `${nameWords(of)} has ${is ? "one" : "none"} where ${elementWords(words, of)}`;
}

/** Words about any element of a list, without its name. */
export function elementWords(words: string, list: string): string {
  const any = nameWords(anyElement(list));
  return words.replaceAll(`${any}.`, "").replaceAll(any, "it");
}

const RELATION_WORDS = {
  equal: ["is", "is not"],
  starts: ["begins with", "does not begin with"],
  ends: ["ends with", "does not end with"],
  includes: ["has", "does not have"],
} as const;

/** A text in a condition: `"/" + current.container.name + "/"`. */
function textWords(parts: readonly TextPart[]): string {
  const words = parts.map((part) => {
    if (typeof part === "string") return JSON.stringify(part);
    if ("text" in part) return nameWords(part.text);
    return reasonWords([part]).slice(1, -1);
  });
  return words.length === 0 ? '""' : words.join(" + ");
}

function withoutMark(name: string): string {
  return name.slice(0, -1);
}

export function typeWord(type: JsonType): string {
  return TYPE_WORDS[type];
}

const TYPE_WORDS: Readonly<Record<JsonType, string>> = {
  null: "null",
  true: "true",
  false: "false",
  number: "a number",
  string: "a string",
  array: "an array",
  object: "an object",
};

const RELATIONS = {
  "= 0": ["=", "≠"],
  "< 0": ["<", "≥"],
  "<= 0": ["≤", ">"],
} as const;
const REVERSED: Readonly<Record<string, string>> = { "<": ">", "≥": "≤", "≤": "≥", ">": "<", "=": "=", "≠": "≠" };

/** What comes first is on the left, with what has the same sign, and the rest on the right: `current.uid ≠ 1000`. */
function numberWords({ term, is }: Extract<Atom, { kind: "number" }>, isTrue: boolean): string {
  const positive = term.of.filter(([coefficient]) => !coefficient.startsWith("-"));
  const negative = term.of
    .filter(([coefficient]) => coefficient.startsWith("-"))
    .map(([c, name]) => [c.slice(1), name] as const);
  const constant = BigInt(term.constant);
  const relation = RELATIONS[is][isTrue ? 0 : 1];
  if (positive.length === 0) return `${sumWords(negative, 0n)} ${REVERSED[relation]} ${valueWords(constant, term)}`;
  if (negative.length === 0) return `${sumWords(positive, 0n)} ${relation} ${valueWords(-constant, term)}`;
  const [left, right] = constant > 0n ? [constant, 0n] : [0n, -constant];
  const [one, other] = [sumWords(positive, left), sumWords(negative, right)];
  const isTurned = term.of[0]![0].startsWith("-");
  return isTurned ? `${other} ${REVERSED[relation]} ${one}` : `${one} ${relation} ${other}`;
}

function sumWords(of: readonly (readonly [coefficient: string, name: string])[], constant: bigint): string {
  const parts = of.map(([coefficient, name]) => {
    return coefficient === "1" ? nameWords(name) : `${coefficient} × ${nameWords(name)}`;
  });
  return [...parts, ...(constant === 0n ? [] : [integerWords(constant)])].join(" + ");
}

/** The result of a verification is compared with an errno. */
function valueWords(value: bigint, { of }: LinearTerm): string {
  return isVerification(of) ? verdictName(Number(value)) : integerWords(value);
}

/** Larger powers of two are not written with all their digits. */
const LARGE = 2n ** 64n;

function integerWords(value: bigint): string {
  const size = value < 0n ? -value : value;
  const digits = size.toString(2);
  if (size < LARGE || !/^10+$/.test(digits)) return String(value);
  return `${value < 0n ? "-" : ""}2^${digits.length - 1}`;
}

function isVerification(of: LinearTerm["of"]): boolean {
  return of.length === 1 && isHelperVerdict(of[0]![1]);
}

/** A verdict in words: `0`, `-EPERM`, or what a verification returns. */
export function verdictWords(verdict: number | LinearTerm): string {
  if (typeof verdict === "number") return verdictName(verdict);
  return sumWords(verdict.of, BigInt(verdict.constant));
}

/** A reason with the names of facts in place of what is not constant. */
export function reasonWords(reason: readonly TextPart[]): string {
  const words = reason.map((part) => {
    if (typeof part === "string") return part;
    if ("text" in part) return `{${nameWords(part.text)}}`;
    if ("json" in part) return `{${nameWords(part.json)}}`;
    if ("quoted" in part) return `"${reasonWords(part.quoted)}"`;
    if ("stringified" in part) return `{${nameWords(part.stringified)} as JSON}`;
    if ("unknown" in part) return "{…}";
    return "number" in part ? `{${verdictWords(part.number)}}` : eachWords(part.each);
  });
  return words.join("");
}

/** `{prog.maps, each as "name is type", separated by ", "}`. */
function eachWords({ separator, parts }: EachText): string {
  const [one] = parts;
  const texts = parts.flatMap((part) => ("list" in part ? [] : [JSON.stringify(reasonWords(part.text))]));
  const isOfTexts = one !== undefined && texts.length === parts.length;
  const words = isOfTexts ? `those of ${texts.join(", ")} that are there` : parts.map(partWords).join(" and ");
  return `{${words}, separated by ${JSON.stringify(separator)}}`;
}

function partWords(part: EachPart): string {
  if (!("list" in part)) return `${JSON.stringify(reasonWords(part.text))} if it is there`;
  const { list, cases } = part;
  const texts = [...new Set(cases.map(({ text }) => elementWords(reasonWords(text), list)))];
  return `${nameWords(list)}, each as ${texts.map((text) => JSON.stringify(text)).join(" or ")}`;
}

/** Why a path does not end with a verdict; null if it does. */
export function failureWords(end: PathEnd): string | null {
  switch (end.kind) {
    case "verdict":
    case "decision":
    case "comparison":
    case "property":
      return null;
    case "fault":
      return `${end.code}: ${end.what}`;
    case "not decided":
      return end.why;
  }
}
