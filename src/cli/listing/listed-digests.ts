import type { ResolvedProgram } from "../../bpf/resolved-object.js";
import type { ListedDigest } from "../../workbench/learn/learnt-rules.js";
import { hasConstantDigest } from "../kernel/allow-list.js";

interface Listed {
  readonly file: string;
  /** The kernels on which it has each digest. */
  readonly digests: Map<string, string[]>;
}

/** Finds, for the digest that a program has on one kernel, those that it has on others. */
export class ListedDigests {
  /** By file and the number of the program in it: names are not unique in a file that embeds several objects. */
  readonly #programs = new Map<string, Listed>();
  readonly #byDigest = new Map<string, Set<Listed>>();

  /** A program whose digest differs from load to load is left out. */
  add(kernel: string, file: string, { type, relocated }: ResolvedProgram, index: number): void {
    if (!hasConstantDigest(relocated)) return;
    const key = `${index} ${file}`;
    const program = this.#programs.get(key) ?? { file, digests: new Map() };
    this.#programs.set(key, program);
    const { digest } = relocated;
    const kernels = program.digests.get(digest) ?? [];
    program.digests.set(digest, kernels.includes(kernel) ? kernels : [...kernels, kernel]);
    const having = this.#byDigest.get(`${type} ${digest}`) ?? new Set();
    this.#byDigest.set(`${type} ${digest}`, having.add(program));
  }

  /** The digests of every program that has this type and digest on some kernel. */
  of(type: string, digest: string): readonly ListedDigest[] {
    return [...(this.#byDigest.get(`${type} ${digest}`) ?? [])].flatMap(({ file, digests }) =>
      [...digests].map(([its, kernels]) => ({ digest: its, kernels, object: file })),
    );
  }
}
