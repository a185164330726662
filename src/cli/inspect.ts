import { existsSync } from "node:fs";
import { Command } from "commander";
import { anatomyOf } from "../bpf/anatomy.js";
import { Btf } from "../bpf/btf.js";
import type { Code } from "../bpf/code.js";
import { differenceOf, isSame } from "../bpf/difference.js";
import { factsOfFile } from "../bpf/embedded.js";
import type { ProgramFacts } from "../bpf/facts.js";
import { missingFrom } from "../bpf/kernel-needs.js";
import { CountersignError } from "../error.js";
import { readInput } from "../input.js";
import { EXIT } from "./exit.js";
import { describeDifference, differenceJson } from "./inspect-diff.js";
import { describeFacts } from "./inspect-text.js";
import type { Inspected, Whole } from "./inspected.js";
import { print, printError, printJson } from "./output.js";

/** `countersign inspect FILE…`: shows the facts and effects of the programs in an object. */
export function command(): Command {
  return new Command("inspect")
    .description("Shows the facts about each program of BPF objects, and of programs that embed them.")
    .argument("<file...>", "BPF objects, or programs that carry them inside")
    .option("--json", "write one object for a file, an array for several")
    .option("--details", "with --json: each program's functions, relocations, stack, loops and map memory too")
    .option("--btf <file>", `BTF of the kernel to look names up in (default: ${RUNNING_KERNEL}, where it is)`)
    .option("--diff", "of two files: what changed from the first to the second; exit code 1 where anything did")
    .addHelpText(
      "after",
      `
Examples:
  countersign inspect tracer.o
  countersign inspect --json /usr/sbin/opensnoop-libbpf | jq '.programs[].effects'
  countersign inspect --diff tracer-1.0.o tracer-1.1.o
`,
    )
    .action(inspect);
}

const RUNNING_KERNEL = "/sys/kernel/btf/vmlinux";

interface Options {
  readonly btf?: string;
  readonly json?: true;
  readonly details?: true;
  readonly diff?: true;
}

/** The kernel BTF in which names are looked up. It is read once. */
export interface Kernel {
  readonly file: string;
  readonly btf: Btf;
}

function inspect(files: readonly string[], options: Options): void {
  if (options.diff === true) {
    diff(files, options);
    return;
  }
  const wanted = options.json !== true || options.details === true;
  const kernel = wanted ? kernelOf(options) : null;
  const look = wanted ? wholeOf(kernel) : undefined;
  const inspected: Inspected[] = [];
  const rows: unknown[] = [];
  for (const file of files) {
    try {
      const one = { ...inspectFile(file, look), kernel: kernel?.file ?? null };
      inspected.push(one);
      rows.push(toJson(one));
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

function diff(files: readonly string[], options: Options): void {
  const [before, after] = files;
  if (before === undefined || after === undefined || files.length > 2)
    throw new CountersignError("USAGE", `--diff compares two files, not ${files.length}`, {
      remedy: "name the old version, then the new one",
    });
  const [old, now] = [inspectFile(before), inspectFile(after)];
  const difference = differenceOf(old.facts, now.facts);
  if (options.json === true) printJson(differenceJson(old, now, difference));
  else print(describeDifference(old, now, difference));
  if (!isSame(difference)) process.exitCode = EXIT.denied;
}

/** The facts of a file; its type follows from its content. Errors name the file. */
function inspectFile(file: string, look?: (code: Code) => Whole): Inspected {
  const bytes = readInput(file);
  const wholes: Whole[] = [];
  try {
    const facts = factsOfFile(bytes, look === undefined ? undefined : (program) => wholes.push(look(program)));
    return { file, facts, wholes, kernel: null };
  } catch (error) {
    throw error instanceof CountersignError ? error.within(file) : error;
  }
}

function wholeOf(kernel: Kernel | null): (code: Code) => Whole {
  return (code) => ({ ...anatomyOf(code), missing: kernel === null ? null : missingFrom(kernel.btf, code) });
}

/**
 * The BTF file that is named, or that of the running kernel; null if it has none. Throws FILE_UNREADABLE and
 * BTF_MALFORMED.
 */
function kernelOf({ btf }: Options): Kernel | null {
  const file = btf ?? RUNNING_KERNEL;
  if (btf === undefined && !existsSync(file)) return null;
  return { file, btf: new Btf(readInput(file), file) };
}

function toJson({ file, facts, wholes }: Inspected): unknown {
  const programs = facts.programs.map((program, index) => programJson(program, wholes[index]));
  return { file, sha256: facts.sha256, programs };
}

/** The facts of a program for JSON, without its bytes. */
function programJson(program: ProgramFacts, whole: Whole | undefined): unknown {
  const { name, section, type, expected_attach_type, insn_cnt, digest, tag, license } = program;
  const { helpers, kfuncs, maps, effects, evidence, attach_to, gpl_compatible } = program;
  const identity = { name, section, type, expected_attach_type, insn_cnt, digest, tag, license };
  const facts = { ...identity, helpers, kfuncs, maps, effects, evidence };
  return whole === undefined ? facts : { ...facts, attach_to, gpl_compatible, ...whole };
}
