import { CountersignError, ERROR_CODES, type ErrorCode } from "../../error.js";

/** A CountersignError in a form that can be sent to another thread. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly place: string | undefined;
  readonly remedy: string | undefined;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof CountersignError) {
    const { code, message, place, remedy } = error;
    return { code, message, place, remedy };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: "INTERNAL", message, place: undefined, remedy: undefined };
}

export function errorOf({ code, message, place, remedy }: Failure): CountersignError {
  const known = (ERROR_CODES as readonly string[]).includes(code) ? (code as ErrorCode) : "INTERNAL";
  return new CountersignError(known, message, { place, remedy });
}
