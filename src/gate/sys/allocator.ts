import { koffi } from "./native.js";

/**
 * Gives pages that nothing is allocated in back to the system: malloc_trim(3). What starting and compiling took stays
 * with libc's arenas otherwise, one for each thread that helped. Does nothing where the C library has no such function.
 */
export function giveBack(): void {
  try {
    koffi().load(null).func("malloc_trim", "int", ["size_t"])(0);
  } catch {
    // musl has none, and keeps less
  }
}
