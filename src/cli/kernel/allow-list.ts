import type { Relocated } from "../../bpf/relocate.js";
import type { ResolvedProgram } from "../../bpf/resolved-object.js";

/** A program that has a digest on these kernels: a value of the map `allowed_programs`. */
export interface AllowedProgram {
  readonly name: string;
  readonly type: string;
  /** The file that has it. */
  readonly object: string;
  /** Names of the kernels on which it has the digest. */
  readonly kernels: readonly string[];
}

/**
 * Whether the digest that policies see is the same at each load: not if the instructions hold the fd of a module's BTF.
 */
export function hasConstantDigest(relocated: ResolvedProgram["relocated"]): relocated is Relocated {
  return relocated !== null && relocated.tag !== null;
}

/** Collects the digests of programs on several kernels. Programs of different types can have one digest. */
export class AllowList {
  readonly #programs = new Map<string, Map<string, AllowedProgram & { readonly kernels: string[] }>>();

  /** Adds a program; one without a digest that is the same at each load is left out. */
  add(kernel: string, object: string, { name, type, relocated }: ResolvedProgram): void {
    if (!hasConstantDigest(relocated)) return;
    const digest = this.#programs.get(relocated.digest) ?? new Map();
    this.#programs.set(relocated.digest, digest);
    const key = JSON.stringify([type, name, object]);
    const known = digest.get(key) ?? { name, type, object, kernels: [] };
    digest.set(key, known);
    if (!known.kernels.includes(kernel)) known.kernels.push(kernel);
  }

  get size(): number {
    return this.#programs.size;
  }

  /** The map in JSON, with one digest in each line, sorted by digest. */
  toJson(): string {
    const lines = [...this.#programs]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([digest, programs]) => {
        const rows = [...programs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, program]) => program);
        return `  ${JSON.stringify(digest)}: ${JSON.stringify(rows)}`;
      });
    return lines.length === 0 ? "{}\n" : `{\n${lines.join(",\n")}\n}\n`;
  }
}
