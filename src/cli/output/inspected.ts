import type { ProgramFacts } from "../../bpf/model/facts.js";
import { PROGRAM_FIELDS, programFactsFrom } from "../../bpf/model/program-fields.js";
import { BYTES } from "../../fact-type.js";
import type { InspectedFile as Inspected, Whole } from "../kernel/inspector.js";

export type { InspectedFile as Inspected, Whole } from "../kernel/inspector.js";

/** The form of --json. */
export function inspectedJson({ file, facts, wholes, target }: Inspected): object {
  const programs = facts.programs.map((program, index) => ({
    ...programJson(program, wholes[index]),
    ...(target === null ? {} : { error: target.reasons[index] ?? null }),
  }));
  const kernel = target === null ? {} : { kernel: target.kernel, variant: target.variant };
  return { file, sha256: facts.sha256, ...kernel, programs };
}

/** The facts from a program's code that JSON has: all but bytes. */
const SHOWN = programFactsFrom("load", "code").filter((name) => PROGRAM_FIELDS[name].type !== BYTES);

function programJson(program: ProgramFacts, whole: Whole | undefined): object {
  return { ...Object.fromEntries(SHOWN.map((name) => [name, program[name]])), ...whole };
}
