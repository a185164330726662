import type { ProgramFacts, ProgramSubject } from "../../bpf/model/facts.js";
import { PROGRAM_FIELDS, type ProgramFactsFrom, programFactsFrom } from "../../bpf/model/program-fields.js";

/** The facts about a program that come from its request or file. */
export type ProgramOrigin = ProgramFactsFrom<"origin">;
/** What the kernel reports about a program that it loaded. */
export type KernelReport = ProgramFactsFrom<"kernel">;

/** The subject of a program that is not loaded. */
export function programSubject(facts: ProgramFacts, origin: ProgramOrigin): ProgramSubject {
  return subjectOf(facts, origin, NOT_LOADED);
}

/** The subject of a program after its load. */
export function loadedSubject(judged: ProgramSubject, report: KernelReport): ProgramSubject {
  return subjectOf(judged, judged, report);
}

const FROM_CODE = programFactsFrom("load", "code");
const FROM_ORIGIN = programFactsFrom("origin");
const FROM_KERNEL = programFactsFrom("kernel");

const NOT_LOADED = Object.fromEntries(
  FROM_KERNEL.map((name) => [name, PROGRAM_FIELDS[name].unloaded]),
) as unknown as KernelReport;

/** Facts are copied one by one: V8 takes twenty times as long for objects that are made by spread. */
function subjectOf(facts: ProgramFacts, origin: ProgramOrigin, report: KernelReport): ProgramSubject {
  const subject: Record<string, unknown> = {};
  for (const name of FROM_CODE) subject[name] = facts[name];
  for (const name of FROM_ORIGIN) subject[name] = origin[name];
  for (const name of FROM_KERNEL) subject[name] = report[name];
  return Object.freeze(subject) as ProgramSubject;
}
