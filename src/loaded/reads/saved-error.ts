import { CountersignError } from "../../error.js";

/** The error of a saved scan that cannot be used. `name` is that of the result that is wrong. */
export function invalidArchive(message: string, name?: string, cause?: unknown): CountersignError {
  return new CountersignError("SCAN_ARCHIVE_INVALID", message, {
    place: name,
    remedy: "name a file that `countersign scan --save` of this version wrote, or save it again",
    cause,
  });
}
