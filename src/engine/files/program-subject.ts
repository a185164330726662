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

const FROM_KERNEL = programFactsFrom("kernel");

const NOT_LOADED = Object.fromEntries(
  FROM_KERNEL.map((name) => [name, PROGRAM_FIELDS[name].unloaded]),
) as unknown as KernelReport;

/**
 * Facts in the order of PROGRAM_FIELDS. They are listed, although the table has their names: an object that a loop
 * makes of so many fields has a hash table for them in V8, and each policy reads them from it. A field that is missing
 * here does not compile.
 */
function subjectOf(facts: ProgramFacts, origin: ProgramOrigin, report: KernelReport): ProgramSubject {
  return Object.freeze({
    name: facts.name,
    section: facts.section,
    type: facts.type,
    expected_attach_type: facts.expected_attach_type,
    attach_to: facts.attach_to,
    license: facts.license,
    gpl_compatible: facts.gpl_compatible,
    insn_cnt: facts.insn_cnt,
    insns: facts.insns,
    raw_insns: facts.raw_insns,
    digest: facts.digest,
    tag: facts.tag,
    helpers: facts.helpers,
    kfuncs: facts.kfuncs,
    maps: facts.maps,
    effects: facts.effects,
    evidence: facts.evidence,
    signature: origin.signature,
    statements: origin.statements,
    mismatches: origin.mismatches,
    kernel_signature: origin.kernel_signature,
    kernel_keyring: origin.kernel_keyring,
    object: origin.object,
    loaded: report.loaded,
    rewritten: report.rewritten,
  });
}
