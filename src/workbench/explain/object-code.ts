import { endianness } from "node:os";
import { factsOfFile } from "../../bpf/embedded.js";
import { decodeInsns, type Insns } from "../../bpf/insn/insn.js";
import type { Code } from "../../bpf/model/code.js";
import type { Relocator, Visit } from "../../bpf/object.js";
import { codeAround } from "../../bpf/report/code-around.js";
import type { SubjectContent } from "../../log/input-records.js";
import type { Contents } from "../replay/recorded-inputs.js";
import type { ExplainedEvidence, Explanation } from "./explanation.js";

/** The kernel's limit of a program's name (include/linux/bpf.h). */
const BPF_OBJ_NAME_LEN = 16;

/**
 * Evidence with the instructions around it, from those that `contents` has of the program: as they were loaded, or else
 * as they are for a statement. They have no lines of a source.
 */
export function withKeptCode(
  evidence: readonly ExplainedEvidence[],
  subject: SubjectContent | null,
  contents: Contents | null,
): readonly ExplainedEvidence[] {
  if (evidence.length === 0 || contents === null) return evidence;
  const insns = keptInsns(subject?.facts as Readonly<Record<string, unknown>> | undefined, contents);
  if (insns === null) return evidence;
  const code = { insns, sourceAt: () => null };
  return evidence.map((one) => (Number.isInteger(one.insn) ? { ...one, code: codeAround(code, one.insn!) } : one));
}

function keptInsns(facts: Readonly<Record<string, unknown>> | undefined, contents: Contents): Insns | null {
  for (const bytes of [facts?.raw_insns, facts?.insns]) {
    const { sha256 } = (bytes ?? {}) as { readonly sha256?: unknown };
    const found = typeof sha256 === "string" ? contents.find(sha256) : null;
    if (found === null) continue;
    try {
      return decodeInsns(found, endianness() === "LE" ? "little" : "big");
    } catch {
      // A file of instructions has any content as long as it has its digest
    }
  }
  return null;
}

/**
 * The explanation with the instructions of its evidence, disassembled from an object file that has the program: by its
 * digest, or if the program was relocated by its name. With `relocate` the programs are those of a kernel. Null if the
 * file has no such program. Throws as reading the object does.
 */
export function withCode(explanation: Explanation, bytes: Uint8Array, relocate?: Relocator): Explanation | null {
  const { digest, name } = explanation.subject;
  let same: Code | null = null;
  const named: Code[] = [];
  const visit: Visit = (program, facts, _, relocated) => {
    const its = relocated?.code ?? program;
    if (facts.digest === digest) same ??= its;
    if (name !== null && kernelName(facts.name) === kernelName(name)) named.push(its);
  };
  factsOfFile(bytes, visit, relocate);
  const code: Code | null = same ?? (named.length === 1 ? named[0]! : null);
  if (code === null) return null;
  const evidence = explanation.evidence.map((one) => {
    return one.insn === null ? one : { ...one, code: codeAround(code, one.insn) };
  });
  if (same !== null) return { ...explanation, evidence };
  const limits = [...explanation.executed.limits, relocate === undefined ? BEFORE_RELOCATION : OTHER_RELOCATION];
  return { ...explanation, evidence, executed: { ...explanation.executed, limits } };
}

const BEFORE_RELOCATION = "the instructions are those of the object, before the loader relocated them for the kernel";
const OTHER_RELOCATION = "the instructions are those of the object on the kernel of --btf, and others were loaded";

function kernelName(name: string): string {
  return name.slice(0, BPF_OBJ_NAME_LEN - 1);
}
