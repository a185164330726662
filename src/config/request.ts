import * as z from "zod";
import { duplicateKey } from "../duplicate-key.js";
import type { DescribedSubject } from "./case-subject.js";
import { type DescribedQuestion, QUESTION, questionOf } from "./cases.js";
import { Document } from "./document.js";
import { validated } from "./issue.js";

const REQUEST = z.strictObject(QUESTION);

/** A question whose subject is described, since a request cannot name a file. */
interface DescribedRequest extends DescribedQuestion {
  readonly subject: DescribedSubject;
}

/**
 * Reads a request: a subject that is described and who asks, as one line of JSON. Throws CONFIG_INVALID with
 * `file:line:column`, as reading a case does.
 */
export function readRequest(file: string, line: number, text: string): DescribedRequest {
  // For an error only: it takes longer than all else
  const document = () => new Document(file, "\n".repeat(line - 1) + text, "CONFIG_INVALID");
  const places = { error: (...told: Parameters<Document["error"]>) => document().error(...told) };
  const result = REQUEST.safeParse(jsonOf(text));
  return questionOf(result.success ? result.data : validated(document(), REQUEST), places, []) as DescribedRequest;
}

/** The value of JSON text; undefined for another text, and for one in which a key is twice. */
function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return duplicateKey(text) === null ? value : undefined;
  } catch {
    return undefined;
  }
}
