import { verdictName } from "../../errno.js";
import {
  type Atom,
  anyElement,
  type EachPart,
  type EachText,
  type ElementCase,
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
  const not = is ? "" : "not ";
  switch (atom.kind) {
    case "flag":
      return `${not}${atom.of}`;
    case "null":
      return `${withoutMark(atom.of)} is ${not}null`;
    case "exists":
      return `${withoutMark(atom.of)} is ${is ? "present" : "absent"}`;
    case "equals":
      return `${atom.of} is ${not}${JSON.stringify(atom.text)}`;
    case "same":
      return `${atom.of} is ${not}${atom.other}`;
    case "starts":
      return `${atom.of} ${is ? "begins" : "does not begin"} with ${JSON.stringify(atom.text)}`;
    case "ends":
      return `${atom.of} ${is ? "ends" : "does not end"} with ${JSON.stringify(atom.text)}`;
    case "texts": {
      const [left, right] = [textWords(atom.left), textWords(atom.right)];
      const [positive, negative] = RELATION_WORDS[atom.relation];
      return `${left} ${is ? positive : negative} ${right}`;
    }
    case "matches":
      return `${atom.of} ${is ? "matches" : "does not match"} ${JSON.stringify(atom.text)}`;
    case "before":
      return `${atom.of} ${is ? "<" : "≥"} ${JSON.stringify(atom.text)}`;
    case "compares":
      return `${not}Number(${atom.of}) ${atom.text}`;
    case "regex":
      return `${atom.of} ${is ? "matches" : "does not match"} /${atom.text}/${atom.flags}`;
    case "includes":
      return `${atom.of} ${is ? "has" : "does not have"} ${JSON.stringify(atom.text)}`;
    case "number":
      return numberWords(atom, is);
    case "written":
      return `${atom.of} ${is ? "can" : "cannot"} be written as text`;
    case "any": {
      const name = nullOrAbsentName(atom);
      if (name !== null) return `${name} is ${is ? "null or absent" : "neither null nor absent"}`;
      return `${is ? "one of these holds" : "none of these holds"}: ${atom.where.map(caseWords).join(", or ")}`;
    }
    case "some":
      return someWords(atom, is);
    case "integer":
      return `${atom.of} is ${not}an integer`;
    case "type":
      return `${atom.of} is ${not}${atom.among.map((type) => TYPE_WORDS[type]).join(" or ")}`;
  }
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
    return `${of} ${is ? "has" : "does not have"} ${JSON.stringify(only.atom.text)}`;
  if (where.some(({ length }) => length === 0)) return `${of} is ${is ? "not " : ""}empty`;
  const cases = where.map(caseWords);
  const words = cases.join(", or ").replaceAll(`${any}.`, "").replaceAll(`${any}["`, '["').replaceAll(any, "it");
  return `${of} has ${is ? "one" : "none"} where ${words.replace(/\["(\w+)"\]/g, "$1")}`;
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
    if ("text" in part) return part.text;
    return reasonWords([part]).slice(1, -1);
  });
  return words.length === 0 ? '""' : words.join(" + ");
}

function withoutMark(name: string): string {
  return name.slice(0, -1);
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

/** All that is positive on the left, all that is negative on the right: `current.uid ≠ 1000`. */
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
  return `${sumWords(positive, left)} ${relation} ${sumWords(negative, right)}`;
}

function sumWords(of: readonly (readonly [coefficient: string, name: string])[], constant: bigint): string {
  const parts = of.map(([coefficient, name]) => (coefficient === "1" ? name : `${coefficient} × ${name}`));
  return [...parts, ...(constant === 0n ? [] : [String(constant)])].join(" + ");
}

/** The result of a verification is compared with an errno. */
function valueWords(value: bigint, { of }: LinearTerm): string {
  return isVerification(of) ? verdictName(Number(value)) : String(value);
}

function isVerification(of: LinearTerm["of"]): boolean {
  return of.length === 1 && isHelperVerdict(of[0]![1]);
}

/** A verdict in words: `0`, `-EPERM`, or what a verification returns. */
export function verdictWords(verdict: number | LinearTerm): string {
  if (typeof verdict === "number") return verdictName(verdict);
  const positive = verdict.of.map(([coefficient, name]) => (coefficient === "1" ? name : `${coefficient} × ${name}`));
  return [...positive, ...(verdict.constant === "0" ? [] : [verdict.constant])].join(" + ");
}

/** A reason with the names of facts in place of what is not constant. */
export function reasonWords(reason: readonly TextPart[]): string {
  const words = reason.map((part) => {
    if (typeof part === "string") return part;
    if ("text" in part) return `{${part.text}}`;
    if ("json" in part) return `{${part.json}}`;
    if ("quoted" in part) return `"${reasonWords(part.quoted)}"`;
    if ("stringified" in part) return `{${part.stringified} as JSON}`;
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
  const texts = [...new Set(cases.map(({ text }) => reasonWords(text).replaceAll(`${anyElement(list)}.`, "")))];
  const short = texts.map((text) =>
    JSON.stringify(text.replaceAll(anyElement(list), "it")).replace(/\[\\"(\w+)\\"\]/g, ".$1"),
  );
  return `${list}, each as ${short.join(" or ")}`;
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
