import type { Btf } from "../../bpf/btf/btf.js";
import type { Variant } from "../../bpf/core/variant.js";
import { factsOfFile } from "../../bpf/embedded.js";
import type { Code } from "../../bpf/model/code.js";
import type { ObjectFacts } from "../../bpf/model/facts.js";
import type { Visit } from "../../bpf/object.js";
import type { Relocations } from "../../bpf/relocations.js";
import { missingFrom, type Need } from "../../bpf/report/kernel-needs.js";
import { type ProgramDetails, programDetailsOf, relocationsOf } from "../../bpf/report/program-details.js";
import { CountersignError } from "../../error.js";
import { readInput } from "../../input.js";
import type { TargetKernel } from "./target-kernel.js";

/** A program's details, and the names that it needs and the kernel's BTF lacks; null if there is no kernel BTF. */
export interface Whole extends ProgramDetails {
  readonly missing: readonly Need[] | null;
}

/** BTF in which names are looked up. */
export interface NamedBtf {
  readonly path: string;
  readonly vmlinux: Btf;
}

/** One file and its facts. */
export interface InspectedFile {
  readonly file: string;
  readonly facts: ObjectFacts;
  /** One for each program; empty if not requested. */
  readonly wholes: readonly Whole[];
  /** The BTF file in which names were looked up; null if none was. */
  readonly kernel: string | null;
  /** The kernel that facts are of; null if they are from the object alone. */
  readonly target: InspectionTarget | null;
}

export interface InspectionTarget {
  readonly kernel: TargetKernel;
  readonly variant: Variant;
  /** For each program why it cannot load on the kernel, or is not known there; null if it can. */
  readonly reasons: readonly (CountersignError | null)[];
}

/** Computes the facts about files, on a kernel if one is given. */
export class Inspector {
  constructor(
    readonly target: TargetKernel | null,
    readonly variant: Variant,
  ) {}

  /** `details` requests them too, with the BTF in which to look names up. Errors name the file. */
  async inspect(file: string, details: { readonly names: NamedBtf | null } | null): Promise<InspectedFile> {
    const { target: kernel, variant } = this;
    const bytes = readInput(file);
    const read = (relocations: Relocations | null): InspectedFile => {
      const wholes: Whole[] = [];
      const visit: Visit = (program, _, __, relocated) => {
        if (details !== null) wholes.push(wholeOf(program, relocated?.code ?? program, details.names));
      };
      const facts = placedIn(file, () => factsOfFile(bytes, visit, relocations?.relocate));
      const target = kernel === null ? null : { kernel, variant, reasons: relocations?.reasons ?? [] };
      return { file, facts, wholes, kernel: details?.names?.path ?? null, target };
    };
    return kernel === null ? read(null) : kernel.use(() => read(kernel.relocations(variant)));
  }
}

/**
 * `program` is as in the object, and gives the relocations and needs; `code` is as on the kernel, if it loads there.
 */
function wholeOf(program: Code, code: Code, names: NamedBtf | null): Whole {
  const missing = names === null ? null : missingFrom(names.vmlinux, program);
  return { ...programDetailsOf(code), relocations: relocationsOf(program), missing };
}

function placedIn<Result>(file: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof CountersignError ? error.within(file) : error;
  }
}
