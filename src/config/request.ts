import * as z from "zod";
import { duplicateKey } from "../duplicate-key.js";
import type { DescribedSubject } from "./case-subject.js";
import { type DescribedQuestion, QUESTION, questionOf } from "./cases.js";
import { Document } from "./document.js";
import { validated } from "./issue.js";
import { RECORDED_REQUEST, type RecordedRequest, recordedRequest } from "./recorded-request.js";

const DESCRIBED_REQUEST = z.strictObject(QUESTION);

/** The forms of a request, for the published schema. */
export const REQUEST_FORMS = { described: DESCRIBED_REQUEST, recorded: RECORDED_REQUEST };

/** A question whose subject is described, since a request cannot name a file. */
export interface DescribedRequest extends DescribedQuestion {
  readonly form: "described";
  readonly subject: DescribedSubject;
}

/**
 * Reads a request, as one line of JSON: who asks about a subject that is described, or that has all facts of a record.
 * Throws CONFIG_INVALID with `file:line:column`, as reading a case does.
 */
export function readRequest(file: string, line: number, text: string): DescribedRequest | RecordedRequest {
  const document = () => new Document(file, "\n".repeat(line - 1) + text, "CONFIG_INVALID");
  return requestOf(jsonOf(text), document);
}

/** The same for a value. `document` has its places, for an error only: that takes longer than all else. */
function requestOf(value: unknown, document: () => Document): DescribedRequest | RecordedRequest {
  if (typeof value === "object" && value !== null && "subject" in value) return recordedRequest(value, document);
  const places = { error: (...told: Parameters<Document["error"]>) => document().error(...told) };
  const result = DESCRIBED_REQUEST.safeParse(value);
  const given = result.success ? result.data : validated(document(), DESCRIBED_REQUEST);
  return { form: "described", ...questionOf(given, places, []) } as DescribedRequest;
}

/** The value of JSON text; undefined for another text, and for one in which a key is twice. */
function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // Text that is written as JSON.stringify does it has each key once: comparing takes a tenth of reading the keys
    return JSON.stringify(value) === text || duplicateKey(text) === null ? value : undefined;
  } catch {
    return undefined;
  }
}
