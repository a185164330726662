import type { ProgramFacts } from "../bpf/facts.js";
import type { ProgramSubject } from "../hooks/subject.js";

/** What a subject has beside its facts. */
export type ProgramOrigin = Omit<ProgramSubject, keyof ProgramFacts>;

/** A program as a subject. Field by field: a spread of so many makes an object that is slow to make and to read. */
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
