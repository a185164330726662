import { CountersignError, type ErrorDetail } from "../../../error.js";

const FETCH_AGAIN = "fetch the file again: it is probably truncated or damaged";

/** For a file that begins like a kernel, a module or a package, and violates its format. */
export function malformed(place: string, message: string, cause?: unknown): CountersignError {
  return new CountersignError("KERNEL_MALFORMED", message, { place, remedy: FETCH_AGAIN, cause });
}

/** For a file from which this package cannot get a kernel's BTF, although nothing is wrong with it. */
export function unsupported(place: string, message: string, remedy: string, more: ErrorDetail = {}): CountersignError {
  return new CountersignError("KERNEL_UNSUPPORTED", message, { ...more, place, remedy });
}

/** For contents that are larger than any known kernel's. */
export function tooLarge(place: string, limit: number): CountersignError {
  return new CountersignError("FILE_TOO_LARGE", `contains more than the limit of ${limit} bytes`, {
    place,
    remedy: "check where the file comes from: no known kernel is that large",
  });
}
