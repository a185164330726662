import { factsOfFile } from "../../bpf/embedded.js";
import type { Code } from "../../bpf/model/code.js";
import { codeAround } from "../../bpf/report/code-around.js";
import type { Explanation } from "./explanation.js";

/** The kernel's limit of a program's name (include/linux/bpf.h). */
const BPF_OBJ_NAME_LEN = 16;

/**
 * The explanation with the instructions of its evidence, disassembled from an object file that has the program: by its
 * digest, or if the program was relocated by its name. Null if the file has no such program. Throws as reading the
 * object does.
 */
export function withCode(explanation: Explanation, bytes: Uint8Array): Explanation | null {
  const { digest, name } = explanation.subject;
  let same: Code | null = null;
  const named: Code[] = [];
  factsOfFile(bytes, (program, facts) => {
    if (facts.digest === digest) same ??= program;
    if (name !== null && kernelName(facts.name) === kernelName(name)) named.push(program);
  });
  const code: Code | null = same ?? (named.length === 1 ? named[0]! : null);
  if (code === null) return null;
  const evidence = explanation.evidence.map((one) => {
    return one.insn === null ? one : { ...one, code: codeAround(code, one.insn) };
  });
  if (same !== null) return { ...explanation, evidence };
  const limits = [...explanation.executed.limits, BEFORE_RELOCATION];
  return { ...explanation, evidence, executed: { ...explanation.executed, limits } };
}

const BEFORE_RELOCATION = "the instructions are those of the object, before the loader relocated them for the kernel";

function kernelName(name: string): string {
  return name.slice(0, BPF_OBJ_NAME_LEN - 1);
}
