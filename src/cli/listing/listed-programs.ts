import type { Variant } from "../../bpf/core/variant.js";
import type { ResolvedProgram } from "../../bpf/resolved-object.js";
import { CountersignError } from "../../error.js";
import { type ObjectFile, objectFiles, requirePrograms } from "../files/object-files.js";
import { type CacheOption, openCache } from "../input/cache-option.js";
import { DEFAULT_VARIANT, kernelPath, openTarget } from "../input/kernel-options.js";
import { hasConstantDigest } from "../kernel/allow-list.js";
import { resolveFile } from "../kernel/resolved-file.js";
import type { TargetKernel } from "../kernel/target-kernel.js";
import { printError } from "../output/output.js";
import { progress } from "../output/progress.js";

/** Kernels and loaders that programs are resolved for. */
export interface ListOptions extends CacheOption {
  readonly btf?: readonly string[];
  readonly variant?: readonly Variant[];
  readonly modules?: ReadonlySet<string>;
  readonly kallsyms?: string;
}

/**
 * Receives a program as it is on a kernel. `index` is its number among the programs of the file, the same on every
 * kernel.
 */
export type AddProgram = (kernel: string, file: string, program: ResolvedProgram, index: number) => void;

/**
 * Resolves the programs of files, and of folders of files, for each kernel and loader. Prints what cannot be read, and
 * for each kernel the number of programs, to stderr. Returns whether all digests are known. Throws USAGE, and
 * NOTHING_FOUND for a folder without BPF objects.
 */
export async function resolveListed(paths: readonly string[], options: ListOptions, add: AddProgram): Promise<boolean> {
  const { btf = [kernelPath({})], variant: variants = [DEFAULT_VARIANT], kallsyms } = options;
  if (kallsyms !== undefined && btf.length > 1)
    throw new CountersignError("USAGE", `--kallsyms is of one kernel, and ${btf.length} are named`, {
      remedy: "make a list for that kernel alone",
    });
  const files = objectFiles(paths);
  const cache = openCache(options);
  const failed = new Set<ObjectFile>();
  const found = new Set<ObjectFile>();
  let isComplete = true;
  for (const path of btf) {
    const kernel = await openTarget(path, options, cache);
    const counts = new Counts(kernel);
    const bar = await progress(files.length);
    for (const file of files) {
      bar.step(file.path);
      if (failed.has(file)) continue;
      try {
        for (const variant of variants)
          for (const [index, program] of (await programsOf(file, kernel, variant)).entries()) {
            found.add(file);
            add(kernel.name, file.path, program, index);
            counts.add(program);
          }
      } catch (error) {
        if (!(error instanceof CountersignError) || error.place?.startsWith(file.path) !== true) throw error;
        printError(error);
        failed.add(file);
      }
    }
    bar.stop();
    requirePrograms(files, (file) => found.has(file) || failed.has(file));
    process.stderr.write(`${counts}\n`);
    if (counts.incomplete) isComplete = false;
  }
  cache?.save();
  return isComplete && failed.size === 0;
}

async function programsOf(
  { path, folder }: ObjectFile,
  kernel: TargetKernel,
  variant: Variant,
): Promise<readonly ResolvedProgram[]> {
  try {
    return (await resolveFile(path, kernel, variant)).flatMap(({ programs }) => programs);
  } catch (error) {
    if (folder !== null && error instanceof CountersignError && error.code === "ELF_NO_PROGRAMS") return [];
    throw error;
  }
}

/** What is said about the programs on one kernel. */
class Counts {
  readonly #digests = new Set<string>();
  #programs = 0;
  #unknown = 0;
  #failed = 0;

  constructor(readonly kernel: TargetKernel) {}

  add({ relocated, error }: ResolvedProgram): void {
    this.#programs += 1;
    if (hasConstantDigest(relocated)) this.#digests.add(relocated.digest);
    else if (relocated !== null || error?.code === "CORE_NEEDS_KALLSYMS") this.#unknown += 1;
    else this.#failed += 1;
  }

  get incomplete(): boolean {
    return this.#unknown > 0;
  }

  toString(): string {
    const parts = [
      `${this.#programs} ${this.#programs === 1 ? "program" : "programs"}`,
      `${this.#digests.size} ${this.#digests.size === 1 ? "digest" : "digests"}`,
      ...(this.#failed === 0 ? [] : [`${this.#failed} cannot load`]),
      ...(this.#unknown === 0 ? [] : [`${this.#unknown} not listed, whose digest changes`]),
    ];
    return `${this.kernel.name}${this.kernel.hasModules ? "" : " without its modules"}: ${parts.join(", ")}`;
  }
}
