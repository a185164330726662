import { Command } from "commander";
import { writeWhole } from "../files/write.js";
import { noCacheOption } from "../input/cache-option.js";
import { collectOption } from "../input/collect-option.js";
import { KERNEL_FILES, kallsymsOption, modulesOption } from "../input/kernel-options.js";
import { variantsOption } from "../input/list-options.js";
import { AllowList } from "../kernel/allow-list.js";
import { type ListOptions, resolveListed } from "../listing/listed-programs.js";
import { EXIT } from "../output/exit.js";

/** `countersign list`: the map of the policy `hash-allow-list`. */
export function command(): Command {
  return new Command("list")
    .description("Lists the digests that programs have on a set of kernels, as the map of policies/hash-allow-list.js")
    .argument("<path...>", "BPF objects, executables that embed them, or folders of both")
    .option("--btf <file>", "a kernel; again for more (default: the running one)", collectOption)
    .addOption(variantsOption())
    .addOption(modulesOption())
    .addOption(kallsymsOption())
    .addOption(noCacheOption())
    .option("--out <file>", "where to write; standard output by default")
    .addHelpText(
      "after",
      `
Writes one JSON object: from each digest to the programs that have it, with their type, file and kernels. Programs that
need no relocation have one digest on all kernels. In folders, files that contain no BPF are left out; a
folder without any BPF is an error.

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

interface Options extends ListOptions {
  readonly out?: string;
}

async function list(paths: readonly string[], options: Options): Promise<void> {
  const allowed = new AllowList();
  const isComplete = await resolveListed(paths, options, (kernel, file, program) => allowed.add(kernel, file, program));
  if (!isComplete) process.exitCode = EXIT.undecided;
  if (options.out === undefined) process.stdout.write(allowed.toJson());
  else writeWhole(options.out, Buffer.from(allowed.toJson()));
}
