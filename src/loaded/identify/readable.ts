import { CountersignError } from "../../error.js";

/** What `read` returns; null if it throws an error of Countersign, for what is malformed or not for this kernel. */
export function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof CountersignError) return null;
    throw error;
  }
}
