import { view } from "./facts.js";
import { isPlain } from "./members.js";
import { notDecided, raise } from "./path.js";
import { type Sym, type Term, termOf } from "./term.js";
import { isPrimitive, joined, unknownText } from "./values.js";

type Parts = readonly (string | Term)[];

const MOST_DEPTH = 20;

/** `JSON.stringify` of a value (ECMA-262, 25.5.4); undefined for a value that JSON does not have. */
export function jsonOf(value: unknown, ...more: readonly unknown[]): string | Sym | undefined {
  const [replacer, indentation] = more.map(view);
  const isIndented = indentation !== undefined;
  if ((replacer !== undefined && replacer !== null) || (isIndented && !isPrimitive(indentation)))
    return notDecided("`JSON.stringify` with a replacer or an indentation");
  const parts = partsOfJson(value, 0);
  if (parts === null) return undefined;
  return isIndented ? unknownText("`JSON.stringify` with an indentation") : joined(parts);
}

function partsOfJson(value: unknown, depth: number): Parts | null {
  if (depth > MOST_DEPTH) return notDecided("`JSON.stringify` of as deep an object");
  const its = view(value);
  const term = termOf(its);
  if (term !== null) return ofTerm(term);
  if (typeof its === "bigint") return raise("TypeError", "a bigint has no form in JSON");
  if (isPrimitive(its) || typeof its === "function") {
    const text = typeof its === "function" ? undefined : JSON.stringify(its);
    return text === undefined ? null : [text];
  }
  if (Array.isArray(its)) {
    const elements = Array.from(its, (one) => partsOfJson(one, depth + 1) ?? ["null"]);
    return ["[", ...elements.flatMap((one, index) => (index === 0 ? one : [",", ...one])), "]"];
  }
  return isPlain(its) ? ofPlain(its, depth) : notDecided("`JSON.stringify` of this value");
}

function ofPlain(object: Record<PropertyKey, unknown>, depth: number): Parts {
  if ("toJSON" in object) return notDecided("`toJSON` of an object");
  const members = Object.keys(object).flatMap((key): Parts[] => {
    const value = partsOfJson(object[key], depth + 1);
    return value === null ? [] : [[`${JSON.stringify(key)}:`, ...value]];
  });
  return ["{", ...members.flatMap((one, index) => (index === 0 ? one : [",", ...one])), "}"];
}

function ofTerm(term: Term): Parts {
  switch (term.k) {
    case "text":
      return [{ k: "quoted", parts: [term] }];
    case "joined":
      return [{ k: "quoted", parts: term.parts }];
    case "integer":
    case "double":
      return [term];
    case "json":
      return [{ k: "stringified", name: term.name }];
    case "object":
    case "record":
    case "list":
    case "sequence":
    case "rest":
    case "split":
      return [{ k: "unknown", why: "`JSON.stringify` of facts" }];
    default:
      return notDecided("`JSON.stringify` of facts");
  }
}
