import { CountersignError, type ErrorCode } from "../../error.js";
import { HOOK_NAMES } from "../../hooks/catalogue.js";
import type { Certificate } from "../shared/certificate.js";

/** The form of a value of JSON: whether it has it. */
type Form = (value: unknown) => boolean;

const text: Form = (value) => typeof value === "string";
const count: Form = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const digest: Form = (value) => text(value) && /^[0-9a-f]{64}$/.test(value as string);
const integer: Form = (value) => text(value) && /^-?(?:0|[1-9]\d{0,39})$/.test(value as string);
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
function is(given: unknown): Form {
  return (value) => value === given;
}

function either(...forms: readonly Form[]): Form {
  return (value) => forms.some((form) => form(value));
}

function list(of: Form): Form {
  return (value) => Array.isArray(value) && value.every(of);
}

/** An object with exactly these properties. */
function object(forms: Readonly<Record<string, Form>>): Form {
  const keys = Object.keys(forms);
  return (value) =>
    isRecord(value) &&
    Object.keys(value).length === keys.length &&
    keys.every((key) => Object.hasOwn(value, key) && forms[key]!(value[key]));
}

const row = either(
  object({ times: integer, condition: count }),
  object({ times: integer, symbol: text, least: integer }),
  object({ times: integer, symbol: text, most: integer }),
);
const refutation: Form = either(
  object({ clash: (value) => list(count)(value) && (value as readonly unknown[]).length === 2 }),
  object({ domain: count }),
  object({ farkas: list(row) }),
  object({ split: count, below: (value) => refutation(value), above: (value) => refutation(value) }),
  object({ set: list(count) }),
);
const maps: Form = (value) => isRecord(value) && Object.values(value).every(isRecord);
const witness = object({ subject: isRecord, current: isRecord, answers: isRecord, maps });
/** Conditions and ends have the form of those that the checker finds, with which they are compared. */
const tree: Form = either(
  object({ if: isRecord, yes: (value) => side(value), no: (value) => side(value) }),
  object({ end: isRecord, line: text, witness }),
);
const side = either(object({ refuted: refutation }), tree);
const hook = either(...HOOK_NAMES.map(is));
const table = either(
  object({ attachment: text, hook, policy: digest, tree }),
  object({ hook, mode: text, default: text, attachments: list(isRecord), tree }),
);
const certificate = object({
  certificate: is("countersign prove table"),
  version: is(2),
  digests: object({ configuration: digest, declarations: digest, engine: digest }),
  maps: is("any"),
  tables: list(table),
});

/** Reads a certificate. Throws PROOF_MALFORMED. */
export function readCertificate(json: string, place: string): Certificate {
  try {
    const value: unknown = JSON.parse(json);
    if (certificate(value)) return value as Certificate;
  } catch (cause) {
    throw rejected("PROOF_MALFORMED", "is no JSON, or nested too deeply", place, cause);
  }
  throw rejected("PROOF_MALFORMED", "has not the form of a certificate", place);
}

/** The error with which a certificate is rejected. */
export function rejected(code: ErrorCode, message: string, place: string, cause?: unknown): CountersignError {
  const remedy = "make a certificate of these files again with `countersign prove table --certificate FILE`";
  return new CountersignError(code, message, { place, remedy, cause });
}
