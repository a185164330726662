import { Command } from "commander";
import { factsOfFile } from "../bpf/embedded.js";
import type { ObjectFacts, ProgramFacts } from "../bpf/facts.js";
import { CountersignError } from "../error.js";
import { EXIT } from "./exit.js";
import { readInput } from "./input.js";
import { describeFacts } from "./inspect-text.js";
import { complain, print, printJson } from "./output.js";

/** `countersign inspect FILE…`: what an object's programs are and may do. */
export function command(): Command {
  return new Command("inspect")
    .description("Shows the facts about each program of BPF objects, and of programs that embed them.")
    .argument("<file...>", "BPF objects, or programs that carry them inside")
    .option("--json", "write one object for a file, an array for several")
    .addHelpText(
      "after",
      `
Examples:
  countersign inspect tracer.o
  countersign inspect --json /usr/sbin/opensnoop-libbpf | jq '.programs[].effects'
`,
    )
    .action(inspect);
}

interface Options {
  readonly json?: true;
}

/** One file and what is in it. */
export interface Inspected {
  readonly file: string;
  readonly facts: ObjectFacts;
}

function inspect(files: readonly string[], options: Options): void {
  const inspected: Inspected[] = [];
  for (const file of files) {
    try {
      inspected.push({ file, facts: factsOf(file) });
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

/** The facts about a file, by its content. Errors name the file. */
export function factsOf(file: string): ObjectFacts {
  const bytes = readInput(file);
  try {
    return factsOfFile(bytes);
  } catch (error) {
    throw error instanceof CountersignError ? error.within(file) : error;
  }
}

function toJson({ file, facts }: Inspected): unknown {
  return { file, sha256: facts.sha256, programs: facts.programs.map(programJson) };
}

/** What is written of a program: its facts without its bytes. */
function programJson(program: ProgramFacts): unknown {
  const { name, section, type, expected_attach_type, insn_cnt, digest, tag, license } = program;
  const { helpers, kfuncs, maps, effects, evidence } = program;
  return {
    name,
    section,
    type,
    expected_attach_type,
    insn_cnt,
    digest,
    tag,
    license,
    helpers,
    kfuncs,
    maps,
    effects,
    evidence,
  };
}
