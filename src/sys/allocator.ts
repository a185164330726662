import { koffi } from "./native.js";

/**
 * Returns free pages of the heap to the kernel: malloc_trim(3). Otherwise memory that start-up and compilation freed
 * stays in glibc's arenas, of which each thread can have its own. Does nothing if the C library does not have this
 * function.
 */
export function giveBack(): void {
  try {
    koffi().load(null).func("malloc_trim", "int", ["size_t"])(0);
  } catch {
    // musl does not have malloc_trim
  }
}
