import type { ProgramSubject } from "../../hooks/subject.js";
import { LOAD } from "../call/attr.js";
import type { LiveLoad } from "./load.js";
import { PROBES, type Probe } from "./probes.gen.js";

/**
 * Which of a loader's probes a load is, to the last bit; null for any other load. Refusing some of them would not keep a
 * loader out but have it write the real program otherwise, or complain about the kernel; so they are let through before policies. None can
 * do anything: they are what the table holds, and nothing that a task chose beside it, flags and relocations among it, may be
 * there. bpftrace tries each helper with nothing but the context in r1, which the kernel's verifier refuses for most; the
 * others tell, and bpf_send_signal, whose signal is then the low half of an address in a kernel stack, sends none.
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

/** Fields that no probe sets. */
const PLAIN = [
  LOAD.progFlags,
  LOAD.progIfindex,
  LOAD.attachBtfId,
  LOAD.attachFd,
  LOAD.coreReloCount,
  LOAD.signatureSize,
] as const;
