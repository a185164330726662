import { isDeepStrictEqual } from "node:util";
import { duplicateKey } from "../../duplicate-key.js";
import { CountersignError, type ErrorCode } from "../../error.js";
import { HOOK_NAMES } from "../../hooks/catalogue.js";
import type { TableCertificate } from "../shared/certificate.js";

/**
 * The form of a value of JSON: a text that an expression matches, a list of values of one form, an object with exactly
 * these properties, or what a function says.
 */
type Form = RegExp | readonly [Form] | { readonly [key: string]: Form } | ((value: unknown) => boolean);

const text = /^/;
const count: Form = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const digest = /^[0-9a-f]{64}$/;
const integer = /^-?(?:0|[1-9]\d{0,39})$/;
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function has(value: unknown, form: Form): boolean {
  if (typeof form === "function") return form(value);
  if (form instanceof RegExp) return typeof value === "string" && form.test(value);
  if (Array.isArray(form)) return Array.isArray(value) && value.every((one) => has(one, form[0]));
  const forms = Object.entries(form);
  if (!isRecord(value) || Object.keys(value).length !== forms.length) return false;
  return forms.every(([key, one]) => Object.hasOwn(value, key) && has(value[key], one));
}

function either(...forms: readonly Form[]): Form {
  return (value) => forms.some((form) => has(value, form));
}

const row = either(
  { times: integer, condition: count },
  { times: integer, symbol: text, least: integer },
  { times: integer, symbol: text, most: integer },
);
const refutation: Form = either(
  { clash: (value) => has(value, [count]) && (value as readonly unknown[]).length === 2 },
  { domain: count },
  { element: count },
  { none: (value) => has(value, [count]) && (value as readonly unknown[]).length === 2 },
  { farkas: [row] },
  { split: count, below: (value) => has(value, refutation), above: (value) => has(value, refutation) },
  { set: [count] },
  { values: text },
  { key: text },
);
const maps: Form = (value) => isRecord(value) && Object.values(value).every(isRecord);
const witness: Form = { subject: isRecord, current: isRecord, answers: isRecord, maps };
/** Conditions and ends have the form of those that the checker finds, with which they are compared. */
const tree: Form = either(
  { if: isRecord, yes: (value) => has(value, side), no: (value) => has(value, side) },
  { end: isRecord, line: text, witness },
);
const side: Form = either({ refuted: refutation }, tree);
const hook = (value: unknown) => HOOK_NAMES.some((name) => name === value);
const composition = { mode: text, default: text, attachments: [isRecord] } as const;
const table = either(
  { attachment: text, hook, policy: digest, tree },
  { hook, ...composition, tree },
  { property: text, text: digest, answer: /^(?:proved|refuted)$/, hook, ...composition, tree },
);
const certificate: Form = {
  certificate: /^countersign prove$/,
  version: (value) => value === 3,
  digests: { configuration: digest, declarations: digest, engine: digest },
  maps,
  tables: [table],
};

/** Reads a certificate. Throws PROOF_MALFORMED. */
export function readCertificate(json: string, place: string): TableCertificate {
  try {
    const value: unknown = JSON.parse(json);
    if (has(value, certificate) && duplicateKey(json) === null) return value as TableCertificate;
  } catch (cause) {
    throw rejected("PROOF_MALFORMED", "is no JSON, or nested too deeply", place, cause);
  }
  throw rejected("PROOF_MALFORMED", "has not the form of a certificate, or a key twice", place);
}

const REMEDY = "make it again with --certificate FILE of `countersign prove table` or `prove property`";

/** The error with which a certificate is rejected. */
export function rejected(code: ErrorCode, message: string, place: string, cause?: unknown): CountersignError {
  return new CountersignError(code, message, { place, remedy: REMEDY, cause });
}

type Message = (right: string) => string;

/** Rejects a certificate that states anything else than the right values, as JSON has them. */
export function requireEqual(right: object, stated: object, code: ErrorCode, message: Message, place: string): void {
  const [its, given] = [JSON.parse(JSON.stringify(right)), stated as Readonly<Record<string, unknown>>];
  for (const key of new Set([...Object.keys(its), ...Object.keys(given)]))
    if (!isDeepStrictEqual(its[key], given[key]))
      throw rejected(code, message(JSON.stringify(its[key]) ?? "absent"), `${place}.${key}`);
}
