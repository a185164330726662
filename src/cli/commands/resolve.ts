import { Command } from "commander";
import type { Variant } from "../../bpf/core/variant.js";
import type { ResolvedProgram } from "../../bpf/resolved-object.js";
import { CountersignError } from "../../error.js";
import { openCache } from "../input/cache-option.js";
import {
  KERNEL_FILES,
  type KernelOptions,
  kernelPath,
  openTarget,
  withKernelOptions,
} from "../input/kernel-options.js";
import { hasConstantDigest } from "../kernel/allow-list.js";
import { resolveFile } from "../kernel/resolved-file.js";
import type { TargetKernel } from "../kernel/target-kernel.js";
import { EXIT } from "../output/exit.js";
import { printError, printJson } from "../output/output.js";
import { progress } from "../output/progress.js";
import { printResolved, type Resolved, resolvedJson } from "../output/resolved.js";

/** `countersign resolve`: the digests that programs have on a kernel. */
export function command(): Command {
  const command = new Command("resolve")
    .description("Shows the digest and tag that each program of BPF objects has on a kernel")
    .argument("<file...>", "BPF objects, or executables that embed them");
  return withKernelOptions(command, "the kernel (default: the running one)")
    .option("--json", "one JSON object a file, an array for several")
    .addHelpText(
      "after",
      `
A loader writes the kernel's offsets, sizes and ids into a program (CO-RE) before it loads it. This computes the same
instructions without loading anything, for any kernel, and prints the digest that policies see at the load.

${KERNEL_FILES}

\`needs kallsyms\` means that a program contains the address of a kernel symbol, which changes at each boot. Exits
with 0 if every program is resolved, 2 if one cannot be loaded on this kernel or its instructions are not known.

Examples:
  countersign resolve /usr/sbin/execsnoop-libbpf
  countersign resolve --btf linux-image-6.12.118+deb13-amd64_6.12.118-1_amd64.deb tracer.o
  countersign resolve --btf vmlinux --variant libbpf-1.6 --json *.o | jq -r '.[].objects[].programs[].digest'`,
    )
    .action(resolve);
}

interface Options extends KernelOptions {
  readonly json?: true;
}

async function resolve(files: readonly string[], options: Options): Promise<void> {
  const cache = openCache(options);
  const kernel = await openTarget(kernelPath(options), options, cache);
  const bar = await progress(files.length);
  const resolved: Resolved[] = [];
  for (const file of files) {
    bar.step(file);
    resolved.push(await resolveOne(file, kernel, options.variant));
  }
  bar.stop();
  for (const { error } of resolved) if (error !== null) printError(error);
  if (options.json === true) {
    const rows = resolved.map((one) => resolvedJson(one, kernel, options.variant));
    printJson(files.length > 1 ? rows : rows[0]);
  } else printResolved(resolved, kernel, options.variant);
  const failed = ({ objects, error }: Resolved) =>
    error !== null || objects.some(({ programs }) => programs.some((program) => !isResolved(program)));
  if (resolved.some(failed)) process.exitCode = EXIT.undecided;
  cache?.save();
}

function isResolved({ relocated, error }: ResolvedProgram): boolean {
  return error === null && hasConstantDigest(relocated);
}

/** The kernel's own errors end the command. */
async function resolveOne(file: string, kernel: TargetKernel, variant: Variant): Promise<Resolved> {
  try {
    return { file, objects: await resolveFile(file, kernel, variant), error: null };
  } catch (error) {
    if (error instanceof CountersignError && error.place?.startsWith(file) === true)
      return { file, objects: [], error };
    throw error;
  }
}
