import type { ProgramSubject } from "../../../bpf/model/facts.js";
import { PROBES, type Probe } from "../../../bpf/tables/loader-probes.gen.js";
import { LOAD } from "../../call/attr.js";
import type { LiveLoad } from "./live-load.js";

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
  const withDigest = (given.u32(LOAD.attachBtfId) === 0 ? probes : targetProbes).get(subject.digest);
  if (withDigest === undefined) return null;
  if (PLAIN.some((offset) => given.u32(offset) !== 0) || given.points(LOAD.fdArray)) return null;
  const same = (probe: Probe) =>
    probe.type === given.u32(LOAD.progType) &&
    probe.expectedAttachType === given.u32(LOAD.expectedAttachType) &&
    probe.name === given.name(LOAD.progName) &&
    probe.license === load.license &&
    probe.funcInfoCount === given.u32(LOAD.funcInfoCount);
  return withDigest.find(same) ?? null;
}

/** BPF_PROG_TYPE_TRACING, and attach types of linux/bpf.h. */
const TRACING = 26;
const TRACE_RAW_TP = 23;
const TRACE_FENTRY = 24;

const RETURNS_ZERO = {
  license: "GPL",
  funcInfoCount: 0,
  digest: "59f4a931744dcdc62944a018ed3990e666ec6444616418d3b09a82dc5c753d52",
  insns: "b7000000000000009500000000000000",
  loaders: ["libbpf-tools 0.31"],
} as const;

/**
 * Probes for a tracepoint or function of the kernel, whichever a tool is about to use: `probe_tp_btf` and
 * `fentry_try_attach` of libbpf-tools' trace_helpers.c. A program that returns 0 has no effect there, wherever it is
 * attached. For the other attach types it would have one: modify_return and lsm decide by what is returned. Unlike the
 * probes of the generated table they name a target, which differs between kernels.
 */
export const TARGET_PROBES: readonly Probe[] = [
  { ...RETURNS_ZERO, name: "", type: TRACING, expectedAttachType: TRACE_RAW_TP },
  { ...RETURNS_ZERO, name: "test", type: TRACING, expectedAttachType: TRACE_FENTRY },
];

/** Fields that are zero in every probe. */
const PLAIN = [LOAD.progFlags, LOAD.progIfindex, LOAD.attachFd, LOAD.coreReloCount, LOAD.signatureSize] as const;

/** Each load is looked up, and nearly all are no probes, so that probes are found by their digest. */
const probes = byDigest(PROBES);
const targetProbes = byDigest(TARGET_PROBES);

function byDigest(all: readonly Probe[]): ReadonlyMap<string, readonly Probe[]> {
  const found = new Map<string, Probe[]>();
  for (const probe of all) {
    const others = found.get(probe.digest);
    if (others === undefined) found.set(probe.digest, [probe]);
    else others.push(probe);
  }
  return found;
}
