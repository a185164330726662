import type { ProgramSubject } from "../../hooks/subject.js";
import { LOAD } from "../call/attr.js";
import type { LiveLoad } from "./load.js";
import { PROBES, type Probe } from "./probes.gen.js";

/**
 * Returns the probe that a load is identical to; null for any other load. Probes are allowed without asking policies:
 * if one were denied, the loader would still load its real program, but write it differently or report that the kernel
 * lacks a feature. A probe is harmless, because it must equal a row of the table, and every other field that a task can
 * set, such as flags or relocations, must be zero. bpftrace calls each helper with only the context in r1. The verifier
 * rejects that for most helpers; of the others, all but bpf_send_signal only return a value. bpf_send_signal gets the
 * low half of a kernel stack address as its signal, which is no valid number, so it sends none.
 */
export function probeOf(load: LiveLoad, subject: ProgramSubject): Probe | null {
  const { given } = load;
  if (PLAIN.some((offset) => given.u32(offset) !== 0) || given.points(LOAD.fdArray)) return null;
  const same = (probe: Probe) =>
    probe.digest === subject.digest &&
    probe.type === given.u32(LOAD.progType) &&
    probe.expectedAttachType === given.u32(LOAD.expectedAttachType) &&
    probe.name === given.name(LOAD.progName) &&
    probe.license === load.license &&
    probe.funcInfoCount === given.u32(LOAD.funcInfoCount);
  return PROBES.find(same) ?? null;
}

/** Fields that are zero in every probe. */
const PLAIN = [
  LOAD.progFlags,
  LOAD.progIfindex,
  LOAD.attachBtfId,
  LOAD.attachFd,
  LOAD.coreReloCount,
  LOAD.signatureSize,
] as const;
