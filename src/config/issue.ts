import * as z from "zod";
import { CountersignError } from "../error.js";
import { didYouMean } from "../nearest.js";
import type { Document, Path } from "./document.js";
import { PREVIOUS_SPELLINGS, type PreviousSpelling, renamedKey, renamedValue } from "./previous-spellings.js";
import { quoted } from "./quoted.js";

type Issue = z.core.$ZodIssue;

/**
 * Validates a document by a schema. Throws one error with all issues in the file, each with its place, the user's word
 * and a likely correction. A key or value in `spellings` is named as renamed.
 */
export function validated<T extends z.ZodType>(
  document: Document,
  schema: T,
  spellings: readonly PreviousSpelling[] = PREVIOUS_SPELLINGS,
): z.output<T> {
  const result = schema.safeParse(document.value, { error: unruled });
  if (result.success) return result.data;
  const complaints = result.error.issues.flatMap((issue) => complaintsOf(issue, { document, schema, spellings }));
  // A missing key is most often a misspelt one, so report the misspelt key first.
  const rank = ({ path, what }: Complaint) =>
    (valueAt(document.value, path) === undefined ? 1e9 : 0) + document.offset(path, what);
  complaints.sort((left, right) => rank(left) - rank(right));
  throw told(document, complaints);
}

interface Complaint {
  readonly path: Path;
  readonly what: "key" | "value";
  readonly message: string;
  readonly remedy?: string | undefined;
}

const MISSING = " is missing";

function told(document: Document, complaints: readonly Complaint[]): CountersignError {
  const [first = { path: [], what: "value", message: "is not valid" } as Complaint, ...others] = complaints;
  const errorOf = ({ path, what, message, remedy }: Complaint) => document.error(path, message, remedy, what);
  return CountersignError.together([errorOf(first), ...others.map(errorOf)]);
}

/** What a document is validated by. */
interface Rules {
  readonly document: Document;
  readonly schema: z.ZodType;
  readonly spellings: readonly PreviousSpelling[];
}

function complaintsOf(issue: Issue, rules: Rules): Complaint[] {
  const { document, schema, spellings } = rules;
  const { path } = issue;
  const value = valueAt(document.value, path);
  const name = nameOf(path);
  const subject = typeof value === "string" ? quoted(value) : name;
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = keysAt(schema, path);
      const where = path.length === 0 ? "" : ` in ${quoted(written(path))}`;
      return issue.keys.map((key) => {
        const at = [...path, key];
        const now = renamedKey(at, spellings);
        if (now !== null) return renamed(document, at, "key", `${quoted(key)}${where}`, now);
        return {
          path: at,
          what: "key",
          message: `unknown key ${quoted(key)}${where}${didYouMean(key, known)}`,
          remedy: known.length > 0 ? `known keys are ${known.join(", ")}` : undefined,
        };
      });
    }
    case "invalid_key":
      return [ruled(path, "key", name, issue.issues[0]?.message ?? "is not a key")];
    case "invalid_value": {
      const now = renamedValue(path, value, spellings);
      if (now !== null) return [renamed(document, path, "value", `the value ${subject} of ${name}`, now)];
      const values = issue.values.map(String);
      if (value === undefined) return [{ path, what: "value", message: name + MISSING }];
      const word = typeof value === "object" ? described(value) : quoted(value);
      const meant = typeof value === "string" ? didYouMean(value, values) : "";
      if (issue.message !== NO_RULE) return [ruled(path, "value", word, issue.message, meant)];
      return [{ path, what: "value", message: `${word} is not ${list(values)}${meant}` }];
    }
    case "invalid_type":
      if (value === undefined) return [{ path, what: "value", message: name + MISSING }];
      if (issue.message !== NO_RULE) return [ruled(path, "value", subject, issue.message)];
      return [
        { path, what: "value", message: `${name} should be ${article(issue.expected)}, not ${described(value)}` },
      ];
    case "invalid_union": {
      if (issue.message !== NO_RULE) return [ruled(path, "value", subject, issue.message)];
      return nearestBranch(issue.errors, value).flatMap((inner) =>
        complaintsOf({ ...inner, path: [...path, ...inner.path] } as Issue, rules),
      );
    }
    case "too_small":
    case "too_big":
      if (typeof value !== "number") return [ruled(path, "value", name, issue.message)];
      return [{ path, what: "value", message: `${name} is ${value}, ${bound(issue)}` }];
    default:
      return [ruled(path, "value", subject, issue.message)];
  }
}

/** The complaint of a rule of the schema. The text after `; ` in the rule's message is the remedy. */
function ruled(path: Path, what: "key" | "value", subject: string, rule: string, meant = ""): Complaint {
  const [flaw, remedy] = rule.split(/; (.*)/s);
  return { path, what, message: `${subject} ${flaw}${meant}`, remedy };
}

function renamed(document: Document, path: Path, what: "key" | "value", subject: string, now: string): Complaint {
  const remedy = `write ${quoted(now)}, or run \`countersign config upgrade --write ${document.file}\``;
  return { path, what, message: `${subject} was renamed to ${quoted(now)}`, remedy };
}

/** The message of an issue of a type, a union or a list of values for which the schema has none. */
const NO_RULE = "";

/** Zod asks this for a message only if the schema has none. */
function unruled({ code }: { readonly code: Issue["code"] }): string | undefined {
  return code === "invalid_type" || code === "invalid_union" || code === "invalid_value" ? NO_RULE : undefined;
}

function bound(issue: { code: string; minimum?: number | bigint; maximum?: number | bigint }): string {
  return issue.code === "too_small" ? `less than the least, ${issue.minimum}` : `more than the most, ${issue.maximum}`;
}

/** The branch of a union that the user most likely meant: the one whose issues are deepest. */
function nearestBranch(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] {
  const depth = (branch: readonly Issue[]) => Math.max(...branch.map((issue) => issue.path.length));
  const wrongType = (branch: readonly Issue[]) =>
    branch.some((issue) => issue.code === "invalid_type" && issue.path.length === 0);
  const right = branches.filter((branch) => Array.isArray(value) || !wrongType(branch));
  return [...(right.length > 0 ? right : branches)].sort((left, right) => depth(right) - depth(left))[0] ?? [];
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path)
    at =
      at !== null && typeof at === "object" && Object.hasOwn(at, step)
        ? (at as Record<PropertyKey, unknown>)[step]
        : undefined;
  return at;
}

/** The keys that the schema allows at `path`. The JSON Schema is searched because it has no zod wrappers. */
function keysAt(schema: z.ZodType, path: Path): string[] {
  let at = z.toJSONSchema(schema, { io: "input" }) as z.core.JSONSchema.JSONSchema | undefined;
  for (const step of path) {
    if (typeof at !== "object") return [];
    const next = at.properties?.[String(step)] ?? at.items ?? at.additionalProperties;
    at = typeof next === "object" && !Array.isArray(next) ? (next as z.core.JSONSchema.JSONSchema) : undefined;
  }
  const named = at?.propertyNames;
  return typeof named === "object" && named.enum !== undefined
    ? named.enum.map(String)
    : Object.keys(at?.properties ?? {});
}

/** The last key of a path, with the list indexes after it, in words. */
function nameOf(path: Path): string {
  const key = path.findLastIndex((step) => typeof step !== "number");
  return key === -1 ? "the document" : quoted(written(path.slice(key)));
}

/** A path as text: `attachments[0].scope`. */
export function written(path: Path): string {
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${String(step)}`))
    .join("");
}

function described(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return `${article(typeof value)} (${quoted(value)})`;
}

const ARTICLES: Readonly<Record<string, string>> = {
  object: "a mapping",
  record: "a mapping",
  array: "a list",
  int: "a whole number",
  string: "text",
};

function article(type: string): string {
  return ARTICLES[type] ?? `a ${type}`;
}

function list(values: readonly string[]): string {
  const all = values.map(quoted);
  return all.length > 1 ? `${all.slice(0, -1).join(", ")} or ${all.at(-1)}` : (all[0] ?? "");
}
