import type { Kernel } from "../../bpf/relocate.js";
import type { KnownProgram } from "./known-program.js";

/**
 * Where programs are known from, besides the files of processes. Returns them as they are on a kernel; `incomplete` is
 * called with a clause for what cannot be read.
 */
export type KnownSource = (kernel: Kernel, incomplete: (reason: string) => void) => Iterable<KnownProgram>;
