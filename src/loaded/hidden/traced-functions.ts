import type { Reads } from "../reads/reads.js";
import { textRead } from "../reads/values.js";

const PATHS = ["/sys/kernel/tracing/enabled_functions", "/sys/kernel/debug/tracing/enabled_functions"];

/** A function of the kernel that calls a trampoline of BPF programs. */
export interface TracedFunction {
  readonly name: string;
  /** Says for which type of the kernel the trampoline is. */
  readonly key: string;
}

/**
 * The functions of the kernel to which programs of the types tracing and lsm are attached, as ftrace sees them; null if
 * it does not say so. A line has the function first, and the trampoline, if it has one.
 */
export function functionsWithPrograms(reads: Reads): readonly TracedFunction[] | null {
  for (const path of PATHS) {
    const text = textRead(reads, path, "latin1");
    if (text !== null) return text.split("\n").flatMap(functionIn);
  }
  return null;
}

function functionIn(line: string): readonly TracedFunction[] {
  const [, name, key] = /^(\S+)\b.*\bbpf_trampoline_(\d{1,20})\b/.exec(line) ?? [];
  return name === undefined ? [] : [{ name, key: key! }];
}
