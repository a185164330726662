import type { Reads } from "../reads/reads.js";
import { fileRead, textOf } from "../reads/values.js";
import { tracingFile } from "./tracing-file.js";

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
  const text = textOf(tracingFile(reads, "enabled_functions", fileRead), "latin1");
  return text === null ? null : text.split("\n").flatMap(functionIn);
}

function functionIn(line: string): readonly TracedFunction[] {
  const [, name, key] = /^(\S+)\b.*\bbpf_trampoline_(\d{1,20})\b/.exec(line) ?? [];
  return name === undefined ? [] : [{ name, key: key! }];
}
