import type { ProgramSubject } from "../hooks/subject.js";
import type { LiveLoad } from "./load.js";

/** The name of the loader's probe that a load is, to the last bit; null for any other load. */
export function probeName(_load: LiveLoad, _subject: ProgramSubject): string | null {
  return null;
}
