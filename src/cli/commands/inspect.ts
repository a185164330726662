import { existsSync } from "node:fs";
import { Command } from "commander";
import { Btf } from "../../bpf/btf/btf.js";
import { differenceOf, isSame } from "../../bpf/report/difference.js";
import { type ProgramStatement, parseStatement } from "../../bpf/statement.js";
import { CountersignError } from "../../error.js";
import { readInput } from "../../input.js";
import { beginsAsStatement } from "../../statement-line.js";
import { openCache } from "../input/cache-option.js";
import {
  KERNEL_FILES,
  type KernelOptions,
  openTarget,
  requireKernel,
  withKernelOptions,
} from "../input/kernel-options.js";
import { statementsOf } from "../input/object-statements.js";
import { Inspector, type NamedBtf } from "../kernel/inspector.js";
import { RUNNING_KERNEL } from "../kernel/modules/btf-folder.js";
import { EXIT } from "../output/exit.js";
import { describeDifference, differenceJson } from "../output/inspect-diff.js";
import { describeFacts } from "../output/inspect-text.js";
import { type Inspected, inspectedJson } from "../output/inspected.js";
import { print, printError, printJson } from "../output/output.js";
import { describeStatement, statementJson } from "../output/statement-text.js";

/** `countersign inspect FILE…`: shows the facts and effects of the programs in an object. */
export function command(): Command {
  const command = new Command("inspect")
    .description("Shows the facts about each program of BPF objects, and of executables that embed them.")
    .argument("<file...>", "BPF objects, or executables that embed them")
    .option("--json", "write one object for a file, an array for several")
    .option("--details", "with --json: each program's functions, relocations, stack, loops and map memory too");
  return withKernelOptions(command, "show programs as they are on this kernel, after relocation")
    .option("--statement", "show the statement in a file, or the one that `sign --programs` would make of each object")
    .option("--diff", "show what differs between two files; exits with 1 if anything does")
    .addHelpText(
      "after",
      `
With --btf, digests and effects are those on that kernel: a branch that it does not take has no effects. Without it,
names are looked up in the running kernel.

${KERNEL_FILES}

Examples:
  countersign inspect tracer.o
  countersign inspect --btf linux-image-6.12.118+deb13-amd64.deb tracer.o
  countersign inspect --json /usr/sbin/opensnoop-libbpf | jq '.programs[].effects'
  countersign inspect --diff tracer-1.0.o tracer-1.1.o
  countersign inspect --statement signatures/01fd44….statement
  countersign inspect --statement /usr/sbin/execsnoop
`,
    )
    .action(inspect);
}

interface Options extends KernelOptions {
  readonly json?: true;
  readonly details?: true;
  readonly diff?: true;
  readonly statement?: true;
}

async function inspect(files: readonly string[], options: Options): Promise<void> {
  if (options.statement === true) {
    showStatements(files, options);
    return;
  }
  requireKernel(options);
  const cache = options.btf === undefined ? null : openCache(options);
  const target = options.btf === undefined ? null : await openTarget(options.btf, options, cache);
  const inspector = new Inspector(target, options.variant);
  if (options.diff === true) await diff(files, inspector, options);
  else await show(files, inspector, options);
  cache?.save();
}

async function show(files: readonly string[], inspector: Inspector, options: Options): Promise<void> {
  const { target } = inspector;
  const wanted = options.json !== true || options.details === true;
  const names = wanted ? (target ?? runningKernel()) : null;
  const inspected: Inspected[] = [];
  const rows: unknown[] = [];
  for (const file of files) {
    try {
      const one = await inspector.inspect(file, wanted ? { names } : null);
      inspected.push(one);
      rows.push(inspectedJson(one));
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      printError(error);
      rows.push({ file, error });
      process.exitCode = EXIT.undecided;
    }
  }
  if (options.json === true) {
    printJson(files.length > 1 ? rows : rows[0]);
    return;
  }
  if (inspected.length > 0) print(inspected.map(describeFacts).join("\n\n"));
}

/** A file with several objects has several statements. Throws USAGE with other options. */
function showStatements(files: readonly string[], { json, btf, details }: Options): void {
  if (btf !== undefined || details === true)
    throw new CountersignError("USAGE", "--statement shows what is covered before relocation", {
      remedy: "leave --btf and --details out",
    });
  const rows: unknown[] = [];
  for (const file of files)
    try {
      for (const statement of statementsIn(file)) {
        if (json === true) rows.push(statementJson(file, statement));
        else rows.push(describeStatement(file, statement));
      }
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      printError(error);
      if (json === true) rows.push({ file, error });
      process.exitCode = EXIT.undecided;
    }
  if (json === true) printJson(rows.length === 1 ? rows[0] : rows);
  else if (rows.length > 0) print(rows.join("\n\n"));
}

function statementsIn(file: string): readonly ProgramStatement[] {
  const bytes = readInput(file);
  try {
    if (beginsAsStatement(bytes)) return [parseStatement(bytes)];
    return statementsOf(bytes, {}).map((found) => {
      if ("error" in found) throw found.error;
      return found.statement;
    });
  } catch (error) {
    throw error instanceof CountersignError ? error.within(file) : error;
  }
}

async function diff(files: readonly string[], inspector: Inspector, { json }: Options): Promise<void> {
  const [before, after] = files;
  if (before === undefined || after === undefined || files.length > 2)
    throw new CountersignError("USAGE", `--diff compares two files, not ${files.length}`, {
      remedy: "name the old version, then the new one",
    });
  const [old, now] = [await inspector.inspect(before, null), await inspector.inspect(after, null)];
  const difference = differenceOf(old.facts, now.facts);
  if (json === true) printJson(differenceJson(old, now, difference));
  else print(describeDifference(old, now, difference));
  if (!isSame(difference)) process.exitCode = EXIT.denied;
}

/** The running kernel, in which names are looked up; null if it has no BTF. Throws BTF_MALFORMED. */
function runningKernel(): NamedBtf | null {
  if (!existsSync(RUNNING_KERNEL)) return null;
  return { path: RUNNING_KERNEL, vmlinux: new Btf(readInput(RUNNING_KERNEL), RUNNING_KERNEL) };
}
