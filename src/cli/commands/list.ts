import { Command, Option } from "commander";
import { VARIANTS, type Variant } from "../../bpf/relocate.js";
import type { ResolvedProgram } from "../../bpf/resolved-object.js";
import { CountersignError } from "../../error.js";
import { type ObjectFile, objectFiles } from "../files/object-files.js";
import { writeWhole } from "../files/write.js";
import { type CacheOption, noCacheOption, openCache } from "../input/cache-option.js";
import {
  DEFAULT_VARIANT,
  KERNEL_FILES,
  kallsymsOption,
  kernelPath,
  modulesOption,
  openTarget,
} from "../input/kernel-options.js";
import { AllowList, hasConstantDigest } from "../kernel/allow-list.js";
import { resolveFile } from "../kernel/resolved-file.js";
import type { TargetKernel } from "../kernel/target-kernel.js";
import { EXIT } from "../output/exit.js";
import { printError } from "../output/output.js";
import { progress } from "../output/progress.js";

/** `countersign list`: the map of the policy `hash-allow-list`. */
export function command(): Command {
  return new Command("list")
    .description("Lists the digests that programs have on a set of kernels, as the map of policies/hash-allow-list.js")
    .argument("<path...>", "BPF objects, executables that embed them, or folders of both")
    .option("--btf <file>", "a kernel; again for more (default: the running one)", collect)
    .addOption(
      new Option(
        "--variant <loader>",
        `the loader's library, ${VARIANTS.join(" or ")}; again for more (default: "${DEFAULT_VARIANT}")`,
      ).argParser(variant),
    )
    .addOption(modulesOption())
    .addOption(kallsymsOption())
    .addOption(noCacheOption())
    .option("--out <file>", "where to write; standard output by default")
    .addHelpText(
      "after",
      `
Writes one JSON object: from each digest to the programs that have it, with their type, file and kernels. Programs that
need no relocation have one digest on all kernels. In folders, files that contain no BPF are left out.

${KERNEL_FILES}

Exits with 0 if the list is complete, 2 if a file cannot be read, or a program's digest changes: at each boot, with
the address of a symbol (\`needs kallsyms\`), or at each load, with the fd of a module. A program that cannot load on a
kernel is left out, and the list counts as complete; \`countersign resolve\` names such programs.

Examples:
  countersign list --out maps/allowed.json /usr/sbin
  countersign list --btf linux-image-6.1.0-50-amd64_6.1.176-1_amd64.deb --btf vmlinuz-6.12 tools/ > allowed.json`,
    )
    .action(list);
}

interface Options extends CacheOption {
  readonly btf?: readonly string[];
  readonly variant?: readonly Variant[];
  readonly modules?: ReadonlySet<string>;
  readonly kallsyms?: string;
  readonly out?: string;
}

async function list(paths: readonly string[], options: Options): Promise<void> {
  const { btf = [kernelPath({})], variant: variants = [DEFAULT_VARIANT], kallsyms, out } = options;
  if (kallsyms !== undefined && btf.length > 1)
    throw new CountersignError("USAGE", `--kallsyms is of one kernel, and ${btf.length} are named`, {
      remedy: "make a list for that kernel alone",
    });
  const files = objectFiles(paths);
  const cache = openCache(options);
  const allowed = new AllowList();
  const failed = new Set<ObjectFile>();
  for (const path of btf) {
    const kernel = await openTarget(path, options, cache);
    const counts = new Counts(kernel);
    const bar = await progress(files.length);
    for (const file of files) {
      bar.step(file.path);
      if (failed.has(file)) continue;
      try {
        for (const variant of variants)
          for (const program of await programsOf(file, kernel, variant)) {
            allowed.add(kernel.name, file.path, program);
            counts.add(program);
          }
      } catch (error) {
        if (!(error instanceof CountersignError) || error.place?.startsWith(file.path) !== true) throw error;
        printError(error);
        failed.add(file);
      }
    }
    bar.stop();
    process.stderr.write(`${counts}\n`);
    if (counts.incomplete) process.exitCode = EXIT.undecided;
  }
  if (failed.size > 0) process.exitCode = EXIT.undecided;
  if (out === undefined) process.stdout.write(allowed.toJson());
  else writeWhole(out, Buffer.from(allowed.toJson()));
  cache?.save();
}

async function programsOf(
  { path, named }: ObjectFile,
  kernel: TargetKernel,
  variant: Variant,
): Promise<readonly ResolvedProgram[]> {
  try {
    return (await resolveFile(path, kernel, variant)).flatMap(({ programs }) => programs);
  } catch (error) {
    if (!named && error instanceof CountersignError && error.code === "ELF_NO_PROGRAMS") return [];
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

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function variant(value: string, before: readonly Variant[] = []): readonly Variant[] {
  const known = VARIANTS.find((each) => each === value);
  if (known === undefined)
    throw new CountersignError("USAGE", `there is no loader \`${value}\``, { remedy: `use ${VARIANTS.join(" or ")}` });
  return [...before, known];
}
