import { Command } from "commander";
import { type Anatomy, anatomyOf } from "../bpf/anatomy.js";
import { differenceOf, isSame } from "../bpf/difference.js";
import { factsOfFile } from "../bpf/embedded.js";
import type { ObjectFacts, ProgramFacts } from "../bpf/facts.js";
import { CountersignError } from "../error.js";
import { EXIT } from "./exit.js";
import { readInput } from "./input.js";
import { describeDifference, differenceJson } from "./inspect-diff.js";
import { describeFacts } from "./inspect-text.js";
import { complain, print, printJson } from "./output.js";

/** `countersign inspect FILE…`: what an object's programs are and may do. */
export function command(): Command {
  return new Command("inspect")
    .description("Shows the facts about each program of BPF objects, and of programs that embed them.")
    .argument("<file...>", "BPF objects, or programs that carry them inside")
    .option("--json", "write one object for a file, an array for several")
    .option("--details", "with --json: each program's functions, relocations, stack, loops and map memory too")
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

interface Options {
  readonly json?: true;
  readonly details?: true;
  readonly diff?: true;
}

/** One file and what is in it. */
export interface Inspected {
  readonly file: string;
  readonly facts: ObjectFacts;
  /** Of each program, where they were asked for. */
  readonly anatomies: readonly Anatomy[];
}

function inspect(files: readonly string[], options: Options): void {
  if (options.diff === true) {
    diff(files, options);
    return;
  }
  const whole = options.json !== true || options.details === true;
  const inspected: Inspected[] = [];
  for (const file of files) {
    try {
      inspected.push(inspectFile(file, whole));
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      complain(error);
      process.exitCode = EXIT.undecided;
    }
  }
  if (options.json === true) {
    const rows = inspected.map(toJson);
    if (files.length > 1) printJson(rows);
    else if (rows.length === 1) printJson(rows[0]);
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
  const [old, now] = [inspectFile(before, false), inspectFile(after, false)];
  const difference = differenceOf(old.facts, now.facts);
  if (options.json === true) printJson(differenceJson(old, now, difference));
  else print(describeDifference(old, now, difference));
  if (!isSame(difference)) process.exitCode = EXIT.refused;
}

/** The facts about a file, by its content. Errors name the file. */
function inspectFile(file: string, whole: boolean): Inspected {
  const bytes = readInput(file);
  const anatomies: Anatomy[] = [];
  try {
    const facts = factsOfFile(bytes, whole ? (program) => anatomies.push(anatomyOf(program)) : undefined);
    return { file, facts, anatomies };
  } catch (error) {
    throw error instanceof CountersignError ? error.within(file) : error;
  }
}

function toJson({ file, facts, anatomies }: Inspected): unknown {
  const programs = facts.programs.map((program, index) => programJson(program, anatomies[index]));
  return { file, sha256: facts.sha256, programs };
}

/** What is written of a program: its facts without its bytes. */
function programJson(program: ProgramFacts, anatomy: Anatomy | undefined): unknown {
  const { name, section, type, expected_attach_type, insn_cnt, digest, tag, license } = program;
  const { helpers, kfuncs, maps, effects, evidence, attach_to, gpl_compatible } = program;
  const identity = { name, section, type, expected_attach_type, insn_cnt, digest, tag, license };
  const facts = { ...identity, helpers, kfuncs, maps, effects, evidence };
  return anatomy === undefined ? facts : { ...facts, attach_to, gpl_compatible, ...anatomy };
}
