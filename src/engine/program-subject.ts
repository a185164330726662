import type { ProgramFacts } from "../bpf/facts.js";
import type { ProgramSubject } from "../hooks/subject.js";

/** The fields of a program subject that are not facts of its code. */
export type ProgramOrigin = Omit<ProgramSubject, keyof ProgramFacts>;

/** A program as a subject. Fields are copied one by one: V8 creates and reads objects from a spread more slowly. */
export function programSubject(facts: ProgramFacts, origin: ProgramOrigin): ProgramSubject {
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
    kernel_signature: origin.kernel_signature,
    kernel_keyring: origin.kernel_keyring,
    object: origin.object,
    loaded: origin.loaded,
    rewritten: origin.rewritten,
  });
}
