import { CountersignError } from "../../error.js";

/** The error that is printed once: why the first decision could not be logged, and the consequence. */
export function unloggedError(cause: CountersignError | null): CountersignError {
  const message =
    "decisions cannot be logged; their operations are let through, because audit denies nothing: " +
    `${cause?.message ?? "unknown"}`;
  return new CountersignError("FILE_UNREADABLE", message, {
    place: cause?.place,
    remedy: cause?.remedy ?? "check that the log can be written: its path, permissions and disk space",
  });
}
